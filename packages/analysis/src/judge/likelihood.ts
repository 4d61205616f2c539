import type { Confidence, Predicate, Table, Target, Value } from '@tenant-lint/model';
import { primaryKey, uniqueKeys } from '../fold/index.js';
import type { LinkedAccess } from '../model.js';
import { stripped } from './conditions.js';
import { worst } from './confidence.js';
import type { Ground } from './ground.js';
import { keyColumns, referringColumns } from './keys.js';
import { comesFrom } from './loaded.js';
import { isCredential, isFoundByDigest } from './own.js';
import { isAskedForPresence, refusesPresence } from './presence.js';
import { isPublished } from './publicity.js';
import { pinsOf, wholeCondition, type Pin } from './selection.js';
import type { Derived } from './sources.js';
import { isHeldToCaller, isTiedToOwn } from './tied.js';

/** How sure it is that a foreign row is asked for: by the source of the value that picks the rows, or by who can run the code. */
export function likelihoodOf(
  access: LinkedAccess,
  table: Table,
  target: Target,
  derived: Exclude<Derived, { kind: 'safe' | 'open' }>,
  ground: Ground,
): Confidence {
  const whole = wholeCondition(access, target);
  const pins = pinsOf(whole, target.ref);
  const reached = ground.reachedBy(access);
  const own = derived.kind === 'foreign' ? derived.confidence : 'likely';
  if (reached === 'system' || (reached === 'no request' && own !== 'certain')) return 'possible';
  if (reached === 'public' && target.operation === 'read' && isPublished(table)) return 'possible';
  // Totals over everybody, for whoever comes: no row of anybody is in them, and nobody's tenant is asked for.
  if (reached === 'public' && target.operation === 'read' && derived.kind === 'unpinned' && isTotal(access))
    return 'possible';
  // What is found by a secret belongs to who presents it; a number of rows that is not given away says nothing to anybody.
  if (
    isCredential(target) ||
    isFoundByDigest(target, table, ground.program) ||
    (access.method === 'count' && derived.kind === 'unpinned' && isKept(access, ground))
  )
    return 'possible';
  // Whether a name is taken: nothing of the row goes further than the question whether there is one.
  if (derived.kind === 'unpinned' && isAskedOnly(access, table, target, ground)) return 'possible';
  // Which tenant it is: what a host name, a customer's number or an address stands for is found out by the look-up.
  if (
    derived.kind === 'unpinned' &&
    ground.tenancyOf(table.id).kind === 'root' &&
    asksForOne(access, target, whole, ground)
  )
    return 'possible';
  // Whether it is taken: that a row is there, and nothing else of it, decides, and the row is not asked for by its own key.
  // Where one by its name has to be there, the name is what is authorised by: `if (!project) throw`.
  const isByName = derived.kind === 'unpinned' && !isPickedByKey(pins, table);
  if (target.role === 'root' && (isByName ? isAskedForPresence(access, ground) : refusesPresence(access, ground)))
    return 'possible';
  // Rows that belong to the user who asks: by user and not by tenant.
  if (isHeldToCaller(whole, target.ref, ground, access)) return 'possible';
  // What came with the tenant's own rows, in a column of text or of identifiers that nothing says to refer to them.
  if (asksForOwn(whole, table, target, ground)) return 'possible';
  // Rows that a relation ties to a row of the tenant: as far as who writes the relation keeps them together.
  if (isTiedToOwn(whole, ground)) return 'possible';
  // Rows without an owner are common to all, where the table has such.
  if (ground.hasCommonRows(table)) return derived.kind === 'unpinned' ? 'possible' : worst(own, 'likely');
  // What only finds out whose row one identifier names serves a check elsewhere more often than it leaks.
  return derived.kind === 'foreign' && readsOnlyTheTenant(access, ground) ? worst(own, 'possible') : own;
}

