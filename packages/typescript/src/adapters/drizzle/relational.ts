import {
  always,
  type Known,
  type Predicate,
  type Span,
  type TableName,
  type Target,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';
import { combine, conjunctsOf, draft, targetOf, type Leaf } from './joins.js';
import { columnName, Scope, tableKey, tableSource, unknownTable, type Build, type Source } from './scope.js';
import { lowerRelationalWhere, relationTie } from './relational-where.js';
import { collecting } from './select.js';
import { propertyIn } from './write.js';

/** How deep `with` is followed. */
const maxDepth = 8;

/** Lowers `db.query.<table>.findFirst / findMany(config)`. */
export function lowerRelational(
  table: Known<TableName>,
  config: Value | undefined,
  build: Build,
  span: Span,
): readonly Target[] {
  return lowerLevel(table, config, new Scope(build), { role: 'root', span, depth: 0 });
}

interface Level {
  readonly role: Target['role'];
  readonly span: Span;
  readonly depth: number;
  /** What ties the rows to those of the level around. */
  readonly tie?: (ref: TargetRef) => Predicate;
}

function lowerLevel(
  table: Known<TableName>,
  config: Value | undefined,
  outer: Scope,
  around: Level,
): readonly Target[] {
  const { build } = outer;
  const { context } = build;
  const scope = new Scope(build, outer);
  const ref = build.ref();
  const source = tableSource(table.known ? tableKey(table.value) : ref, table, ref, context);
  scope.sources.push(source);
  const given = config === undefined || (config.kind === 'constant' && config.value === true) ? undefined : config;
  const tie = around.tie?.(ref);
  const plain = {
    ref,
    table,
    role: around.role,
    operation: 'read' as const,
    cardinality: 'many' as const,
    span: around.span,
  };
  const one = draft(plain);
  if (tie) one.conditions.push(tie);
  if (given === undefined) return [targetOf(one)];
  const option = (name: string): Value => propertyIn(given, name, scope);
  const value = option('where');
  const where = collecting(build, () =>
    value.kind === 'undefined' ? always('no condition') : lowerRelationalWhere(value, source, scope),
  );
  const leaf: Leaf = { drafts: [one], own: [one], exposed: tie ? conjunctsOf(tie, []) : [], optional: [] };
  const vacuous = where.predicate.kind === 'always' ? where.predicate.why : undefined;
  const level = combine([{ leaf, kind: 'inner', on: [] }], conjunctsOf(where.predicate, where.subs), [], vacuous);
  const columns = selectedColumns(option('columns'), source, scope);
  const [target, ...subs] = level.drafts.map(targetOf);
  return [
    ...(target ? [{ ...target, ...(columns ? { columns } : {}) }] : []),
    ...lowerWith(option('with'), source, scope, around),
    ...subs.map((t): Target => ({ ...t, columns: [] })),
  ];
}

/** Nested tables: each is reached through the rows of its parent, and filtered by its own `where`. */
function lowerWith(value: Value, source: Source, scope: Scope, level: Level): readonly Target[] {
  if (value.kind === 'undefined' || (value.kind === 'constant' && !value.value)) return [];
  const { context, build } = scope;
  const resolved = value.kind === 'object' ? value : context.resolve(value);
  if (resolved.kind === 'choice') return resolved.of.flatMap((v) => lowerWith(v, source, scope, level));
  if (resolved.kind === 'missing-able') return lowerWith(resolved.of, source, scope, level);
  if (resolved.kind !== 'object' || level.depth >= maxDepth) {
    build.unchecked.push({ reason: 'unresolved: the nested tables of `with` were not found', span: level.span });
    return [];
  }
  return resolved.entries.flatMap((entry): readonly Target[] => {
    if ('spread' in entry) return lowerWith(entry.spread, source, scope, level);
    if (!('set' in entry)) {
      build.unchecked.push({
        reason: 'unresolved: a nested table of `with` is computed',
        span: entry.span ?? level.span,
      });
      return [];
    }
    const configs = entry.value.kind === 'choice' ? entry.value.of : [entry.value];
    const config = configs.find((c) => !(c.kind === 'undefined' || (c.kind === 'constant' && c.value !== true)));
    if (!config) return [];
    const relation = source.table.known ? context.relation(source.table.value, entry.set) : undefined;
    const table = relation
      ? { known: true as const, value: relation.to }
      : unknownTable(`the relation ${entry.set} of ${source.name} was not found`);
    const tie = (ref: TargetRef): Predicate => relationTie(relation, entry.set, source, ref, table, scope);
    return lowerLevel(table, config, scope, {
      role: 'include',
      span: entry.span ?? level.span,
      depth: level.depth + 1,
      tie,
    });
  });
}

/** The columns that come back: those set to true, or all but those set to false. */
function selectedColumns(value: Value, source: Source, scope: Scope): readonly string[] | undefined {
  const resolved = value.kind === 'object' || value.kind === 'undefined' ? value : scope.context.resolve(value);
  if (resolved.kind !== 'object' || !resolved.entries.every((e) => 'set' in e && e.value.kind === 'constant'))
    return undefined;
  const flags = resolved.entries.flatMap((e) =>
    'set' in e ? [[e.set, e.value.kind === 'constant' && e.value.value === true] as const] : [],
  );
  const shown = flags.filter(([, on]) => on).map(([name]) => columnName(source.known, name));
  if (shown.length > 0) return shown;
  const hidden = new Set(flags.map(([name]) => columnName(source.known, name)));
  return source.known ? [...source.known.columns.keys()].filter((c) => !hidden.has(c)) : undefined;
}
