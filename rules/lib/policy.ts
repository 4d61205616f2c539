import type { Command, Model, PolicyLeak } from '@tenant-lint/analysis';
import type { PolicySubject } from '@tenant-lint/engine';
import type { Confidence, Predicate, Related, SchemaFunction, Value } from '@tenant-lint/model';
import { confidences } from '@tenant-lint/model';
import { bareValue, comparisonsIn } from './conditions.js';
import { placeOf, relatedOf } from './evidence.js';
import { grantedLeaks } from './granted.js';
import { keyColumns, tableName } from './naming.js';
import { predicatesIn } from './schema.js';

export type PolicyRule = 'no-fail-open-policy' | 'no-user-controlled-claim' | 'no-leaking-check' | 'no-leaking-policy';

/**
 * Which rule explains a leak of a policy. A condition opens up only if it would hold otherwise: one that never compares the tenant leaks,
 * whatever settings it reads. What WITH CHECK lets in is a defect of WITH CHECK only where there is one of its own: without it Postgres
 * uses USING, and the cause is there.
 */
export function explains(leak: PolicyLeak, keys: readonly string[]): PolicyRule {
  const condition = leak.side === 'check' ? (leak.policy.check ?? leak.policy.using) : leak.policy.using;
  const compares =
    keys.length === 0 || (condition !== undefined && (comparesTenant(condition, keys) || asksForSetting(condition)));
  if (leak.cause === 'fail-open' && compares) return 'no-fail-open-policy';
  if (leak.owedTo !== undefined) return 'no-user-controlled-claim';
  if (leak.excuse !== undefined) return 'no-leaking-policy';
  return leak.side === 'check' && leak.policy.check !== undefined ? 'no-leaking-check' : 'no-leaking-policy';
}

/** Whether a key is compared with something of the session, or handed to a function that may do so. */
function comparesTenant(condition: Predicate, keys: readonly string[]): boolean {
  return [...predicatesIn(condition)].some((part) => {
    switch (part.kind) {
      case 'compare':
        return comparesKey([part.left], [part.right], keys) || comparesKey([part.right], [part.left], keys);
      case 'in':
        return comparesKey([part.left], part.right, keys) || comparesKey(part.right, [part.left], keys);
      case 'value':
        return part.of.kind === 'apply' && holds(part.of, (value) => isKey(value, keys));
      default:
        return false;
    }
  });
}

/** Whether a setting is compared with a constant: `current_setting('app.bypass') = 'on'`, which any session can give itself. */
function asksForSetting(condition: Predicate): boolean {
  for (const { operator, sides } of comparisonsIn(condition)) {
    if (operator !== '=') continue;
    const bare = sides.map(bareValue);
    const constant = bare.some((v) => v.kind === 'constant' && v.value !== null && v.value !== '');
    if (constant && bare.some(isGivenBySetting)) return true;
  }
  return false;
}

/** A setting, as it is or with a default. */
function isGivenBySetting(value: Value): boolean {
  const bare = bareValue(value);
  if (bare.kind === 'apply' && /^(?:nullif|coalesce|lower|upper)$/.test(bare.function))
    return bare.to[0] !== undefined && isGivenBySetting(bare.to[0]);
  return bare.kind === 'setting';
}

const comparesKey = (some: readonly Value[], others: readonly Value[], keys: readonly string[]): boolean =>
  some.some((value) => holds(value, (v) => isKey(v, keys))) && others.some((value) => holds(value, isOfSession));

const isKey = (value: Value, keys: readonly string[]): boolean =>
  value.kind === 'column' && keys.includes(value.column);

// A function without a column may read the session.
const isOfSession = (value: Value): boolean =>
  value.kind === 'setting' || value.kind === 'tenant' || (value.kind === 'apply' && value.to.length === 0);

/** Whether a value is, or is made of, one that `test` accepts. Scalar sub-queries count by what they select. */
function holds(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (value.kind === 'apply') return value.to.some((inner) => holds(inner, test));
  if (value.kind === 'choice') return value.of.some((inner) => holds(inner, test));
  if (value.kind === 'query') return value.query.output.some((inner) => holds(inner, test));
  return value.kind === 'element' || value.kind === 'missing-able' ? holds(value.of, test) : false;
}

