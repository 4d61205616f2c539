import type { Policy, Predicate, Schema, Table, TenancyModel, Value } from '@tenant-lint/model';
import { referencesOf } from '../fold/index.js';
import { identityOf } from './identity.js';
import { eachNode, eachValue } from './walk.js';

interface Context {
  readonly schema: Schema;
  readonly tenancy: TenancyModel;
}

/**
 * Whether a policy seems meant to show rows of every tenant to people who have not even signed in: a public page of each tenant. It is for reading
 * alone and asks nothing about the caller; nothing says that the rows are about persons; and somebody decided so: the policy names the role of
 * whoever has not signed in, or the tenants themselves and some of what is theirs are shown in this way while enough of it is held back.
 */
export function isForEverybody(policy: Policy, table: Table, context: Context): boolean {
  if (!isOpen(policy) || isAboutPersons(table, context)) return false;
  if (policy.roles.includes(anonymous)) return true;
  if (!othersAreHeld(context)) return false;
  const isRoot = context.tenancy.tables.get(table.id)?.kind === 'root';
  return isRoot ? isPageShown(table, context) : tenantsAreShown(table, context);
}

const isShown = (table: Table): boolean => table.rowSecurity.enabled && table.policies.some((policy) => isOpen(policy));

/** Whether something that belongs to the tenants of this table is shown as they are. */
const isPageShown = (root: Table, context: Context): boolean =>
  [...context.schema.tables.values()].some(
    (table) =>
      table.id !== root.id &&
      isOwned(table, context) &&
      isShown(table) &&
      !isAboutPersons(table, context) &&
      referencesOf(table).some(({ to }) => to === root.id),
  );

const isOwned = (table: Table, { tenancy }: Context): boolean =>
  /^(?:keyed|child)$/.test(tenancy.tables.get(table.id)?.kind ?? '');

const held = new WeakMap<Schema, boolean>();

/** Whether enough tables of tenants ask who reads them. Where nearly all are shown to everybody, nobody decided that these are. */
function othersAreHeld(context: Context): boolean {
  let known = held.get(context.schema);
  if (known === undefined) {
    const owned = [...context.schema.tables.values()].filter((t) => isOwned(t, context) && t.rowSecurity.enabled);
    const kept = owned.filter((t) => !isShown(t)).length;
    known = kept >= 3 && kept * 3 >= owned.length;
    held.set(context.schema, known);
  }
  return known;
}

/** The role of whoever has not signed in, where the database is reached through PostgREST. */
const anonymous = 'anon';

function isOpen({ command, permissive, roles, using }: Policy): boolean {
  return (
    command === 'select' &&
    permissive &&
    using !== undefined &&
    (roles.length === 0 || roles.includes(anonymous)) &&
    asksNobody(using)
  );
}

/** A condition on rows alone: no session, no call but of what is the same for everybody. */
function asksNobody(condition: Predicate): boolean {
  let asks = false;
  eachNode(condition, (node) => {
    asks ||= node['kind'] === 'unknown';
  });
  eachValue(condition, (value: Value) => {
    asks ||=
      value.kind === 'setting' ||
      value.kind === 'tenant' ||
      identityOf(value) !== undefined ||
      (value.kind === 'apply' && !sameForAll.test(value.function));
  });
  return !asks;
}

const sameForAll = /^(?:cast:.*|now|current_date|current_timestamp|localtimestamp|coalesce|lower|upper|btrim|\+|-)$/;

/** Whether the table of the tenants that the rows belong to is itself shown to everybody. */
function tenantsAreShown(table: Table, { schema, tenancy }: Context, seen: readonly string[] = []): boolean {
  const kind = tenancy.tables.get(table.id);
  const parents =
    kind?.kind === 'keyed'
      ? [...kind.keys.flatMap((key) => key.root ?? []), ...referencesOf(table).map((r) => r.to)]
      : kind?.kind === 'child'
        ? kind.through.map((t) => t.to)
        : [];
  return parents.some((id) => {
    const parent = schema.tables.get(id);
    if (!parent || seen.includes(id)) return false;
    if (tenancy.tables.get(id)?.kind === 'root') return isShown(parent);
    return tenantsAreShown(parent, { schema, tenancy }, [...seen, table.id, id]);
  });
}

/** Columns by which somebody is reached or proves who he is, and what nobody hands out about himself. */
const personal =
  /(?:^|_)(?:e?_?mails?|phones?|mobile|cell|telephone|telefone?|tel|celular|whatsapp|passw\w*|secrets?|tokens?|otp|iban|ssn|cpf|salar\w*|birth\w*|dob|gender|ip_address)(?:_|$)/;

/** Whether a row holds data of a person, or says which person it is about, other than whose row it is. */
function isAboutPersons(table: Table, { schema, tenancy }: Context): boolean {
  if (hasPersonal(table)) return true;
  const kind = tenancy.tables.get(table.id);
  const owners = new Set(
    kind?.kind === 'keyed'
      ? kind.keys.map((key) => key.column)
      : kind?.kind === 'child'
        ? kind.through.flatMap((t) => t.columns)
        : [],
  );
  return referencesOf(table).some(({ to, columns }) => {
    if (columns.every((column) => owners.has(column))) return false;
    if (to === accounts) return true;
    const other = schema.tables.get(to);
    return other !== undefined && tenancy.tables.get(to)?.kind !== 'root' && (isAccount(other) || hasPersonal(other));
  });
}

const accounts = 'auth.users';

/** One row for each account. */
const isAccount = (table: Table): boolean =>
  referencesOf(table).some(
    ({ to, columns }) =>
      to === accounts &&
      table.constraints.some(
        (c) => (c.kind === 'primary key' || c.kind === 'unique') && sameColumns(c.columns, columns),
      ),
  );

const sameColumns = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((column) => b.includes(column));

const hasPersonal = (table: Table): boolean =>
  [...table.columns.keys()].some((name) => personal.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()));
