import type {
  LostCondition,
  LowerContext,
  Predicate,
  Span,
  Table,
  TableName,
  TargetRef,
  Value,
} from '@tenant-lint/model';

/** The state of lowering one chain: what to ask, and what was met that could not be understood. */
export interface Lowering {
  readonly context: LowerContext;
  readonly file: string;
  /** The place of the operation, for values that carry none. */
  readonly span: Span;
  /** The client throws on undefined instead of dropping the filter. */
  readonly strict: boolean;
  /** What the library does with a filter whose value is undefined, where it is not Prisma. */
  readonly dropped?: string;
  readonly unchecked: { reason: string; span: Span }[];
  /** Conditions that were written and may not count. */
  readonly lost: LostCondition[];
  /** A name for the next target. */
  target(): TargetRef;
  /** Runs `inside` one level deeper; `bottom` where values are nested without end. */
  deeper<T>(bottom: () => T, inside: () => T): T;
}

const maxDepth = 60;

export function newLowering(context: LowerContext, span: Span): Lowering {
  let targets = 0;
  let depth = 0;
  return {
    context,
    file: span.file,
    span,
    strict: context.options['strictUndefinedChecks'] === true,
    unchecked: [],
    lost: [],
    target: () => `t${targets++}`,
    deeper(bottom, inside) {
      if (depth >= maxDepth) return bottom();
      depth++;
      try {
        return inside();
      } finally {
        depth--;
      }
    },
  };
}

/** A model as the operation sees it. Without `table` the schema does not know it. */
export interface Model {
  readonly name: TableName;
  readonly table?: Table;
}

/** Rows of a model in one place of an access. */
export interface Rows extends Model {
  readonly ref: TargetRef;
}

export function modelNamed(name: TableName, l: Lowering): Model {
  const table = l.context.table(name);
  return table ? { name, table } : { name };
}

/** The database column behind a field; undefined where the schema knows the model but no such column. */
export function knownColumn(model: Model, field: string): string | undefined {
  const columns = model.table?.columns;
  if (!columns) return undefined;
  for (const column of columns.values()) if (column.property === field) return column.name;
  return columns.has(field) ? field : undefined;
}

/** As knownColumn; what is not known keeps its name. */
export const columnNamed = (model: Model, field: string): string => knownColumn(model, field) ?? field;

export const spanOf = (value: Value, fallback: Span): Span => ('span' in value && value.span ? value.span : fallback);

export const unknownCondition = (reason: string, span?: Span, from?: Value): Predicate => ({
  kind: 'unknown',
  reason,
  ...(from ? { from } : {}),
  ...(span ? { span } : {}),
});

/** What a value is, for a message: "a parameter of the function". */
export function describe(value: Value): string {
  switch (value.kind) {
    case 'unknown':
      return value.reason;
    case 'parameter':
      return 'a parameter of the function';
    case 'result':
      return 'the result of a call that was not followed';
    case 'import':
      return `imported from '${value.module}' and not found there`;
    case 'input':
      return `data of the request (${value.source})`;
    case 'missing-able':
      return describe(value.of);
    default:
      return `a value of kind ${value.kind}`;
  }
}
