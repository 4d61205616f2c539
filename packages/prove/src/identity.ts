import type { TenancyModel } from '@tenant-lint/model';
import { type Catalog, type CatalogRole, type Relation } from './catalog.js';
import type { Classes } from './fill/classes.js';
import type { RowMaker } from './fill/fill.js';
import type { Side } from './fill/values.js';
import { literal, quoteName } from './session/session.js';

/** What a session says about itself while something is tried. */
export interface Context {
  /** '' for the proper context of tenant A; else what differs: 'nothing set', 'settings empty', 'claims of his own'. */
  readonly name: '' | 'nothing set' | 'settings empty' | 'claims of his own';
  /** Settings by name; null demands that it was never set in this session. */
  readonly settings: Readonly<Record<string, string | null>>;
}

/** A role of the application. */
export interface AppRole {
  readonly name: string;
  /** Why it counts as one. */
  readonly why: string;
}

export interface Identity {
  readonly roles: readonly AppRole[];
  /** Statements that make the stand-in role, where no role of the application is known. */
  readonly setup: readonly string[];
  /** In the order in which they must be tried: a setting once set is '' and never NULL again. */
  readonly contexts: readonly Context[];
}

const standInRole = 'tenant_lint_app';

/** Decides under which roles and settings the attempts run. Pure. */
export function identityOf(catalog: Catalog, tenancy: TenancyModel, classes: Classes, maker: RowMaker): Identity {
  const { roles, setup } = rolesOf(catalog, tenancy);
  return { roles, setup, contexts: contextsOf(catalog, tenancy, classes, maker) };
}

/** The roles the configuration names, else those that the platform runs requests under, else those the migrations grant to. */
function rolesOf(catalog: Catalog, tenancy: TenancyModel): { roles: readonly AppRole[]; setup: readonly string[] } {
  const there = new Map(catalog.roles.map((r) => [r.name, r]));
  const named = tenancy.appRoles.filter((r) => there.has(r));
  if (named.length > 0) return { roles: named.map((name) => ({ name, why: 'named by the configuration' })), setup: [] };
  if (there.has('authenticated') && there.has('anon'))
    return {
      roles: ['authenticated', 'anon'].map((name) => ({ name, why: 'the platform runs requests under it' })),
      setup: [],
    };
  const owners = new Set(catalog.relations.map((r) => r.owner));
  const bound = (r: CatalogRole): boolean => !r.given && !r.superuser && !r.bypasses && !owners.has(r.name);
  const made = catalog.roles.filter(bound);
  if (made.length > 0)
    return {
      roles: made
        .slice(0, 4)
        .map(({ name }) => ({ name, why: 'the migrations make it; it owns nothing and bypasses nothing' })),
      setup: [],
    };
  const schemas = [...new Set(catalog.relations.map((r) => r.schema))].sort();
  return {
    roles: [
      {
        name: standInRole,
        why: 'a stand-in: the migrations make no role that could be the application; it owns nothing and may read and write every table',
      },
    ],
    setup: [
      `create role ${standInRole} nologin`,
      ...schemas.flatMap((s) => [
        `grant usage on schema ${quoteName(s)} to ${standInRole}`,
        `grant select, insert, update, delete on all tables in schema ${quoteName(s)} to ${standInRole}`,
        `grant usage on all sequences in schema ${quoteName(s)} to ${standInRole}`,
      ]),
    ],
  };
}

const looksLikeUser =
  /(?:^|[._])(?:user|uid|sub|subject|member|actor|account_?user|current_user|person|profile)(?:_?id|_?uuid)?$/i;