/** Whether a read gives nothing but what is counted or added up over rows. */
function isTotal({ method, output }: LinkedAccess): boolean {
  if (/^(?:count|aggregate|groupBy)$/.test(method)) return true;
  const isAggregate = (v: Value): boolean =>
    v.kind === 'apply' && (aggregates.test(v.function) || (v.to.length > 0 && v.to.some(isAggregate)));
  return (
    output !== undefined &&
    output.some((o) => 'value' in o && isAggregate(o.value)) &&
    output.every((o) => 'value' in o && (o.value.kind === 'apply' || o.value.kind === 'constant'))
  );
}

const aggregates = /^(?:count|sum|avg|min|max)$/i;

/** Whether a read is for one row that a value names: `findFirst({ where: { domain } })`, `select ... where lower(host) = $1 limit 1`. */
function asksForOne(access: LinkedAccess, target: Target, whole: Predicate, ground: Ground): boolean {
  const isOne = target.cardinality === 'one' || oneRow.test(access.method);
  const isRead = access.operation === 'read' && target.role === 'root';
  return isRead && isNamed(whole) && (isOne || takesOne(access, ground));
}

/** Whether of the rows that an access finds no more than the first is used: `.limit(1)`, `executeTakeFirst()`, `const [row] = await ...`. */
function takesOne(access: LinkedAccess, { program }: Ground): boolean {
  const chain = access.chain === undefined ? undefined : program.chain(access.chain);
  if (!chain) return false;
  const isOne = chain.steps.some(({ name, arguments: [count] = [] }) =>
    name === 'limit' ? count?.kind === 'constant' && count.value === 1 : oneRow.test(name),
  );
  const text = chain.steps.flatMap((s) => s.arguments ?? []).find((a) => a.kind === 'text');
  const end = text?.parts.at(-1);
  return isOne || (end !== undefined && 'text' in end && /\blimit\s+1\s*;?\s*$/i.test(end.text));
}

/** Methods of libraries that give one row. */
const oneRow = /^(?:(?:find|select|get|fetch|execute|take|maybe)_?(?:take)?_?)?(?:one|first|unique|single)(?:By|Or|$)/i;

/** Whether a condition names what is looked for by some value, rather than by a state that many rows are in. */
function isNamed(condition: Predicate): boolean {
  if (condition.kind === 'and') return condition.of.some(isNamed);
  if (condition.kind === 'or' || condition.kind === 'either')
    return condition.of.length > 0 && condition.of.every(isNamed);
  const isValue = (v: Value): boolean => v.kind !== 'constant' && v.kind !== 'column' && v.kind !== 'undefined';
  if (condition.kind === 'compare')
    return condition.operator === '=' && (isValue(condition.right) || isValue(condition.left));
  return condition.kind === 'in' && condition.right.some(isValue);
}

/** Whether the rows are picked by the primary key of the table, or by a reference to another row. */
function isPickedByKey(pins: readonly Pin[], table: Table): boolean {
  const keys = new Set([...primaryKey(table), ...referringColumns(table)]);
  return pins.some((pin) => keys.has(pin.column));
}

/** Code that no request leads to, or only requests of the system itself, works for all tenants: jobs, webhooks, scripts. */
export function isForNobody(access: LinkedAccess, ground: Ground): boolean {
  const reached = ground.reachedBy(access);
  return reached === 'system' || reached === 'no request';
}

/** A read of no more than the keys of rows that a condition picks, of which nothing is returned but how a comparison of them ends. */
function isAskedOnly(access: LinkedAccess, table: Table, target: Target, ground: Ground): boolean {
  const keys = new Set(
    uniqueKeys(table)
      .filter((k) => k.length === 1)
      .flat(),
  );
  return (
    access.operation === 'read' &&
    access.targets.length === 1 &&
    target.predicate.kind === 'compare' &&
    target.columns !== undefined &&
    target.columns.length > 0 &&
    target.columns.every((c) => keys.has(c)) &&
    isKept(access, ground)
  );
}

