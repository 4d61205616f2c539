import type { Policy, Predicate, Table, TableId, Value } from '@tenant-lint/model';
import type { Project } from './project.js';

/** A condition that holds the rows of a table to the current tenant, in the words of the project. */
export interface Condition {
  readonly sql: string;
  /** Where its form was taken from: `like policy own of orders`, `by the setting app.tenant`. */
  readonly from: string;
  /** Whether every row that it lets through is let through by this one too. */
  readonly implies: (other: Predicate) => boolean;
  /** The roles for which the project's policies of this form are; empty: all. */
  readonly roles: readonly string[];
  /** What the project calls such policies. */
  readonly name: string;
}

/** The column that says whose row it is, and the root that it identifies. */
export interface OwnKey {
  readonly column: string;
  readonly root?: TableId | undefined;
}

interface Donor {
  readonly table: Table;
  readonly policy: Policy;
  readonly key: OwnKey;
  readonly text: string;
  readonly using: Predicate;
}

const donorsOf = new WeakMap<Project, readonly Donor[]>();

/**
 * The condition for a table: as the project's own policies that isolate say it, else by the setting that they read. `key`: a key that the table
 * is about to get. Undefined where nothing says who the current tenant is.
 */
export function isolation(project: Project, table: Table, history: string, key?: OwnKey): Condition | undefined {
  const tenancy = project.model.tenancyOf(table.id);
  const own = key ?? ownKey(project, table);
  if (own) return byDonor(project, table, history, own) ?? bySetting(project, table, history, own);
  if (tenancy.kind !== 'child') return undefined;
  // The row belongs to whom the row above it belongs to.
  for (const through of tenancy.through) {
    const parent = project.table(through.to);
    const above = parent && parent.id !== table.id ? isolation(project, parent, history) : undefined;
    if (!parent || !above || /\bselect\b/i.test(above.sql)) continue;
    const names = project.names(history);
    const tied = through.columns.map(
      (c, i) =>
        `${names.table(parent)}.${names.name(through.references[i] ?? c)} = ${names.table(table)}.${names.name(c)}`,
    );
    return {
      ...above,
      sql: `EXISTS (SELECT 1 FROM ${names.table(parent)} WHERE ${tied.join(' AND ')} AND ${names.table(parent)}.${once(above.sql)})`,
      implies: () => false,
    };
  }
  return undefined;
}