function contextsOf(catalog: Catalog, tenancy: TenancyModel, classes: Classes, maker: RowMaker): readonly Context[] {
  const texts = [...catalog.relations.flatMap((r) => r.policies), ...catalog.functions.map((f) => f.source)].join('\n');
  const settings = [...new Set([...texts.matchAll(/current_setting\s*\(\s*'([^']+)'/gi)].map(([, name]) => name ?? ''))]
    .filter((name) => /^\w+\./.test(name))
    .sort();
  const jwt =
    settings.some((s) => s.startsWith('request.')) ||
    catalog.relations.some((r) => r.schema === 'auth' && r.name === 'users');
  const tenant = (side: Side): string | undefined => tenantValue(catalog, classes, maker, side);
  const user = (side: Side): string | undefined => valueOfClass(classes.user, classes, maker, side);
  const claim = (name: string, side: Side): string | undefined => {
    if (/^(?:sub|user_?id|uid)$/i.test(name)) return user(side);
    const spelled = keyNamed(name, tenancy, catalog, classes, maker, side);
    return spelled;
  };
  const names = [
    ...new Set([...texts.matchAll(/(?:->>?|#>>?)\s*'\{?([^'}]+)\}?'/g)].flatMap(([, path]) => (path ?? '').split(','))),
  ].sort();
  const claimsOf = (side: Side): Record<string, unknown> =>
    Object.fromEntries(
      names.flatMap((n) => {
        const v = claim(n, side);
        return v === undefined ? [] : [[n, v]];
      }),
    );
  const jwtOf = (role: string, own: Record<string, unknown>, ofUser: Record<string, unknown>): string =>
    JSON.stringify({
      ...own,
      ...(user('A') === undefined ? {} : { sub: user('A') }),
      role,
      aud: 'authenticated',
      email: 'a@a.example.test',
      app_metadata: own,
      user_metadata: ofUser,
    });
  const proper: Record<string, string> = {};
  for (const name of [...new Set([...tenancy.settings, ...settings])].sort()) {
    if (name.startsWith('request.')) continue;
    const value = tenancy.settings.includes(name)
      ? (keyNamed(name, tenancy, catalog, classes, maker, 'A') ?? tenant('A'))
      : looksLikeUser.test(name)
        ? user('A')
        : keyNamed(name, tenancy, catalog, classes, maker, 'A');
    if (value !== undefined) proper[name] = value;
  }
  if (jwt) proper['request.jwt.claims'] = jwtOf('authenticated', claimsOf('A'), claimsOf('A'));
  const all = [...new Set([...Object.keys(proper), ...settings.filter((s) => !s.startsWith('request.'))])].sort();
  if (all.length === 0) return [{ name: '', settings: {} }];
  const every = (value: string | null): Record<string, string | null> => Object.fromEntries(all.map((n) => [n, value]));
  const selfMade = jwt && /user_metadata|raw_user_meta_data/.test(texts);
  return [
    { name: 'nothing set', settings: every(null) },
    { name: 'settings empty', settings: every('') },
    ...(selfMade
      ? [
          {
            name: 'claims of his own' as const,
            settings: { ...proper, 'request.jwt.claims': jwtOf('authenticated', claimsOf('A'), claimsOf('B')) },
          },
        ]
      : []),
    { name: '', settings: proper },
  ];
}

function valueOfClass(id: string | undefined, classes: Classes, maker: RowMaker, side: Side): string | undefined {
  const member = id === undefined ? undefined : classes.members(id)[0];
  return member ? (maker.value(member.relation, member.column, side) ?? undefined) : undefined;
}

/** The value of the key that most tables carry. */
function tenantValue(catalog: Catalog, classes: Classes, maker: RowMaker, side: Side): string | undefined {
  const sizes = [...classes.tenants].map((id) => ({ id, size: classes.members(id).length }));
  sizes.sort((a, b) => b.size - a.size || (a.id < b.id ? -1 : 1));
  return valueOfClass(sizes[0]?.id, classes, maker, side);
}

/** The value of the tenant key whose words a name ends in: 'app.current_organization_id' and organization_id. */
function keyNamed(
  name: string,
  tenancy: TenancyModel,
  catalog: Catalog,
  classes: Classes,
  maker: RowMaker,
  side: Side,
): string | undefined {
  const plain = wordsOf(name.slice(name.lastIndexOf('.') + 1));
  const candidates = [...tenancy.keys].sort((a, b) => b.length - a.length);
  const spelled = candidates.find(
    (key) => plain.endsWith(wordsOf(key)) || wordsOf(key).startsWith(plain) || plain === `${wordsOf(key)}s`,
  );
  const column = spelled ?? columnNamed(catalog, plain);
  if (column === undefined) return undefined;
  for (const id of [...classes.tenants].sort()) {
    const member = classes.members(id).find((m) => m.column.name === column);
    if (member) return maker.value(member.relation, member.column, side) ?? undefined;
  }
  return undefined;
}

const columnNamed = (catalog: Catalog, plain: string): string | undefined =>
  catalog.relations.flatMap((r: Relation) => r.columns).find((c) => wordsOf(c.name) === plain)?.name;

const wordsOf = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '');

/** Statements that put a session into a context; they hold to the end of the savepoint. */
export const enter = (role: string, context: Context): readonly string[] => [
  ...Object.entries(context.settings).flatMap(([name, value]) =>
    value === null ? [] : [`select set_config(${literal(name)}, ${literal(claimed(value, role, name))}, true)`],
  ),
  `set local role ${quoteName(role)}`,
];

/** The token names the role it is for. */
const claimed = (value: string, role: string, setting: string): string =>
  setting === 'request.jwt.claims' && value !== ''
    ? role === 'anon'
      ? '{"role":"anon"}'
      : JSON.stringify({ ...(JSON.parse(value) as object), role })
    : value;
