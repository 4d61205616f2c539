import type { ClassFacts, Decorator, LinkContext, Span, TypeName, Value } from '@tenant-lint/model';

/** A class of the program. */
export interface Found {
  readonly facts: ClassFacts;
  readonly file: string;
}

const maxSteps = 12;

/** The class that a value denotes, possibly imported; undefined where it is none of the program. */
export function classOf(value: Value, context: LinkContext): Found | undefined {
  for (const v of [value, context.resolve(value)]) {
    if (v.kind !== 'binding' || v.path.length > 0) continue;
    const facts = context.facts(v.file)?.classes.find((c) => c.name === v.name);
    if (facts) return { facts, file: v.file };
  }
  return undefined;
}

/** What a name means in a file: its binding, or what it imports. */
export const nameIn = (file: string, name: string): Value => ({ kind: 'binding', file, name, path: [] });

/** A class and those it extends, nearest first. `beyond` is the base class that is none of the program. */
export function lineage(found: Found, context: LinkContext): { of: readonly Found[]; beyond?: Value } {
  const of: Found[] = [found];
  for (let last = found; of.length <= maxSteps;) {
    const base = last.facts.extends;
    if (!base) return { of };
    const next = classOf(base, context);
    if (!next || of.some((f) => f.facts === next.facts)) return { of, beyond: base };
    of.push((last = next));
  }
  return { of };
}

/** The exported name and module of what a value was imported as: `{ Entity } from 'typeorm'`, or `orm.Entity`. */
export function importedAs(value: Value, context: LinkContext): { module: string; name: string } | undefined {
  for (const v of [value, context.resolve(value)]) {
    if (v.kind !== 'import') continue;
    const name = v.name === '*' || v.name === 'default' ? v.path[0] : v.name;
    if (name !== undefined) return { module: v.module, name };
  }
  return undefined;
}

/** A field of an entity with its decorators, as the nearest class declares it. */
export interface Field {
  readonly name: string;
  readonly type?: TypeName;
  readonly decorators: readonly { readonly name: string; readonly arguments: readonly Value[] }[];
  readonly span: Span;
  readonly file: string;
}

/** The decorators of a library by their names there. */
export const decoratorsFrom = (
  list: readonly Decorator[],
  context: LinkContext,
  isLibrary: (module: string) => boolean,
): Field['decorators'] =>
  list.flatMap((d) => {
    const from = importedAs(d.name, context);
    return from && isLibrary(from.module) ? [{ name: from.name, arguments: d.arguments }] : [];
  });

/** The decorated fields of a class, inherited ones first. */
export function fieldsOf(found: Found, context: LinkContext, isLibrary: (module: string) => boolean): readonly Field[] {
  const fields = new Map<string, Field>();
  for (const { facts, file } of [...lineage(found, context).of].reverse()) {
    for (const [name, field] of Object.entries(facts.fields)) {
      const decorators = decoratorsFrom(field.decorators, context, isLibrary);
      if (decorators.length === 0) continue;
      const type = field.type ? { type: field.type } : {};
      fields.set(name, { name, decorators, ...type, span: field.span ?? facts.span, file });
    }
  }
  return [...fields.values()];
}

/** What the only return of a function literal is: `() => Org`. Any other value is itself. */
export function thunk(value: Value | undefined, context: LinkContext): Value | undefined {
  if (value?.kind !== 'function') return value;
  const returns = context.function(value.function)?.returns;
  return returns?.length === 1 ? returns[0]!.value : undefined;
}

/** The property that `(line) => line.invoice` reads, or the name that is given as text. */
export function propertyRead(value: Value | undefined, context: LinkContext): string | undefined {
  if (value?.kind === 'constant') return typeof value.value === 'string' ? value.value : undefined;
  const read = thunk(value, context);
  return read && 'path' in read ? read.path.at(-1) : undefined;
}
