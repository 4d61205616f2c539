import type { Span, Value } from '@tenant-lint/model';
import { literalOf, piece, quoted, type Piece } from '../migration/pieces.js';
import { described, type Run } from '../migration/run.js';

/** A name as the library takes it: a text, or `{ schema, name }`. */
export interface Name {
  readonly schema?: string;
  readonly name: string;
}

export function idOf(value: Value | undefined, run: Run): Name | undefined {
  const text = run.text(value);
  if (text !== undefined) return { name: text };
  const name = run.text(run.property(value, 'name'));
  const schema = run.text(run.property(value, 'schema'));
  return name === undefined ? undefined : { name, ...(schema === undefined ? {} : { schema }) };
}

export const literalName = ({ schema, name }: Name): string =>
  (schema === undefined ? '' : `${quoted(schema)}.`) + quoted(name);

/** `pgm.func('now()')`, `PgLiteral.create('...')`, `new PgLiteral('...')`: SQL as it stands. */
export function literalSql(value: Value | undefined, span: Span, run: Run): readonly Piece[] | undefined {
  const found = run.value(value);
  if (found.kind === 'instance') return run.sql(found.arguments[0], span);
  const made = run.made(found);
  const step = made?.steps.find((s) => s.arguments !== undefined);
  return step && (step.name === 'func' || step.name === 'create') ? run.sql(step.arguments?.[0], span) : undefined;
}

/** A value as the library escapes it. */
export function valueSql(value: Value | undefined, span: Span, run: Run): readonly Piece[] {
  const found = run.value(value);
  const literal = literalOf(found);
  if (literal !== undefined) return [piece(literal, span)];
  if (found.kind === 'list' || found.kind === 'object') return [piece(`'{}'`, span)];
  return literalSql(found, span, run) ?? [{ text: '', span, hole: described(found) }];
}

/** SQL text, which the library puts in as it stands. */
export const textSql = (value: Value | undefined, span: Span, run: Run): readonly Piece[] =>
  literalSql(value, span, run) ?? run.sql(value, span);
