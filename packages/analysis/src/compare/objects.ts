import type { Grant, GrantObject, Role, SchemaFunction, View } from '@tenant-lint/model';
import type { Model } from '../model.js';
import { matched, withoutPlaces, type Change } from './change.js';

/** What became of views, functions, roles and grants. */
export function* objectChanges(before: Model, after: Model): Iterable<Change> {
  yield* viewChanges(before, after);
  yield* functionChanges(before, after);
  yield* roleChanges(before, after);
  yield* grantChanges(before, after);
}

/** Options of views that keep the caller's rights and conditions in force. */
const protecting = ['security_invoker', 'security_barrier', 'check_option'];

function* viewChanges(before: Model, after: Model): Iterable<Change> {
  const { removed, added, both } = matched(before.schema.views.values(), after.schema.views.values(), (v) => v.id);
  const change = (view: View, what: Change['what'], effect: Change['effect'], text: string): Change => ({
    thing: 'view',
    what,
    name: view.id,
    effect,
    text,
    ...(what === 'removed'
      ? { before: view.origin.created }
      : { after: view.origin.changed.at(-1) ?? view.origin.created }),
  });
  for (const view of removed) yield change(view, 'removed', 'neutral', `view ${view.id} is gone`);
  for (const view of added) yield change(view, 'added', 'neutral', `view ${view.id} is new`);
  for (const [was, is] of both) {
    const on = (view: View, option: string): boolean =>
      view.options[option] !== undefined && !/^(?:false|off|no|0)$/i.test(view.options[option]);
    for (const option of protecting) {
      if (on(was, option) === on(is, option)) continue;
      yield change(
        is,
        'changed',
        on(is, option) ? 'stricter' : 'weaker',
        `view ${is.id} ${on(is, option) ? 'has' : 'has lost'} ${option}`,
      );
    }
    if (withoutPlaces(was.query) !== withoutPlaces(is.query))
      yield change(is, 'changed', 'unknown', `view ${is.id} reads otherwise`);
  }
}

const signature = (f: SchemaFunction): string =>
  `${f.name.schema === undefined ? '' : `${f.name.schema}.`}${f.name.name}(${f.parameters
    .filter((p) => p.mode !== 'out' && p.mode !== 'table')
    .map((p) => p.type)
    .join(', ')})`;

function* functionChanges(before: Model, after: Model): Iterable<Change> {
  const all = (model: Model): SchemaFunction[] => [...model.schema.functions.values()].flat();
  const { removed, added, both } = matched(all(before), all(after), signature);
  const change = (f: SchemaFunction, what: Change['what'], effect: Change['effect'], text: string): Change => ({
    thing: 'function',
    what,
    name: signature(f),
    effect,
    text,
    ...(what === 'removed' ? { before: f.origin.created } : { after: f.origin.changed.at(-1) ?? f.origin.created }),
  });
  for (const f of removed) yield change(f, 'removed', 'neutral', `function ${signature(f)} is gone`);
  for (const f of added)
    yield change(
      f,
      'added',
      f.securityDefiner ? 'unknown' : 'neutral',
      `function ${signature(f)} is new${f.securityDefiner ? ', and runs with the rights of its owner' : ''}`,
    );
  for (const [was, is] of both) {
    if (was.securityDefiner !== is.securityDefiner)
      yield change(
        is,
        'changed',
        is.securityDefiner ? 'weaker' : 'stricter',
        `function ${signature(is)} runs with the rights of its ${is.securityDefiner ? 'owner' : 'caller'} now`,
      );
    const pinned = (f: SchemaFunction): boolean => f.settings['search_path'] !== undefined;
    if (is.securityDefiner && pinned(was) !== pinned(is))
      yield change(
        is,
        'changed',
        pinned(is) ? 'stricter' : 'weaker',
        `function ${signature(is)} ${pinned(is) ? 'has' : 'has lost'} its own search_path`,
      );
    if (was.text !== is.text)
      yield change(is, 'changed', 'unknown', `the body of function ${signature(is)} reads otherwise`);
  }
}

/** Attributes by which a role goes past row security, or may give itself what does. */
const powerful = new Set(['superuser', 'bypassrls', 'createrole']);

