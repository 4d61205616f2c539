import type { LinkContext, RelationDefinition, Span, TableName, Value } from '@tenant-lint/model';
import { columnNameIn } from './declare-columns.js';
import { declarationOf } from './declared.js';
import { callOf, type FunctionCall } from './names.js';

export interface DeclaredRelations {
  readonly table: TableName;
  readonly relations: readonly RelationDefinition[];
}

/** `relations(table, ({ one, many }) => ({ ... }))`. */
export function readRelations(f: FunctionCall, context: LinkContext): DeclaredRelations | undefined {
  const [table, callback] = f.arguments;
  const owner = table && declarationOf(table, context);
  const returned = callback?.kind === 'function' ? context.function(callback.function)?.returns[0]?.value : undefined;
  if (!owner || returned?.kind !== 'object') return undefined;
  const relations = returned.entries.flatMap((entry): RelationDefinition[] => {
    const found = 'set' in entry ? calledRelation(entry.value, context) : undefined;
    const to = found?.arguments[0] && declarationOf(found.arguments[0], context);
    if (!('set' in entry) || !found || !to) return [];
    const options = found.arguments[1];
    return [
      {
        name: entry.set,
        to: to.name,
        cardinality: found.name === 'many' ? 'many' : 'one',
        columns: columnsAt(options, 'fields', context),
        references: columnsAt(options, 'references', context),
        ...textAt(options, 'relationName', 'relationName'),
        span: entry.span ?? found.span,
      },
    ];
  });
  return { table: owner.name, relations };
}

/** `defineRelations(schema, (r) => ({ posts: { author: r.one.users({ from: r.posts.authorId, to: r.users.id }) } }))`. */
export function readRelationsObject(f: FunctionCall, context: LinkContext): readonly DeclaredRelations[] {
  const [schema, callback] = f.arguments;
  const returned = callback?.kind === 'function' ? context.function(callback.function)?.returns[0]?.value : undefined;
  if (!schema || returned?.kind !== 'object') return [];
  const tableAt = (name: string): ReturnType<typeof declarationOf> => {
    const value = memberOf(schema, name, context);
    return value && declarationOf(value, context);
  };
  return returned.entries.flatMap((entry): DeclaredRelations[] => {
    const owner = 'set' in entry ? tableAt(entry.set) : undefined;
    if (!('set' in entry) || !owner || entry.value.kind !== 'object') return [];
    const relations = entry.value.entries.flatMap((inner): RelationDefinition[] => {
      const found = 'set' in inner ? calledRelation(inner.value, context) : undefined;
      const to = found?.table === undefined ? undefined : tableAt(found.table);
      if (!('set' in inner) || !found || !to) return [];
      const options = found.arguments[0];
      const through = entryOf(options, 'from')?.kind === 'result' || entryOf(options, 'to')?.kind === 'result';
      const column = (name: string): readonly string[] =>
        columnPaths(entryOf(options, name)).map(([table, property]) => {
          const declared = tableAt(table);
          return declared ? columnNameIn(declared.table, property, context) : property;
        });
      return [
        {
          name: inner.set,
          to: to.name,
          cardinality: found.name === 'many' ? 'many' : 'one',
          columns: through ? [] : column('from'),
          references: through ? [] : column('to'),
          ...textAt(options, 'alias', 'relationName'),
          span: inner.span ?? found.span,
        },
      ];
    });
    return [{ table: owner.name, relations }];
  });
}

/** `one(table, options)`, `helpers.many(table)`, `r.one.users(options)`. */
function calledRelation(
  value: Value,
  context: LinkContext,
): { name: string; table?: string; arguments: readonly Value[]; span: Span } | undefined {
  const chain = value.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  if (!chain) return undefined;
  const { steps } = callOf(chain);
  const at = steps.findIndex((s) => s.arguments !== undefined);
  const names = steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const [name, table] = names;
  const args = steps[at]?.arguments;
  if (!args || (name !== 'one' && name !== 'many')) return undefined;
  return { name, ...(table === undefined ? {} : { table }), arguments: args, span: chain.span };
}

function entryOf(value: Value | undefined, name: string): Value | undefined {
  const entry = value?.kind === 'object' ? value.entries.find((e) => 'set' in e && e.set === name) : undefined;
  return entry && 'set' in entry ? entry.value : undefined;
}

function columnsAt(options: Value | undefined, name: string, context: LinkContext): readonly string[] {
  const list = entryOf(options, name);
  if (list?.kind !== 'list') return [];
  return list.of.flatMap((item) => {
    const found = declarationOf(item.value, context);
    return found?.property === undefined ? [] : [columnNameIn(found.table, found.property, context)];
  });
}

const textAt = (options: Value | undefined, name: string, as: 'relationName'): { relationName?: string } => {
  const value = entryOf(options, name);
  return value?.kind === 'constant' ? { [as]: String(value.value) } : {};
};

/** `r.posts.authorId`, or a list of such, as table and column. */
function columnPaths(value: Value | undefined): readonly (readonly [string, string])[] {
  if (value?.kind === 'list') return value.of.flatMap((i) => columnPaths(i.value));
  if (value?.kind !== 'parameter') return [];
  const [table, column] = value.path;
  return table !== undefined && column !== undefined ? [[table, column]] : [];
}

/** A member of the schema object: of an object literal, or of a namespace. */
function memberOf(schema: Value, name: string, context: LinkContext): Value | undefined {
  const resolved = schema.kind === 'object' ? schema : context.resolve(schema);
  if (resolved.kind === 'object') {
    for (const entry of resolved.entries) {
      if ('set' in entry && entry.set === name) return entry.value;
      const inner = 'spread' in entry ? memberOf(entry.spread, name, context) : undefined;
      if (inner && declarationOf(inner, context)) return inner;
    }
    return undefined;
  }
  return 'path' in resolved ? { ...resolved, path: [...resolved.path, name] } : undefined;
}
