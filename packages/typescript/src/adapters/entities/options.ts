import { propertyOf, type LinkContext, type Value } from '@tenant-lint/model';

/** An option of an object, resolved; undefined where it is not there. */
export function option(value: Value | undefined, name: string, context: LinkContext): Value | undefined {
  if (!value) return undefined;
  const object = value.kind === 'object' ? value : context.resolve(value);
  if (object.kind !== 'object') return undefined;
  const found = propertyOf(object, name);
  return found.kind === 'undefined' ? undefined : found;
}

/** The text that a value is, if it is one. */
export function text(value: Value | undefined, context: LinkContext): string | undefined {
  if (!value) return undefined;
  const v = value.kind === 'constant' ? value : context.resolve(value);
  return v.kind === 'constant' && typeof v.value === 'string' ? v.value : undefined;
}

/** Whether an option is written as `true` (or `false`); undefined where it is not written. */
export function flag(value: Value | undefined, name: string, context: LinkContext): boolean | undefined {
  const found = option(value, name, context);
  return found?.kind === 'constant' && typeof found.value === 'boolean' ? found.value : undefined;
}

/** The texts of a list, or of one text. */
export function texts(value: Value | undefined, context: LinkContext): readonly string[] {
  const list = value?.kind === 'list' ? value : value && context.resolve(value);
  if (list?.kind === 'list') return list.of.flatMap((i) => text(i.value, context) ?? []);
  const one = text(value, context);
  return one === undefined ? [] : [one];
}

/** `aC` becomes `a_c`, as TypeORM's and MikroORM's strategies with underscores do. */
export const snake = (name: string): string =>
  name
    .replace(/([A-Z])([A-Z])([a-z])/g, '$1_$2$3')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** `a_c` becomes `aC`. */
export const camel = (name: string): string =>
  name.replace(/^([A-Z])|[\s\-_](\w)/g, (_, first: string | undefined, next: string | undefined) =>
    next === undefined ? (first ?? '').toLowerCase() : next.toUpperCase(),
  );

const byType: Readonly<Record<string, string>> = {
  string: 'character varying',
  number: 'integer',
  boolean: 'boolean',
  Date: 'timestamp without time zone',
  Buffer: 'bytea',
  bigint: 'bigint',
};
const spelled: Readonly<Record<string, string>> = {
  varchar: 'character varying',
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  bool: 'boolean',
  Number: 'integer',
  String: 'character varying',
  Boolean: 'boolean',
};

/** The database's type for one that is written out, or else for the type of the property. */
export const columnType = (written: string | undefined, property: string | undefined): string =>
  written === undefined ? (byType[property ?? ''] ?? '') : (spelled[written] ?? written);
