import type { Model, ResourcePart } from '@tenant-lint/analysis';

type Part<K extends ResourcePart['kind']> = Extract<ResourcePart, { readonly kind: K }>;

/** The parts of a key or a payload by what they are. */
export function partsByKind(parts: readonly ResourcePart[]): {
  readonly own: readonly ResourcePart[];
  readonly unknown: readonly ResourcePart[];
  readonly random: readonly ResourcePart[];
  readonly request: readonly Part<'request'>[];
  readonly common: readonly Part<'common'>[];
} {
  const of = <K extends ResourcePart['kind']>(kind: K): readonly Part<K>[] =>
    parts.filter((p): p is Part<K> => p.kind === kind);
  return {
    own: of('own'),
    unknown: of('unknown'),
    random: of('random'),
    request: of('request'),
    common: of('common'),
  };
}

const known = new WeakMap<Model, boolean>();

/** Whether the program has rows that belong to tenants at all. */
export function holdsTenants(model: Model): boolean {
  let found = known.get(model);
  if (found === undefined) {
    found = [...model.schema.tables.keys()].some((id) => model.tenancyOf(id).kind === 'keyed');
    known.set(model, found);
  }
  return found;
}
