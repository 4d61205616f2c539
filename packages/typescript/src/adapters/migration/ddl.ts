import type { Span } from '@tenant-lint/model';
import { joined, piece, quoted, type Piece } from './pieces.js';

/** A reference as SQL: quoted names. */
export interface ReferenceSql {
  readonly table: string;
  readonly columns: readonly string[];
  readonly onDelete?: string | undefined;
  readonly onUpdate?: string | undefined;
  readonly name?: string | undefined;
}

/** A column as SQL, as far as libraries write it in place. Expressions are SQL text with places. */
export interface ColumnSql {
  readonly name: string;
  readonly type: string;
  readonly notNull?: boolean | undefined;
  readonly default?: readonly Piece[] | undefined;
  readonly primary?: boolean | undefined;
  readonly unique?: boolean | string | undefined;
  readonly check?: readonly Piece[] | undefined;
  /** GENERATED ALWAYS AS (...) STORED. */
  readonly generated?: readonly Piece[] | undefined;
  /** GENERATED ... AS IDENTITY. */
  readonly identity?: 'always' | 'by default' | undefined;
  readonly references?: ReferenceSql | undefined;
  readonly span: Span;
}

export const names = (columns: readonly string[]): string => columns.map(quoted).join(', ');

const constraintName = (name: string | undefined): string => (name === undefined ? '' : `CONSTRAINT ${quoted(name)} `);

const actions = ({ onDelete, onUpdate }: ReferenceSql): string =>
  (onDelete === undefined ? '' : ` ON DELETE ${onDelete}`) + (onUpdate === undefined ? '' : ` ON UPDATE ${onUpdate}`);

const target = (to: ReferenceSql): string =>
  `REFERENCES ${to.table}${to.columns.length > 0 ? ` (${names(to.columns)})` : ''}${actions(to)}`;

/** The definition of a column, for CREATE TABLE and ADD COLUMN. */
export function columnSql(column: ColumnSql): readonly Piece[] {
  const { span } = column;
  const text = (t: string): Piece => piece(t, span);
  return [
    text(`${quoted(column.name)} ${column.type}`),
    ...(column.generated ? [text(' GENERATED ALWAYS AS ('), ...column.generated, text(') STORED')] : []),
    ...(column.identity ? [text(` GENERATED ${column.identity.toUpperCase()} AS IDENTITY`)] : []),
    ...(column.default ? [text(' DEFAULT '), ...column.default] : []),
    text(column.notNull ? ' NOT NULL' : ''),
    text(column.primary ? ' PRIMARY KEY' : ''),
    text(
      column.unique === undefined || column.unique === false
        ? ''
        : ` ${constraintName(column.unique === true ? undefined : column.unique)}UNIQUE`,
    ),
    ...(column.check ? [text(' CHECK ('), ...column.check, text(')')] : []),
    text(column.references ? ` ${constraintName(column.references.name)}${target(column.references)}` : ''),
  ];
}

export const keySql = (
  kind: 'PRIMARY KEY' | 'UNIQUE' | 'UNIQUE NULLS NOT DISTINCT',
  columns: readonly string[],
  name: string | undefined,
  span: Span,
): readonly Piece[] => [piece(`${constraintName(name)}${kind} (${names(columns)})`, span)];

export const foreignKeySql = (columns: readonly string[], to: ReferenceSql, span: Span): readonly Piece[] => [
  piece(`${constraintName(to.name)}FOREIGN KEY (${names(columns)}) ${target(to)}`, span),
];

export const checkSql = (condition: readonly Piece[], name: string | undefined, span: Span): readonly Piece[] => [
  piece(`${constraintName(name)}CHECK (`, span),
  ...condition,
  piece(')', span),
];

/** CREATE TABLE with its columns and constraints. */
export const createTableSql = (
  table: string,
  parts: readonly (readonly Piece[])[],
  options: { readonly ifNotExists?: boolean; readonly temporary?: boolean; readonly end?: readonly Piece[] },
  span: Span,
): readonly Piece[] => [
  piece(
    `CREATE ${options.temporary ? 'TEMPORARY ' : ''}TABLE ${options.ifNotExists ? 'IF NOT EXISTS ' : ''}${table} (`,
    span,
  ),
  ...joined(parts, ', ', span),
  piece(')', span),
  ...(options.end ?? []),
  piece(' ', span),
];

/** ALTER TABLE with one action. */
export const alterTableSql = (table: string, action: readonly Piece[] | string, span: Span): readonly Piece[] => [
  piece(`ALTER TABLE ${table} `, span),
  ...(typeof action === 'string' ? [piece(action, span)] : action),
];

export interface IndexSql {
  readonly name?: string | undefined;
  readonly unique?: boolean | undefined;
  readonly concurrently?: boolean | undefined;
  readonly ifNotExists?: boolean | undefined;
  readonly method?: string | undefined;
  /** Columns are quoted, expressions in parentheses. */
  readonly keys: readonly string[];
  readonly include?: readonly string[] | undefined;
  readonly nullsNotDistinct?: boolean | undefined;
  readonly where?: readonly Piece[] | undefined;
}

export const createIndexSql = (table: string, index: IndexSql, span: Span): readonly Piece[] => [
  piece(
    `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${index.concurrently ? 'CONCURRENTLY ' : ''}` +
      `${index.ifNotExists && index.name !== undefined ? 'IF NOT EXISTS ' : ''}` +
      `${index.name === undefined ? '' : `${quoted(index.name)} `}ON ${table}` +
      `${index.method === undefined ? '' : ` USING ${index.method}`} (${index.keys.join(', ')})` +
      `${index.include && index.include.length > 0 ? ` INCLUDE (${names(index.include)})` : ''}` +
      `${index.nullsNotDistinct ? ' NULLS NOT DISTINCT' : ''}`,
    span,
  ),
  ...(index.where ? [piece(' WHERE ', span), ...index.where] : []),
];
