import {
  propertyOf,
  unknownValue,
  type CallChain,
  type ColumnDefinition,
  type ConstraintDefinition,
  type Entry,
  type LinkContext,
  type ReferenceAction,
  type Span,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { declarationOf, textOf, type DeclaredTable } from './declared.js';
import { callOf, chainOf } from './names.js';

/** A declared column and the constraints that are written at it. */
export interface DeclaredColumn {
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly constraints: readonly ConstraintDefinition[];
}

/** Column builders whose Postgres type is not their own name in lower case. */
const types: Readonly<Record<string, string>> = {
  varchar: 'character varying',
  char: 'character',
  int: 'integer',
  serial: 'integer',
  bigserial: 'bigint',
  smallserial: 'smallint',
  doublePrecision: 'double precision',
  timestamp: 'timestamp without time zone',
  time: 'time without time zone',
  decimal: 'numeric',
  bool: 'boolean',
};
const serials = new Set(['serial', 'bigserial', 'smallserial']);

/** The columns of a declared table, spreads of shared columns included, in order. */
export function readColumns(table: DeclaredTable, context: LinkContext): readonly DeclaredColumn[] {
  const columns = new Map<string, DeclaredColumn>();
  for (const { property, chain, span } of columnChains(table, context))
    columns.set(property, readColumn(property, chain, span, context));
  return [...columns.values()];
}

/** The database name of a declared column, without reading more than its name. */
export function columnNameIn(table: DeclaredTable, property: string, context: LinkContext): string {
  const found = columnChains(table, context).find((c) => c.property === property);
  return found ? nameOf(property, callOf(found.chain).steps, context) : property;
}

interface ColumnChain {
  readonly property: string;
  readonly chain: CallChain;
  readonly span: Span;
}

function columnChains(table: DeclaredTable, context: LinkContext): readonly ColumnChain[] {
  const given = table.columns;
  const value = given?.kind === 'function' ? context.function(given.function)?.returns[0]?.value : given;
  return value ? chainsIn(value, table.chain.span, context, 0) : [];
}

function chainsIn(value: Value, span: Span, context: LinkContext, depth: number): readonly ColumnChain[] {
  const resolved = value.kind === 'object' ? value : context.resolve(value);
  if (resolved.kind !== 'object' || depth > 6) return [];
  return resolved.entries.flatMap((entry: Entry): readonly ColumnChain[] => {
    if ('spread' in entry) return chainsIn(entry.spread, span, context, depth + 1);
    if (!('set' in entry)) return [];
    const chain = chainOf(entry.value, context) ?? directChain(entry.value, context);
    return chain ? [{ property: entry.set, chain, span: entry.span ?? chain.span }] : [];
  });
}

const directChain = (value: Value, context: LinkContext): CallChain | undefined =>
  value.kind === 'result' ? context.chain(value.chain) : undefined;

/** The builder's own name: `uuid('id')`, `t.uuid('id')`, `pg.uuid('id')`. */
function builderOf(chain: CallChain): { name: string; step: Step | undefined; rest: readonly Step[] } {
  const { base, steps } = callOf(chain);
  const at = steps.findIndex((s) => s.arguments !== undefined);
  const names = steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const name =
    names.at(-1) ??
    (base.kind === 'import' || base.kind === 'binding' ? base.name : base.kind === 'parameter' ? '' : '');
  return { name, step: steps[at], rest: steps.slice(at + 1) };
}

const nameOf = (property: string, steps: readonly Step[], context: LinkContext): string => {
  const first = steps.find((s) => s.arguments !== undefined)?.arguments?.[0];
  return (
    (first?.kind === 'constant' && typeof first.value === 'string'
      ? first.value
      : first?.kind === 'text'
        ? textOf(first, context)
        : undefined) ?? property
  );
};

/** Steps by which the database counts the value up: Postgres' identities, MySQL's and SQLite's increments. */
const numbersItself = (step: Step): boolean => {
  if (['generatedAlwaysAsIdentity', 'generatedByDefaultAsIdentity', 'autoincrement'].includes(step.name)) return true;
  const options = step.name === 'primaryKey' ? step.arguments?.[0] : undefined;
  const increment = options && propertyOf(options, 'autoIncrement');
  return increment?.kind === 'constant' && increment.value === true;
};

function readColumn(property: string, chain: CallChain, span: Span, context: LinkContext): DeclaredColumn {
  const { name: builder, step, rest } = builderOf(chain);
  const name = nameOf(property, callOf(chain).steps, context);
  const has = (method: string): Step | undefined => rest.find((s) => s.name === method && s.arguments);
  const primary = has('primaryKey');
  const generated = rest.find((s) => s.name.startsWith('generatedAlwaysAs') && s.name !== 'generatedAlwaysAsIdentity');
  const identity = rest.some(numbersItself);
  const defaultValue = defaultOf(rest, builder);
  const definition: ColumnDefinition = {
    name,
    type: typeOf(builder, step, chain, rest, context),
    notNull: primary !== undefined || has('notNull') !== undefined || serials.has(builder) || identity,
    ...(defaultValue ? { default: defaultValue } : {}),
    ...(generated ? { generated: true } : {}),
    ...(identity ? { identity: true } : {}),
    ...(property === name ? {} : { property }),
    span,
  };
  const constraints: ConstraintDefinition[] = [];
  if (primary) constraints.push({ kind: 'primary key', columns: [name], span: primary.span });
  const unique = has('unique');
  if (unique) {
    const label = unique.arguments?.[0];
    const options = unique.arguments?.[1];
    const nulls =
      options?.kind === 'object' &&
      options.entries.some(
        (e) => 'set' in e && e.set === 'nulls' && e.value.kind === 'constant' && e.value.value === 'not distinct',
      );
    constraints.push({
      kind: 'unique',
      ...(label?.kind === 'constant' ? { name: String(label.value) } : {}),
      columns: [name],
      ...(nulls ? { nullsNotDistinct: true } : {}),
      span: unique.span,
    });
  }
  const references = has('references');
  const foreign = references && foreignKey([name], references, context);
  if (foreign) constraints.push(foreign);
  return { property, definition, constraints };
}

/** `.references(() => table.column, { onDelete })`. */
function foreignKey(columns: readonly string[], step: Step, context: LinkContext): ConstraintDefinition | undefined {
  const [target, options] = step.arguments ?? [];
  const value = target?.kind === 'function' ? context.function(target.function)?.returns[0]?.value : target;
  const found = value && declarationOf(value, context);
  if (!found?.property) return undefined;
  return {
    kind: 'foreign key',
    columns,
    references: found.name,
    referencedColumns: [columnNameIn(found.table, found.property, context)],
    ...actions(options),
    span: step.span,
  };
}

const referenceActions = new Set(['no action', 'restrict', 'cascade', 'set null', 'set default']);

/** `{ onDelete, onUpdate }` of a reference. */
export function actions(value: Value | undefined): { onDelete?: ReferenceAction; onUpdate?: ReferenceAction } {
  const result: { onDelete?: ReferenceAction; onUpdate?: ReferenceAction } = {};
  if (value?.kind !== 'object') return result;
  for (const entry of value.entries) {
    if (!('set' in entry) || entry.value.kind !== 'constant' || !referenceActions.has(String(entry.value.value)))
      continue;
    if (entry.set === 'onDelete' || entry.set === 'onUpdate') result[entry.set] = entry.value.value as ReferenceAction;
  }
  return result;
}

/** Only defaults of the database: what `$default` and `$defaultFn` make never reaches the schema. */
function defaultOf(rest: readonly Step[], builder: string): Value | undefined {
  const step = rest.find(
    (s) => s.arguments && (s.name === 'default' || s.name === 'defaultNow' || s.name === 'defaultRandom'),
  );
  if (!step) return serials.has(builder) ? { kind: 'apply', function: 'nextval', to: [] } : undefined;
  if (step.name === 'defaultNow') return { kind: 'apply', function: 'now', to: [] };
  if (step.name === 'defaultRandom') return { kind: 'apply', function: 'gen_random_uuid', to: [] };
  const [value] = step.arguments ?? [];
  if (!value) return undefined;
  return value.kind === 'constant'
    ? { kind: 'constant', value: value.value }
    : value.kind === 'result'
      ? unknownValue('an SQL default')
      : value;
}

function typeOf(
  builder: string,
  step: Step | undefined,
  chain: CallChain,
  rest: readonly Step[],
  context: LinkContext,
): string {
  const options = step?.arguments?.find((a) => a.kind === 'object');
  const option = (name: string): Value | undefined => {
    const entry = options?.kind === 'object' ? options.entries.find((e) => 'set' in e && e.set === name) : undefined;
    return entry && 'set' in entry ? entry.value : undefined;
  };
  const length = option('length');
  const array = rest.some((s) => s.name === 'array') ? '[]' : '';
  if (length?.kind === 'constant' && (builder === 'varchar' || builder === 'char'))
    return `${types[builder]!}(${String(length.value)})${array}`;
  const zone = option('withTimezone');
  if (builder === 'timestamp' && zone?.kind === 'constant' && zone.value === true)
    return `timestamp with time zone${array}`;
  const known = types[builder];
  if (known !== undefined) return `${known}${array}`;
  // An enum or custom type: what made the builder says its name.
  const { base } = callOf(chain);
  const maker = chain.steps[0]?.name === '' ? chainOf(base, context) : undefined;
  const first = maker?.steps[0]?.arguments?.[0];
  if (first?.kind === 'constant' && typeof first.value === 'string') return `${first.value}${array}`;
  return `${builder.toLowerCase()}${array}`;
}