function* roleChanges(before: Model, after: Model): Iterable<Change> {
  const { removed, added, both } = matched(before.schema.roles.values(), after.schema.roles.values(), (r) => r.name);
  const powers = (role: Role | undefined): string[] =>
    (role?.attributes ?? []).filter((a) => powerful.has(a.toLowerCase()));
  for (const role of removed)
    yield {
      thing: 'role',
      what: 'removed',
      name: role.name,
      effect: 'neutral',
      text: `role ${role.name} is gone`,
      before: role.origin.created,
    };
  for (const role of added) {
    const has = powers(role);
    yield {
      thing: 'role',
      what: 'added',
      name: role.name,
      effect: has.length > 0 ? 'weaker' : 'neutral',
      text: `role ${role.name} is new${has.length > 0 ? `, with ${has.join(' and ')}` : ''}`,
      after: role.origin.created,
    };
  }
  for (const [was, is] of both) {
    const gained = powers(is).filter((a) => !powers(was).includes(a));
    const lost = powers(was).filter((a) => !powers(is).includes(a));
    const joined = is.memberOf.filter((r) => !was.memberOf.includes(r));
    const left = was.memberOf.filter((r) => !is.memberOf.includes(r));
    const text = [
      ...(gained.length > 0 ? [`has ${gained.join(' and ')} now`] : []),
      ...(lost.length > 0 ? [`has lost ${lost.join(' and ')}`] : []),
      ...(joined.length > 0 ? [`is a member of ${joined.join(', ')} now`] : []),
      ...(left.length > 0 ? [`is no member of ${left.join(', ')} any more`] : []),
    ];
    if (text.length === 0) continue;
    yield {
      thing: 'role',
      what: 'changed',
      name: is.name,
      effect: gained.length > 0 ? 'weaker' : joined.length > 0 ? 'unknown' : 'stricter',
      text: `role ${is.name} ${text.join(', ')}`,
      after: is.origin.changed.at(-1) ?? is.origin.created,
    };
  }
}

const objectText = (object: GrantObject): string => {
  const named = (name: { schema?: string; name: string }): string =>
    name.schema === undefined ? name.name : `${name.schema}.${name.name}`;
  switch (object.kind) {
    case 'table':
      return named(object.name);
    case 'function':
      return `function ${named(object.name)}`;
    case 'schema':
      return `schema ${object.name}`;
    case 'other':
      return `${object.what} ${object.name}`;
    default:
      return `${object.kind} in schema ${object.schema}`;
  }
};

interface OneGrant {
  readonly privilege: string;
  readonly on: string;
  readonly to: string;
  readonly from: Grant;
}

/** Grants one privilege, object and role at a time, so that a rewritten statement is no change. */
const single = (grants: readonly Grant[]): OneGrant[] =>
  grants.flatMap((from) =>
    from.on.flatMap((object) =>
      from.to.flatMap((to) => from.privileges.map((privilege) => ({ privilege, on: objectText(object), to, from }))),
    ),
  );

function* grantChanges(before: Model, after: Model): Iterable<Change> {
  const { removed, added } = matched(
    single(before.schema.grants),
    single(after.schema.grants),
    (g) => `${g.privilege} ${g.on} ${g.to} ${g.from.columns?.join() ?? ''}`,
  );
  for (const [grants, what] of [
    [removed, 'removed'],
    [added, 'added'],
  ] as const) {
    const groups = new Map<string, OneGrant[]>();
    for (const g of grants) groups.set(`${g.on}\0${g.to}`, [...(groups.get(`${g.on}\0${g.to}`) ?? []), g]);
    for (const group of groups.values()) {
      const [first] = group;
      if (!first) continue;
      const everybody = /^public$/i.test(first.to);
      yield {
        thing: 'grant',
        what,
        name: `${first.on} to ${first.to}`,
        effect: what === 'removed' ? 'stricter' : everybody ? 'weaker' : 'unknown',
        text: `${first.to} ${what === 'added' ? 'may' : 'may no longer'} ${group.map((g) => g.privilege).join(', ')} on ${first.on}`,
        ...(what === 'added' ? { after: first.from.span } : { before: first.from.span }),
      };
    }
  }
}