/** What reads the session is worked out once for a statement, and not for every row that a sub-query is asked about. */
const once = (sql: string): string =>
  sql.replaceAll(
    /nullif\(current_setting\('(?:[^']|'')*', true\), ''\)|current_setting\('(?:[^']|'')*'(?:, true)?\)/g,
    '(SELECT $&)',
  );

function ownKey(project: Project, table: Table): OwnKey | undefined {
  const tenancy = project.model.tenancyOf(table.id);
  if (tenancy.kind === 'root') return { column: tenancy.key, root: table.id };
  const [first] = project.keys(table);
  return first && { column: first.column, root: first.root };
}

/** Policies that isolate by nothing but the key of their table, those whose form is the most frequent first. */
function donors(project: Project): readonly Donor[] {
  const known = donorsOf.get(project);
  if (known) return known;
  const { model } = project;
  const found: Donor[] = [];
  for (const table of model.schema.tables.values()) {
    const own = ownKey(project, table);
    if (!own || !table.rowSecurity.enabled) continue;
    const leaking = new Set(model.policyLeaks(table).map((l) => l.policy.name));
    const undecided = new Set(model.policyUnknowns(table).map((u) => u.policy.name));
    for (const policy of table.policies) {
      if (!policy.permissive || !policy.using || !policy.usingSpan) continue;
      if (leaking.has(policy.name) || undecided.has(policy.name)) continue;
      if (policy.using.kind !== 'compare' && policy.using.kind !== 'in-query' && policy.using.kind !== 'value')
        continue;
      const columns = selfColumns(policy.using);
      if (columns.length === 0 || columns.some((c) => c !== own.column) || castsColumn(policy.using)) continue;
      const text = project.text(policy.usingSpan);
      if (text !== undefined) found.push({ table, policy, key: own, text, using: policy.using });
    }
  }
  const form = ({ text, key }: Donor): string =>
    text.replaceAll(key.column, '\0').replaceAll(/\s+/g, ' ').toLowerCase();
  const counts = new Map<string, number>();
  for (const d of found) counts.set(form(d), (counts.get(form(d)) ?? 0) + 1);
  found.sort((a, b) => (counts.get(form(b)) ?? 0) - (counts.get(form(a)) ?? 0) || a.text.length - b.text.length);
  donorsOf.set(project, found);
  return found;
}

function byDonor(project: Project, table: Table, history: string, own: OwnKey): Condition | undefined {
  for (const donor of donors(project)) {
    if (donor.table.id === table.id || !isSameTenant(donor, own)) continue;
    if (typeOf(donor.table, donor.key.column) !== typeOf(table, own.column) && table.columns.has(own.column)) continue;
    const sql = retargeted(project, donor, table, history, own);
    if (sql === undefined) continue;
    const setting = settingOf(donor);
    return {
      sql,
      from: `like policy ${donor.policy.name} of ${donor.table.name.name}`,
      implies: (other) =>
        disjuncts(other).some(
          (d) =>
            sameBut(d, own.column) === sameBut(donor.using, donor.key.column) ||
            (setting !== undefined && comparesWith(d, own.column, setting)),
        ),
      roles: donor.policy.roles,
      name: donor.policy.name.replaceAll(donor.table.name.name, table.name.name),
    };
  }
  return undefined;
}

/** A donor that is the root itself says who the tenant is as well as one with a key. */
const isSameTenant = (donor: Donor, own: OwnKey): boolean =>
  donor.key.root === undefined && own.root === undefined
    ? donor.key.column === own.column
    : donor.key.root === own.root;

const typeOf = (table: Table, column: string): string => (table.columns.get(column)?.type ?? '').replace(/\(.*$/, '');

/** The text of a donor for another table; undefined where names inside would mean something else there. */
function retargeted(project: Project, donor: Donor, table: Table, history: string, own: OwnKey): string | undefined {
  const names = project.names(history);
  const { text } = donor;
  if (/--|\/\*/.test(text)) return undefined;
  const source = escaped(donor.table.name.name);
  const key = escaped(donor.key.column);
  const qualified = new RegExp(
    String.raw`(?:"?[\w$]+"?\s*\.\s*)?(?:"${source}"|\b${source}\b)\s*\.\s*(?:"${key}"|\b${key}\b)`,
    'g',
  );
  const target = `${names.table(table)}.${names.name(own.column)}`;
  const named = text.replace(qualified, target);
  if (new RegExp(String.raw`(?:"${source}"|\b${source}\b)\s*\.`).test(named)) return undefined;
  if (donor.key.column === own.column) return named.trim();
  if (/\bselect\b/i.test(named)) return undefined;
  return named.replace(new RegExp(String.raw`"${key}"|\b${key}\b`, 'g'), names.name(own.column)).trim();
}

const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

function bySetting(project: Project, table: Table, history: string, own: OwnKey): Condition | undefined {
  const setting = settingFor(project, history);
  if (setting === undefined) return undefined;
  const names = project.names(history);
  const type = table.columns.get(own.column)?.type ?? '';
  const isText = /^(?:text|varchar|character|char|citext|string|bpchar)/i.test(type) || type === '';
  const value = `nullif(current_setting('${setting.replaceAll("'", "''")}', true), '')`;
  const named = project.model.schema.tables;
  const usual = [...named.values()].flatMap((t) => t.policies.map((p) => p.name.replaceAll(t.name.name, '\0')));
  const name = mostFrequent(usual.filter((n) => /tenant|isolat|org|account|own/i.test(n))) ?? 'tenant_isolation';
  const roles = mostFrequent([...named.values()].flatMap((t) => t.policies.map((p) => p.roles.join('\0')))) ?? '';
  return {
    sql: `${names.name(own.column)} = ${value}${isText ? '' : `::${type}`}`,
    from: `by the setting ${setting}`,
    implies: (other) => disjuncts(other).some((d) => comparesWith(d, own.column, setting)),
    roles: roles === '' ? [] : roles.split('\0'),
    name: name.replaceAll('\0', table.name.name),
  };
}

/**
 * The setting with which policies compare the key of their table: of the history, else of the project. One that is only asked for (`app.bypass = 'on'`)
 * is none, and where functions that are handed the key read several, which of them is the tenant is not known.
 */
function settingFor(project: Project, history: string): string | undefined {
  const { model } = project;
  const tables = [...model.schema.tables.values()];
  const here = tables.filter((t) => project.historyOf(t.origin) === history);
  for (const some of [here, tables]) {
    const compared = mostFrequent(some.flatMap((t) => comparedSettings(project, t, 'compare')));
    if (compared !== undefined) return compared;
    const [handed, ...others] = new Set(some.flatMap((t) => comparedSettings(project, t, 'call')));
    if (handed !== undefined && others.length === 0) return handed;
  }
  return model.tenancy.settings.length === 1 ? model.tenancy.settings[0] : undefined;
}

/** The settings that stand opposite a key in an equality (`compare`), or that a function reads which is handed the key (`call`). */
function comparedSettings(project: Project, table: Table, how: 'compare' | 'call'): string[] {
  const own = ownKey(project, table);
  if (!own) return [];
  const namesKey = (root: unknown): boolean => selfColumns(root).includes(own.column);
  const look = (root: unknown): string[] => {
    if (typeof root !== 'object' || root === null) return [];
    if (Array.isArray(root)) return root.flatMap(look);
    const node = root as Readonly<Record<string, unknown>>;
    if (node['kind'] === 'compare') {
      if (how === 'call' || node['operator'] !== '=') return [];
      const { left, right } = node;
      if (namesKey(left) === namesKey(right)) return [];
      return settingsIn(project, namesKey(left) ? right : left);
    }
    if (how === 'call' && node['kind'] === 'value' && namesKey(node['of'])) return settingsIn(project, node['of']);
    return Object.entries(node).flatMap(([key, value]) => (key === 'span' ? [] : look(value)));
  };
  return table.policies.flatMap((p) => look([p.using, p.check]));
}

/** The settings of the application that an expression reads, by itself or through functions of the project. */
function settingsIn(project: Project, root: unknown, seen = new Set<string>()): string[] {
  if (typeof root !== 'object' || root === null) return [];
  if (Array.isArray(root)) return root.flatMap((r) => settingsIn(project, r, seen));
  const node = root as Readonly<Record<string, unknown>>;
  if (node['kind'] === 'setting' && typeof node['name'] === 'string')
    return node['name'].includes('.') && !node['name'].startsWith('request.') ? [node['name']] : [];
  const found = Object.entries(node).flatMap(([k, v]) => (k === 'span' ? [] : settingsIn(project, v, seen)));
  const called = node['function'];
  if (node['kind'] === 'apply' && typeof called === 'string' && !seen.has(called)) {
    seen.add(called);
    const { functions } = project.model.schema;
    for (const f of functions.get(called) ?? functions.get(`public.${called}`) ?? [])
      found.push(
        ...settingsIn(project, [f.body, f.queries.map((q) => [q.targets, q.output])], seen),
        ...settingsInText(f.text),
      );
  }
  return found;
}

/** A body that was not read as an expression still names what it reads. */
const settingsInText = (text: string): string[] =>
  [...text.matchAll(/current_setting\s*\(\s*'([^']+\.[^']+)'/gi)]
    .flatMap((m) => m[1] ?? [])
    .filter((s) => !s.startsWith('request.'));

export function mostFrequent(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const n of names) counts.set(n, (counts.get(n) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}

const disjuncts = (p: Predicate): readonly Predicate[] => (p.kind === 'or' ? p.of : [p]);

/** Whether a condition is the key compared by equality with the setting, whatever is done where the setting is missing. */
function comparesWith(p: Predicate, column: string, setting: string): boolean {
  if (p.kind === 'always') return true;
  if (p.kind !== 'compare' || p.operator !== '=') return false;
  const sides = [p.left, p.right].map(bareSetting);
  return (
    sides.some((v) => v.kind === 'column' && v.column === column) &&
    sides.some((v) => v.kind === 'setting' && v.name === setting)
  );
}

/** The setting that a donor compares its key with, and nothing else. */
function settingOf({ using, key }: Donor): string | undefined {
  if (using.kind !== 'compare' || using.operator !== '=') return undefined;
  const sides = [using.left, using.right].map(bareSetting);
  const setting = sides.find((v) => v.kind === 'setting');
  const own = sides.some((v) => v.kind === 'column' && v.column === key.column);
  return own && setting?.kind === 'setting' ? setting.name : undefined;
}

/** A setting without its cast and without what takes the place of a missing one; a cast of a column is left, since it may tell values apart. */
function bareSetting(value: Value): Value {
  const inner =
    value.kind === 'apply' &&
    /^(?:cast:.*|nullif|coalesce)$/.test(value.function) &&
    value.to.slice(1).every((v) => v.kind === 'constant')
      ? value.to[0]
      : undefined;
  const found = inner && bareSetting(inner);
  return found?.kind === 'setting' ? found : value;
}

const sameBut = (p: Predicate, column: string): string =>
  JSON.stringify(p, (key, v: unknown) =>
    key === 'span' || key === 'candidates' ? undefined : key === 'column' && v === column ? '\0' : v,
  );

/** Whether a column is cast before it is compared, so that no index finds the row. */
function castsColumn(root: unknown): boolean {
  if (typeof root !== 'object' || root === null) return false;
  if (Array.isArray(root)) return root.some(castsColumn);
  const node = root as Readonly<Record<string, unknown>>;
  if (node['kind'] === 'apply' && String(node['function']).startsWith('cast:') && selfColumns(node['to']).length > 0)
    return true;
  return Object.values(node).some(castsColumn);
}

/** The columns of the policy's own table that a condition names; with sub-queries, every name that may be one of them. */
function selfColumns(root: unknown): string[] {
  if (typeof root !== 'object' || root === null) return [];
  if (Array.isArray(root)) return root.flatMap(selfColumns);
  const node = root as Readonly<Record<string, unknown>>;
  const own = node['kind'] === 'column' && node['target'] === 'self' ? [String(node['column'])] : [];
  return [...own, ...Object.values(node).flatMap(selfColumns)];
}