/** Whether what an access gives is only compared or handed on, and never returned. */
function isKept(access: LinkedAccess, ground: Ground): boolean {
  const { program } = ground;
  const { chain, in: f } = access;
  if (chain === undefined || !f) return false;
  const isGiven = (given: Value): boolean => {
    const value = stripped(given);
    const isComparison = value.kind === 'apply' && /^(?:[!=]==?|[<>]=?|!|&&|\|\|)$/.test(value.function);
    return !isComparison && comesFrom(value, chain, program, 3);
  };
  // `res.json({ total })`, `ctx.body = total`: what the handler was given to answer with.
  const isHandedOn = program
    .chainsOf(f.id)
    .some((c) => c.id !== chain && c.receiver.kind === 'parameter' && c.steps.some((s) => s.arguments?.some(isGiven)));
  const stored = program.facts(f.span.file)?.kept ?? [];
  return (
    !isHandedOn &&
    !f.returns.some((r) => isGiven(r.value)) &&
    !stored.some((k) => k.function === f.id && k.of === 'parameter' && isGiven(k.value))
  );
}

/** A read that gives nothing of the row but its key, or what leads to it. */
export function readsOnlyTheTenant(access: LinkedAccess, ground: Ground): boolean {
  if (access.operation !== 'read') return false;
  let named = 0;
  for (const target of access.targets) {
    const table = ground.tableOf(target);
    if (!table || target.columns === undefined) return false;
    const tenancy = ground.tenancyOf(table.id);
    const keys = new Set([...keyColumns(tenancy), ...(tenancy.kind === 'root' ? [tenancy.key] : [])]);
    const identifying = new Set([
      ...keys,
      ...uniqueKeys(table)
        .filter((k) => k.length === 1)
        .flat(),
      ...referringColumns(table),
    ]);
    if (!target.columns.every((c) => identifying.has(c))) return false;
    named += target.columns.filter((c) => keys.has(c)).length;
  }
  return named > 0;
}

/** Whether a column may hold what tells one row from others: an identifier by its name, a path, an address; no number, no state. */
function isNameOf(table: Table, column: string): boolean {
  if (/(?:^|_)ids?$/.test(snake(column))) return true;
  const type = table.columns.get(column)?.type ?? '';
  return /^(?:text|varchar|character varying|citext|uuid|string)\b/i.test(type);
}

/** Whether each way on which a condition can hold asks for what such a column of a row of the tenant said. */
function asksForOwn(condition: Predicate, table: Table, target: Target, ground: Ground): boolean {
  const asks = (p: Predicate): boolean => asksForOwn(p, table, target, ground);
  if (condition.kind === 'and') return condition.of.some(asks);
  if (condition.kind === 'or' || condition.kind === 'either')
    return condition.of.length > 0 && condition.of.every(asks);
  const columnOf = (v: Value): string | undefined => {
    if (v.kind === 'column') return v.target === target.ref ? v.column : undefined;
    return v.kind === 'apply' && v.to.length === 1 ? columnOf(v.to[0]!) : undefined;
  };
  const isIts = (left: Value, right: readonly Value[]): boolean => {
    const column = columnOf(left);
    return column !== undefined && isNameOf(table, column) && right.every((v) => isOfOwnRow(v, ground));
  };
  if (condition.kind === 'in') return condition.right.length > 0 && isIts(condition.left, condition.right);
  if (condition.kind !== 'compare' || condition.operator !== '=') return false;
  return isIts(condition.left, [condition.right]) || isIts(condition.right, [condition.left]);
}

/** Whether a value was read from a row of the tenant, on every way. */
const isOfOwnRow = (value: Value, ground: Ground): boolean =>
  ground.own.isOwn(value) && ground.sourcesOf(value).some((s) => s.kind === 'row' || s.kind === 'trusted');

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
