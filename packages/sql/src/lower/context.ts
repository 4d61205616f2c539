import type {
  Known,
  Operation,
  OutputColumn,
  Predicate,
  Span,
  TableName,
  Target,
  TargetRef,
  Value,
  Writes,
} from '@tenant-lint/model';
import type { Source } from './scope.js';

/** A target while its statement is being lowered: conditions are added as the levels around it are understood. */
export interface Draft {
  readonly ref: TargetRef;
  readonly table: Known<TableName>;
  readonly alias?: string;
  readonly role: Target['role'];
  readonly operation: Operation;
  writes?: Writes;
  updates?: Writes;
  conflict?: readonly string[];
  conflictConstraint?: string;
  cardinality: 'one' | 'many';
  columns?: readonly string[];
  /** The rows that INSERT ... SELECT copies into it. */
  copied?: readonly OutputItem[];
  readonly span: Span;
  readonly conditions: Predicate[];
  /** What `predicate` says where there are no conditions. */
  readonly vacuous: string;
  /** For each union this target's row passes through: in which arm it is. */
  readonly arms: Map<TargetRef, number>;
}

/** One condition of an AND, with the targets of the sub-queries inside it. */
export interface Conjunct {
  readonly predicate: Predicate;
  readonly subs: readonly Draft[];
}

/** An output column, or all columns of some sources. */
export type OutputItem = { readonly name: string; readonly value: Value } | { readonly star: readonly Source[] };

/** An arm of UNION, INTERSECT or EXCEPT. The right side of EXCEPT adds no rows: `adds` is false. */
export interface Arm {
  readonly output: readonly OutputItem[];
  readonly exposed: readonly Conjunct[];
  readonly drafts: readonly Draft[];
  readonly adds: boolean;
}

/**
 * What the lowering of one statement (or of one policy expression) shares. It is filled as it goes: reference numbers, unions, and the
 * targets of sub-queries met in the expression at hand.
 */
export interface Context {
  readonly file: string;
  readonly library: string;
  /** The text that node positions refer to, where it is known: then spans get their true end. */
  readonly text: string | undefined;
  /** Byte position of a node to the offset in `text`. */
  readonly offset: (byteLocation: number) => number;
  /** Offset in `text` to offset in the file. */
  readonly place: (offset: number) => number;
  targets: number;
  subs: Draft[];
  readonly unions: Map<TargetRef, readonly Arm[]>;
}

/** More targets in one statement than this are not looked at: references to common table expressions can multiply. */
export const maxTargets = 400;

export const newContext = (
  options: Pick<Context, 'file' | 'library' | 'text' | 'offset'> & Partial<Pick<Context, 'place'>>,
): Context => ({ place: (offset) => offset, ...options, targets: 0, subs: [], unions: new Map() });

/** A statement that cannot be lowered as a whole; caught where lowering starts and reported with this reason. */
export class NotLowered extends Error {}

export function newRef(context: Context): TargetRef {
  if (context.targets >= maxTargets) throw new NotLowered(`more than ${maxTargets} tables in one statement`);
  return `t${context.targets++}`;
}

/** Runs `lower` and returns, beside its result, the targets of the sub-queries that it met. */
export function collecting<T>(context: Context, lower: () => T): { result: T; subs: Draft[] } {
  const outer = context.subs;
  context.subs = [];
  try {
    return { result: lower(), subs: context.subs };
  } finally {
    context.subs = outer;
  }
}

export const isStar = (item: OutputItem): item is Extract<OutputItem, { star: unknown }> => 'star' in item;

/** The output for `Access.output`. */
export const outputColumns = (output: readonly OutputItem[]): OutputColumn[] =>
  output.map((item) => (isStar(item) ? { star: item.star.flatMap((s) => s.through) } : item));