/** What one rule says about one policy, all its leaks of that kind together; undefined if there are none. */
export function policyFinding(
  { table, policy }: PolicySubject,
  model: Model,
  rule: PolicyRule,
):
  | {
      readonly data: {
        readonly policy: string;
        readonly table: string;
        readonly key: string;
        readonly done: string;
        readonly witness: string;
      };
      readonly span: PolicySpan;
      readonly related: readonly Related[];
      readonly confidence: Confidence;
      readonly witness: string;
      readonly table: string;
      readonly key: string;
      readonly cause: string;
    }
  | undefined {
  // Policies that are not in force let nothing through: that they are not is the finding of no-dormant-policy.
  if (!table.rowSecurity.enabled) return undefined;
  const leaks = grantedLeaks(model, table).filter((leak) => leak.policy.name === policy.name);
  const keys = keyColumns(model.tenancyOf(table.id));
  const own = leaks.filter((leak) => leak.excuse === undefined && explains(leak, keys) === rule);
  const [worst] = [...own].sort((a, b) => confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence));
  if (worst === undefined) return undefined;
  const shared = worst.through && sharing(worst.through, rule, model);
  if (shared && (shared[0]?.policy !== policy || shared[0].table !== table.id)) return undefined;
  const alikeIn = rule === 'no-fail-open-policy' && !shared ? sameCondition(worst, model) : [];
  const [leader] = alikeIn;
  if (leader && (leader.policy.name !== policy.name || leader.table !== table.id)) return undefined;
  const place =
    shared && worst.through ? placeOf(worst.through.origin) : placeOf(policy.origin, 'the policy is changed here');
  const key = keys.join(' or ');
  const others = shared?.slice(1) ?? [];
  return {
    data: {
      policy: policy.name,
      table:
        tableName(table.id) +
        alike(others.length, worst.through) +
        (alikeIn.length > 1
          ? `, like ${alikeIn.length - 1} other${alikeIn.length > 2 ? 's' : ''} with the same condition,`
          : ''),
      key: key === '' ? 'the row it belongs to' : key,
      done: doneBy(own),
      witness: worst.witness.text,
    },
    span: place.span,
    related: [
      ...(shared
        ? [{ span: policy.origin.created, text: `policy ${policy.name} of ${tableName(table.id)} calls it` }]
        : []),
      ...others.map((o) => ({
        span: o.policy.origin.created,
        text: `policy ${o.policy.name} of ${tableName(o.table)} calls it too`,
      })),
      ...place.related,
      ...relatedOf(worst.because, place.span),
      ...alikeIn.slice(1).map((o) => ({
        span: o.policy.origin.created,
        text: `policy ${o.policy.name} of ${tableName(o.table)} has the same condition`,
      })),
    ],
    confidence: worst.confidence,
    witness: worst.witness.text,
    table: table.id,
    key: shared && worst.through ? `function ${nameOfFunction(worst.through)}` : `${table.id} ${policy.name}`,
    cause:
      shared && worst.through
        ? `function ${nameOfFunction(worst.through)}`
        : causeOf(worst, leaks, leaks.length > own.length),
  };
}

/** A function by its name, with its schema where it was written. */
export const nameOfFunction = (f: SchemaFunction): string =>
  (f.name.schema === undefined ? '' : `${f.name.schema}.`) + f.name.name;

const alike = (count: number, f: SchemaFunction | undefined): string =>
  count === 0 || !f
    ? ''
    : `, like ${count} ${count === 1 ? 'other that calls' : 'others that call'} ${nameOfFunction(f)}(),`;

/** The leaks of all policies that a function is the cause of, first things first; undefined where it is the cause of one policy's alone. */
function sharing(f: SchemaFunction, rule: PolicyRule, model: Model): readonly PolicyLeak[] | undefined {
  const found: PolicyLeak[] = [];
  for (const table of model.schema.tables.values()) {
    const keys = keyColumns(model.tenancyOf(table.id));
    for (const leak of grantedLeaks(model, table)) {
      if (leak.through !== f || leak.excuse !== undefined || explains(leak, keys) !== rule) continue;
      if (!found.some((l) => l.table === leak.table && l.policy.name === leak.policy.name)) found.push(leak);
    }
  }
  found.sort(byPlace);
  return found.length > 1 ? found : undefined;
}

/** What a policy lets through on purpose, as it seems. */
export interface Excused {
  readonly excuse: NonNullable<PolicyLeak['excuse']>;
  readonly first: PolicyLeak;
  /** The other policies of the project that do the same. */
  readonly others: readonly PolicyLeak[];
}

/** The rows of other tenants that a policy seems meant to let through; told once for each reason, at the first policy of the project. */
export function excusedBy({ table, policy }: PolicySubject, model: Model): readonly Excused[] {
  return (['named', 'published', 'open'] as const).flatMap((excuse): readonly Excused[] => {
    const [first, ...others] = excusedLeaks(excuse, model);
    return first?.policy.name === policy.name && first.table === table.id ? [{ excuse, first, others }] : [];
  });
}

