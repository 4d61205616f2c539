import type { TargetRef, Value } from '@tenant-lint/model';
import { unknownValue } from '@tenant-lint/model';
import type { Context, OutputItem } from './context.js';
import { isStar } from './context.js';
import type { Rows } from './select.js';

/** Something in FROM that has columns: a table, a sub-select, a reference to a common table expression, a function. */
export interface Source {
  /** The name that qualifies its columns: alias, or the table's own name. Absent for an unnamed sub-select. */
  readonly name?: string;
  readonly schema?: string;
  /** Tables any column of which it may have: a table itself, or those behind a star. */
  readonly through: readonly TargetRef[];
  /** The column, where it surely has one of this name. */
  explicit(column: string): Value | undefined;
  /** What a column is of which neither is known: of a function whose result columns are not. */
  readonly otherwise?: (column: string) => Value;
  /** Only `name.column` reaches it: EXCLUDED, OLD, NEW. */
  readonly qualifiedOnly?: true;
}

/** The names that one query level adds. */
export interface Level {
  readonly sources: readonly Source[];
  /** Columns merged by USING: name to value. */
  readonly merged: ReadonlyMap<string, Value>;
}

/** Names in a function's body that are no columns: its parameters (placeholders of their position), variables, and rows such as NEW. */
export interface Parameters {
  readonly function?: string;
  readonly values: ReadonlyMap<string, Value>;
  /** NEW and OLD of a trigger, and other row variables. */
  readonly rows: ReadonlyMap<string, TargetRef>;
}

/** The columns of a row known by its reference, under a name that must be written: OLD, NEW. */
export const rowSource = (name: string, ref: TargetRef): Source => ({
  name,
  through: [],
  explicit: (column) => ({ kind: 'column', target: ref, column }),
  qualifiedOnly: true,
});

/** A common table expression: each reference to it is lowered anew, since each yields rows of its own. */
export interface Cte {
  /** Its rows as a source, for one reference. */
  reference(): Rows;
}
/** The names in scope at one place, innermost level first. */
export interface Scope {
  readonly context: Context;
  readonly levels: readonly Level[];
  readonly ctes: ReadonlyMap<string, Cte>;
  readonly parameters?: Parameters;
}

export const inLevel = (scope: Scope, level: Level): Scope => ({ ...scope, levels: [level, ...scope.levels] });

/** The column of a source that is already chosen. */
export function columnOf(source: Source, column: string): Value {
  const explicit = source.explicit(column);
  if (explicit) return explicit;
  const otherwise = source.otherwise?.(column);
  const [first, ...more] = source.through;
  if (first === undefined) return otherwise ?? unknownValue(`column ${column} of ${source.name ?? 'a sub-select'}`);
  if (more.length === 0 && !otherwise) return { kind: 'column', target: first, column };
  return { kind: 'column', column, candidates: [source.through], ...(otherwise ? { otherwise } : {}) };
}

/**
 * What a name without qualifier means. Postgres looks at the levels from the inside out and takes the first that has such a column;
 * which tables have it is not known here, so the tables stay candidates until a source that surely has the column ends the search.
 */
export function resolveColumn(scope: Scope, column: string): Value {
  const candidates: (readonly TargetRef[])[] = [];
  let otherwise: Value | undefined;
  for (const level of scope.levels) {
    const sources = level.sources.filter((s) => !s.qualifiedOnly);
    const certain = level.merged.get(column) ?? firstDefined(sources, (s) => s.explicit(column));
    if (certain) {
      otherwise = certain;
      break;
    }
    const through = sources.flatMap((s) => s.through);
    if (through.length > 0) candidates.push(through);
    otherwise ??= firstDefined(sources, (s) => s.otherwise?.(column));
  }
  otherwise ??= scope.parameters?.values.get(column);
  const only = candidates.length === 1 && candidates[0]?.length === 1 ? candidates[0][0] : undefined;
  if (only !== undefined && !otherwise) return { kind: 'column', target: only, column };
  if (candidates.length === 0) return otherwise ?? unknownValue(`no table in scope has a column ${column}`);
  return { kind: 'column', column, candidates, ...(otherwise ? { otherwise } : {}) };
}

/** What `qualifier.column` (or `schema.table.column`) means: searched outward by alias or table name. */
export function resolveQualified(scope: Scope, qualifier: readonly string[], column: string): Value {
  const source = findSource(scope, qualifier);
  if (source) return columnOf(source, column);
  const [name, ...more] = [...qualifier].reverse();
  if (name !== undefined && more.length === 0) {
    const row = scope.parameters?.rows.get(name);
    if (row !== undefined) return { kind: 'column', target: row, column };
    const parameter = name === scope.parameters?.function ? scope.parameters.values.get(column) : undefined;
    if (parameter) return parameter;
    const record = scope.parameters?.values.get(name);
    if (record) return { kind: 'element', of: record, path: [column] };
  }
  return unknownValue(`no table ${qualifier.join('.')} in scope`);
}

export function findSource(scope: Scope, qualifier: readonly string[]): Source | undefined {
  const [name, schema] = [...qualifier].reverse();
  for (const level of scope.levels) {
    const found = level.sources.find((s) => s.name === name && (schema === undefined || s.schema === schema));
    if (found) return found;
  }
  return undefined;
}

/** A table as a source. `renamed`: it has column aliases, so that which column a name means is not known here. */
export function tableSource(
  ref: TargetRef,
  name: string,
  schema: string | undefined,
  renamed: readonly string[] = [],
): Source {
  return {
    name,
    ...(schema !== undefined ? { schema } : {}),
    through: [ref],
    explicit: (column) =>
      renamed.includes(column) ? unknownValue(`column ${column} is renamed by an alias list`) : undefined,
  };
}

/** The output of a sub-select as a source; `names` renames its first columns. */
export function outputSource(
  name: string | undefined,
  output: readonly OutputItem[],
  names: readonly string[] = [],
): Source {
  const items = renameOutput(output, names);
  const stars = items.filter(isStar).flatMap((item) => item.star);
  const opens = stars.filter((s) => s.otherwise);
  return {
    ...(name !== undefined ? { name } : {}),
    through: stars.flatMap((s) => s.through),
    explicit: (column) => outputColumn(items, column),
    ...(opens.length > 0
      ? { otherwise: (column: string) => firstDefined(opens, (s) => s.otherwise?.(column)) ?? unknownValue(column) }
      : {}),
  };
}

/** The output column that surely has this name. */
export function outputColumn(output: readonly OutputItem[], column: string): Value | undefined {
  for (const item of output) {
    if (isStar(item)) {
      const value = firstDefined(item.star, (s) => s.explicit(column));
      if (value) return value;
    } else if (item.name === column) return item.value;
  }
  return undefined;
}

/** Gives the first columns other names. Behind a star positions are not known: such a name is then an unknown column. */
export function renameOutput(output: readonly OutputItem[], names: readonly string[]): readonly OutputItem[] {
  if (names.length === 0) return output;
  const firstStar = output.findIndex(isStar);
  const placed = firstStar < 0 ? output.length : firstStar;
  const renamed = names.map((name, i): OutputItem => {
    const item = i < placed ? output[i] : undefined;
    return {
      name,
      value: item && !isStar(item) ? item.value : unknownValue(`column ${name} is renamed by an alias list`),
    };
  });
  return [...renamed, ...output.slice(Math.min(names.length, placed))];
}

function firstDefined<T, R>(list: readonly T[], f: (item: T) => R | undefined): R | undefined {
  for (const item of list) {
    const result = f(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
