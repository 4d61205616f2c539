import type { Node } from '@pgsql/types';
import type { Access, Operation, Span } from '@tenant-lint/model';
import { unknownValue } from '@tenant-lint/model';
import { noteExhausted } from '../exhausted.js';
import type { ParsedStatement } from '../parser/index.js';
import type { Context, Draft } from './context.js';
import { NotLowered, newContext, outputColumns } from './context.js';
import { lowerDml } from './dml.js';
import { finishDrafts, noteColumns } from './finish.js';
import { newDraft } from './from.js';
import { findInterpolations } from './interpolations.js';
import { resolveUnionsInValue } from './unions.js';
import type { Parameters, Scope } from './scope.js';
import type { Rows } from './select.js';
import { lowerSelect, noRows } from './select.js';

export interface LowerOptions {
  readonly file: string;
  /** Becomes the access's id. */
  readonly id: string;
  readonly library: string;
  /** Names that are no columns: in the body of a function. */
  readonly parameters?: Parameters;
  /** Offset of the statement's text to offset in the file, where these differ: SQL inside another language. */
  readonly place?: (offset: number) => number;
}

/**
 * A statement that reads or writes rows as an access: SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY, and these inside EXPLAIN,
 * PREPARE or DECLARE CURSOR. `undefined`: another kind of statement. Never throws.
 */
export function lowerStatement(
  statement: ParsedStatement,
  options: LowerOptions,
): Access | { readonly unknown: string } | undefined {
  const { node } = statement;
  if (!node) return undefined;
  const place = options.place ?? ((offset: number): number => offset);
  const context = newContext({
    file: options.file,
    library: options.library,
    text: statement.text,
    offset: (byte) => statement.offset(byte) - statement.start,
    place: (offset) => place(statement.start + offset),
  });
  const span: Span = { file: options.file, start: place(statement.start), end: place(statement.end) };
  try {
    return accessOf(node, context, span, options);
  } catch (error) {
    if (error instanceof NotLowered) return { unknown: error.message };
    if (error instanceof RangeError) {
      noteExhausted();
      return { unknown: 'nested too deeply' };
    }
    throw error;
  }
}

function accessOf(node: Node, context: Context, span: Span, options: LowerOptions): Access | undefined {
  const inner = wrapped(node);
  const scope: Scope = {
    context,
    levels: [],
    ctes: new Map(),
    ...(options.parameters ? { parameters: options.parameters } : {}),
  };
  const lowered = lowerTop(inner, scope);
  if (!lowered) return undefined;
  const { rows, operation, method } = lowered;
  noteColumns(rows.drafts, rows.output, context);
  const interpolations = findInterpolations(inner, context);
  const output = rows.output.length > 0 && operation === 'read' ? outputColumns(rows.output) : [];
  return {
    id: options.id,
    library: options.library,
    method,
    operation,
    targets: finishDrafts(rows.drafts, context),
    client: { receiver: unknownValue('SQL text'), kind: 'plain' },
    span,
    ...(output.length > 0
      ? { output: output.map((o) => ('star' in o ? o : { ...o, value: resolveUnionsInValue(o.value, context) })) }
      : {}),
    ...(interpolations.length > 0 ? { interpolations } : {}),
  };
}

interface Top {
  readonly rows: Rows;
  readonly operation: Operation;
  readonly method: string;
}

function lowerTop(node: Node, scope: Scope): Top | undefined {
  if ('SelectStmt' in node)
    return { rows: lowerSelect(node.SelectStmt, scope, 'root'), operation: 'read', method: 'select' };
  if ('TruncateStmt' in node) {
    const drafts = (node.TruncateStmt.relations ?? []).flatMap((r) =>
      'RangeVar' in r
        ? [{ ...newDraft(scope.context, r.RangeVar, 'root', 'truncate'), vacuous: 'TRUNCATE removes every row' }]
        : [],
    );
    return { rows: { ...noRows, drafts, own: drafts }, operation: 'truncate', method: 'truncate' };
  }
  if ('CopyStmt' in node) {
    const { query, relation, is_from: from } = node.CopyStmt;
    if (query) return lowerTop(query, scope);
    if (!relation) return undefined;
    const draft: Draft = {
      ...newDraft(scope.context, relation, 'root', from ? 'create' : 'read'),
      vacuous: from ? 'a new row' : 'no condition',
    };
    if (from) draft.writes = { set: {}, open: true };
    return { rows: { ...noRows, drafts: [draft], own: [draft] }, operation: draft.operation, method: 'copy' };
  }
  const rows = lowerDml(node, scope, 'root');
  if (!rows) return undefined;
  const method = Object.keys(node)[0]?.replace(/Stmt$/, '').toLowerCase() ?? '';
  const operations = [...new Set(rows.drafts.filter((d) => d.role === 'root').map((d) => d.operation))];
  const [only] = operations;
  return { rows, operation: operations.length === 1 && only ? only : 'upsert', method };
}

/** The statement inside EXPLAIN, PREPARE, DECLARE CURSOR. */
function wrapped(node: Node): Node {
  if ('ExplainStmt' in node && node.ExplainStmt.query) return wrapped(node.ExplainStmt.query);
  if ('PrepareStmt' in node && node.PrepareStmt.query) return wrapped(node.PrepareStmt.query);
  if ('DeclareCursorStmt' in node && node.DeclareCursorStmt.query) return wrapped(node.DeclareCursorStmt.query);
  return node;
}