function excusedLeaks(excuse: Excused['excuse'], model: Model): readonly PolicyLeak[] {
  const found = new Map<string, PolicyLeak>();
  for (const table of model.schema.tables.values()) {
    if (!table.rowSecurity.enabled) continue;
    const keys = keyColumns(model.tenancyOf(table.id));
    for (const leak of grantedLeaks(model, table))
      if (leak.excuse === excuse && explains(leak, keys) === 'no-leaking-policy')
        found.set(`${leak.table} ${leak.policy.name}`, leak);
  }
  return [...found.values()].sort(byPlace);
}

function byPlace({ policy: { origin: a } }: PolicyLeak, { policy: { origin: b } }: PolicyLeak): number {
  if (a.created.file !== b.created.file) return a.created.file < b.created.file ? -1 : 1;
  return a.created.start - b.created.start;
}

/** The policies that open up by the same condition, first things first: the setting is the cause, and one decision mends them all. */
function sameCondition(leak: PolicyLeak, model: Model): readonly PolicyLeak[] {
  const text = conditionText(leak);
  const found = new Map<string, PolicyLeak>();
  for (const table of model.schema.tables.values()) {
    const keys = keyColumns(model.tenancyOf(table.id));
    for (const other of grantedLeaks(model, table)) {
      if (other.through || explains(other, keys) !== 'no-fail-open-policy' || conditionText(other) !== text) continue;
      found.set(`${other.table} ${other.policy.name}`, other);
    }
  }
  return [...found.values()].sort(byPlace);
}

const conditionText = ({ policy, side, witness }: PolicyLeak): string =>
  JSON.stringify(
    [side === 'check' ? (policy.check ?? policy.using) : policy.using, emptyKey(witness.text)],
    leaveSpans,
  );

/** Whether a leak has its cause in a function, or in a condition that several policies have: it is told once for all of them. */
export function toldOnce(leak: PolicyLeak, model: Model): boolean {
  if (leak.through !== undefined) return true;
  const rule = explains(leak, keyColumns(model.tenancyOf(leak.table)));
  return rule === 'no-fail-open-policy' && sameCondition(leak, model).length > 1;
}

/** Whether the witness is a row with an empty key: it takes a tenant that is called so. */
export const emptyKey = (witness: string): boolean => witness.includes('with an empty tenant');

/** What the rule that explains a leak calls its cause. */
export function causeOfLeak(leak: PolicyLeak, model: Model): string {
  const table = model.schema.tables.get(leak.table);
  const leaks = table ? grantedLeaks(model, table).filter((l) => l.policy.name === leak.policy.name) : [leak];
  const keys = keyColumns(model.tenancyOf(leak.table));
  const rule = explains(leak, keys);
  const own = leaks.filter((l) => explains(l, keys) === rule);
  if (leak.through && sharing(leak.through, rule, model)) return `function ${nameOfFunction(leak.through)}`;
  return causeOf(leak, leaks, leaks.length > own.length);
}

/**
 * What one leak of a policy is called among rules, so that the most specific one reports it. `apart`: the policy has further leaks that
 * another rule explains.
 */
const causeOf = (leak: PolicyLeak, leaks: readonly PolicyLeak[], apart: boolean): string =>
  `policy ${leak.table} ${leak.policy.name} ${apart ? sideOf(leak, leaks) : 'both'}`;

type PolicySpan = PolicySubject['policy']['origin']['created'];

/** USING and WITH CHECK are two causes unless they say the same; a setting that opens both is one. */
function sideOf(leak: PolicyLeak, leaks: readonly PolicyLeak[]): string {
  const { using, check } = leak.policy;
  const same = check === undefined || JSON.stringify(using, leaveSpans) === JSON.stringify(check, leaveSpans);
  return same || leaks.some((l) => l.cause === 'fail-open') ? 'both' : leak.side;
}

const leaveSpans = (key: string, value: unknown): unknown => (key === 'span' ? undefined : value);

const participles: Readonly<Record<Command, string>> = {
  select: 'read',
  insert: 'added',
  update: 'changed',
  delete: 'deleted',
};

function doneBy(leaks: readonly PolicyLeak[]): string {
  const order: readonly Command[] = ['select', 'insert', 'update', 'delete'];
  const words = order.filter((c) => leaks.some((leak) => leak.commands.includes(c))).map((c) => participles[c]);
  const last = words.at(-1) ?? 'reached';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${last}` : last;
}
