import {
  and,
  equal,
  never,
  propertyOf,
  unknownValue,
  type Access,
  type CallChain,
  type Client,
  type Entry,
  type LowerContext,
  type Lowered,
  type Operation,
  type Predicate,
  type Step,
  type TableName,
  type Target,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import { lowerSqlText } from '../sql-text.js';
import { operations, partOf, type Made, type RequestStep } from './builder.js';
import { flatten, markedText } from './chain.js';
import { clientOfSteps, type Provenance } from './client.js';
import { conflictColumns, reach, type Request } from './embed.js';
import { filterMethods, readFilters, type Filter } from './filters.js';
import { onTheirPaths } from './paths.js';
import { parseSelect, type Selection } from './select.js';
import { openWrites } from '../writes.js';

/** Parts of a client that reach no table by themselves. */
const apart = new Set(['auth', 'storage', 'functions', 'channel', 'removeChannel', 'removeAllChannels', 'realtime']);

/** Lowers a request to PostgREST; see Adapter. Never throws. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const part = partOf(chain, context);
  if (part === undefined) {
    const { base, steps } = flatten(chain);
    const at = steps.findIndex((s) => apart.has(s.name));
    return at >= 0 && clientOfSteps(base, steps.slice(0, at), context) ? 'no access' : 'not mine';
  }
  if (part === 'part') return 'no access';
  const found = clientOfSteps(part.base, part.before, context);
  if (part.start.name === 'rpc') return found ? rpc(chain, part, found, context) : 'not mine';
  return request(chain, part, found, context);
}

const constantOf = (value: Value | undefined, context: LowerContext): string | undefined => {
  const resolved = value && (value.kind === 'constant' ? value : context.resolve(value));
  return resolved?.kind === 'constant' && typeof resolved.value === 'string' ? resolved.value : undefined;
};

const clientIn = (made: Made, found: Provenance | undefined): Client => ({
  receiver: made.before.some((s) => s.arguments)
    ? made.base
    : made.before.map((s) => s.name).reduce<Value>(propertyOf, made.base),
  kind: found?.kind ?? 'unknown',
  ...(found?.policies ? { policies: found.policies } : found ? {} : { policies: 'perhaps' as const }),
});

function request(chain: CallChain, made: Made, found: Provenance | undefined, context: LowerContext): Lowered {
  const at = made.steps.findIndex((s) => operations.has(s.name) && s.arguments);
  const operation = made.steps[at];
  if (!operation) return found ? 'no access' : 'not mine';
  const schema = found?.schema ?? schemaStep(made.before, context);
  const given = constantOf(made.start.arguments?.[0], context);
  if (given === undefined)
    return found ? { unknown: 'the table is chosen at run time', span: made.start.span } : 'not mine';
  const name: TableName = { by: 'sql', ...(schema === undefined ? {} : { schema }), name: given };
  const table = context.table(name);
  // Words alone are no proof; with a table of the schema, and nothing that other builders have, they are.
  if (!found && (!table || !made.steps.every(isOwnStep))) return 'not mine';
  let refs = 0;
  const wanted: Request = { context, schema, span: chain.span, next: () => `t${String(refs++)}` };
  const ref = wanted.next();
  const unchecked: { reason: string; span: Step['span'] }[] = [];
  const selection = selectionOf(made.steps, operation, context, unchecked);
  const { filters, interpolations, unchecked: unread } = conditions(made.steps.slice(at + 1), context);
  const reached = reach({ ref, table }, selection, filters, wanted);
  const condition = made.open
    ? and(reached.condition, {
        kind: 'unknown',
        reason: 'the query is handed to code that may add a condition',
        span: chain.span,
      })
    : reached.condition;
  const rows = (of: Omit<Target, 'ref' | 'table' | 'role' | 'span' | 'columns'>): Target => ({
    ref,
    table: { known: true, value: name },
    role: 'root',
    ...of,
    ...columnsOf(selection, operation, made.steps, context),
    span: operation.span,
  });
  const targets = rootTargets(operation, condition, rows, table && conflictColumns(table), wanted, context);
  const access: Access = {
    id: chain.id,
    library: 'supabase',
    method: operation.name,
    operation: targets[0]?.operation ?? 'read',
    targets: [...targets, ...reached.targets],
    client: clientIn(made, found),
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(interpolations.length > 0 ? { interpolations } : {}),
    ...(unchecked.length + unread.length > 0 ? { unchecked: [...unchecked, ...unread] } : {}),
  };
  return { accesses: [access] };
}

const isOwnStep = (s: Step): boolean =>
  filterMethods.has(s.name) ||
  operations.has(s.name) ||
  /^(?:order|limit|range|single|maybeSingle|csv|explain|returns|overrideTypes|abortSignal|throwOnError|then|catch|finally|retry|maxAffected)$/.test(
    s.name,
  ) ||
  s.arguments === undefined;

function schemaStep(before: readonly Step[], context: LowerContext): string | undefined {
  return constantOf(before.findLast((s) => s.name === 'schema' && s.arguments)?.arguments?.[0], context);
}

/** Filters of all steps; those that only some paths add hold on these paths. */
function conditions(steps: readonly RequestStep[], context: LowerContext): ReturnType<typeof readFilters> {
  const all = steps.map((step) => ({ when: step.when, ...readFilters([step], context) }));
  const groups: { when: Value | undefined; filters: Filter[] }[] = [];
  for (const { when, filters } of all) {
    const last = groups.at(-1);
    if (last && JSON.stringify(last.when) === JSON.stringify(when)) last.filters.push(...filters);
    else if (filters.length > 0) groups.push({ when, filters: [...filters] });
  }
  return {
    filters: onTheirPaths(groups, context),
    interpolations: all.flatMap((a) => a.interpolations),
    unchecked: all.flatMap((a) => a.unchecked),
  };
}

function selectionOf(
  steps: readonly RequestStep[],
  operation: Step,
  context: LowerContext,
  unchecked: { reason: string; span: Step['span'] }[],
): Selection {
  const step = steps.findLast((s) => s.name === 'select' && s.arguments);
  const none: Selection = { columns: operation.name === 'select' ? undefined : [], embeds: [] };
  const [given] = step?.arguments ?? [];
  if (!step) return none;
  if (!given || given.kind === 'undefined') return { columns: undefined, embeds: [] };
  const marked = markedText(given, context);
  const parsed = marked && parseSelect(marked.text.replace(/\uE000\d+\uE001/g, '_'));
  if (!parsed || (marked && marked.holes.length > 0)) {
    unchecked.push({ reason: 'what the select embeds was not found', span: step.span });
    return { columns: undefined, embeds: parsed?.embeds ?? [] };
  }
  return parsed;
}

/** Columns that come back; `head: true` asks for the number of rows alone. */
function columnsOf(
  selection: Selection,
  operation: Step,
  steps: readonly RequestStep[],
  context: LowerContext,
): { columns?: readonly string[] } {
  const options = steps.findLast((s) => s.name === 'select')?.arguments?.[1];
  const head = options && context.resolve(propertyOf(context.resolve(options), 'head'));
  if (head?.kind === 'constant' && head.value === true) return { columns: [] };
  return selection.columns ? { columns: selection.columns } : {};
}

type MakeRows = (of: Omit<Target, 'ref' | 'table' | 'role' | 'span' | 'columns'>) => Target;

function rootTargets(
  operation: Step,
  condition: Predicate,
  rows: MakeRows,
  key: readonly string[] | undefined,
  wanted: Request,
  context: LowerContext,
): readonly Target[] {
  const [values, options] = operation.arguments ?? [];
  const simple = (kind: Operation): Target[] => [rows({ operation: kind, predicate: condition, cardinality: 'many' })];
  if (operation.name === 'select') return simple('read');
  if (operation.name === 'delete') return simple('delete');
  if (operation.name === 'update')
    return [
      rows({ operation: 'update', predicate: condition, cardinality: 'many', writes: writesOf(values, context) }),
    ];
  const items = rowsIn(values, context);
  const own = options && (options.kind === 'object' ? options : context.resolve(options));
  const ignores = own && context.resolve(propertyOf(own, 'ignoreDuplicates'));
  const isUpsert = operation.name === 'upsert' && !(ignores?.kind === 'constant' && ignores.value === true);
  return items.map((item, i): Target => {
    const writes = writesOf(item, context);
    const cardinality = items.length > 1 ? 'one' : 'many';
    if (!isUpsert) return numbered(rows({ operation: 'create', predicate: never, cardinality, writes }), i, wanted);
    const named = own && constantOf(propertyOf(own, 'onConflict'), context);
    const columns = named === undefined ? key : named.split(',').map((c) => c.trim());
    const target = numbered(
      rows({
        operation: 'upsert',
        predicate: never,
        cardinality,
        writes,
        updates: writes,
        ...(columns ? { conflict: columns } : {}),
      }),
      i,
      wanted,
    );
    const predicate: Predicate = columns
      ? and(
          ...columns.map((column) =>
            equal(
              { kind: 'column', target: target.ref, column },
              writes.set[column] ?? unknownValue(`value of ${column} in the new row`),
            ),
          ),
        )
      : { kind: 'unknown', reason: 'conflict on an unknown key' };
    return { ...target, predicate };
  });
}

const numbered = (target: Target, i: number, wanted: Request): Target =>
  i === 0 ? target : { ...target, ref: wanted.next() };

/** The rows of an insert: one object, or those of a list; a list that is not seen is one row of which little is known. */
function rowsIn(values: Value | undefined, context: LowerContext): readonly (Value | undefined)[] {
  const resolved = values && (values.kind === 'list' || values.kind === 'object' ? values : context.resolve(values));
  if (resolved?.kind === 'list')
    return resolved.of.length > 0 ? resolved.of.map((i) => (i.spread ? undefined : i.value)) : [undefined];
  const chain = resolved?.kind === 'result' && resolved.path.length === 0 ? context.chain(resolved.chain) : undefined;
  const last = chain?.steps.at(-1);
  const mapped = last?.name === 'map' ? last.arguments?.[0] : undefined;
  if (mapped?.kind === 'function') return (context.function(mapped.function)?.returns ?? []).map((r) => r.value);
  return [resolved];
}

function writesOf(row: Value | undefined, context: LowerContext): Writes {
  const object = row && (row.kind === 'object' ? row : context.resolve(row));
  if (object?.kind !== 'object') return { set: {}, open: true, ...(row ? openWrites(row) : {}) };
  const set: Record<string, Value> = {};
  const rest: Value[] = [];
  let after = new Set<string>();
  let open = false;
  const put = (entries: readonly Entry[], maybe: boolean): void => {
    for (const entry of entries) {
      if ('set' in entry) {
        const value = entry.value;
        if (!maybe && !entry.maybe) after.add(entry.set);
        set[entry.set] =
          maybe || entry.maybe ? { kind: 'choice', of: [value, set[entry.set] ?? { kind: 'undefined' }] } : value;
      } else if ('computed' in entry) open = true;
      else {
        const inner = entry.spread.kind === 'object' ? entry.spread : context.resolve(entry.spread);
        if (inner.kind === 'object') put(inner.entries, maybe || entry.maybe === true);
        else if (inner.kind !== 'undefined') {
          open = true;
          rest.push(inner);
          after = new Set();
          for (const name of Object.keys(set))
            set[name] = { kind: 'choice', of: [set[name]!, unknownValue('may be replaced by a later spread')] };
        }
      }
    }
  };
  put(object.entries, false);
  return { set, open, ...(rest.length > 0 ? { rest: { of: rest, except: [...after] } } : {}) };
}

/** `rpc(name, args)` is a call of a function of the schema: what SQL would say of it holds. */
function rpc(chain: CallChain, made: Made, found: Provenance, context: LowerContext): Lowered {
  const [name, args] = made.start.arguments ?? [];
  const called = constantOf(name, context);
  if (called === undefined) return { unknown: 'the function is chosen at run time', span: made.start.span };
  const object = args && (args.kind === 'object' ? args : context.resolve(args));
  const names = object?.kind === 'object' ? object.entries.flatMap((e) => ('set' in e ? [e.set] : [])) : [];
  const values = object?.kind === 'object' ? names.map((n) => propertyOf(object, n)) : [];
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const path = [found.schema ?? schemaStep(made.before, context), called].flatMap((p) =>
    p === undefined ? [] : [quote(p)],
  );
  const text = `select * from ${path.join('.')}(${names.map((n, i) => `${quote(n)} => $${String(i + 1)}`).join(', ')})`;
  const lowered = lowerSqlText({ kind: 'constant', value: text }, values, {
    file: chain.span.file,
    library: 'supabase',
    id: chain.id,
    span: chain.span,
    context,
  });
  const accesses = lowered.accesses.map((a): Access => ({
    ...a,
    method: 'rpc',
    client: clientIn(made, found),
    span: chain.span,
    targets: a.targets.map((t) => ({ ...t, span: made.start.span })),
    chain: chain.id,
    function: chain.function,
  }));
  return accesses.length > 0 ? { accesses } : 'no access';
}
