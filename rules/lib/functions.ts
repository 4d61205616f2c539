import type { FunctionLeak, Model } from '@tenant-lint/analysis';
import type { SchemaFunction, Span, Table, Trigger } from '@tenant-lint/model';
import { isSupabase } from './grants.js';
import { bypasses, isAdministrative, isolatedTables } from './roles.js';

/** A function by the name people use: without the schema where that is `public`. */
export const functionName = (f: SchemaFunction): string =>
  (f.name.schema ?? 'public') === 'public' ? f.name.name : `${f.name.schema ?? ''}.${f.name.name}`;

/** Identifies one of several functions of a name. */
export const functionKey = (f: SchemaFunction): string =>
  `${f.name.schema ?? 'public'}.${f.name.name}(${f.parameters.map((p) => p.type).join()})`;

/** The statement that gave the function its present form. */
export const definedAt = (f: SchemaFunction): Span => f.origin.changed.at(-1) ?? f.origin.created;

/** Trigger functions cannot be called; what they do happens with the rows that fire them. */
export const isTriggerFunction = (f: SchemaFunction): boolean => /^(?:event_)?trigger$/.test(f.returns);

/** Whether the database isolates anything at all in this project. */
export const isolatesAnything = (model: Model): boolean => isolatedTables(model).length > 0;

/** Roles that may call a function and that policies hold for, PUBLIC by that name. Empty: nobody but its owner and administrators. */
export function callersOf(model: Model, f: SchemaFunction): readonly string[] {
  if (isTriggerFunction(f)) return [];
  const granted = new Set((f.execute?.granted ?? [{ role: 'public' }]).map((g) => g.role));
  // Supabase grants every new function in public to the roles of requests, whatever PUBLIC has.
  if (isSupabase(model) && (f.name.schema ?? 'public') === 'public')
    for (const role of ['anon', 'authenticated'])
      if (f.execute?.revoked.some((r) => r.role === role) !== true) granted.add(role);
  const usable = usersOfSchema(model, f.name.schema ?? 'public');
  return [...granted].filter(
    (role) =>
      !isAdministrative(role) &&
      bypasses(model, role) === undefined &&
      role !== f.owner &&
      (usable === 'everybody' || (role === 'public' ? usable.size > 0 : usable.has(role) || usable.has('public'))),
  );
}

/** Who may name what is in a schema. Where no statement makes the schema, it is there already, and nobody knows. */
function usersOfSchema(model: Model, schema: string): 'everybody' | ReadonlySet<string> {
  if (schema === 'public' || model.schema.schemas?.has(schema) !== true) return 'everybody';
  const users = new Set<string>();
  for (const { privileges, on, to } of model.schema.grants) {
    if (!on.some((o) => o.kind === 'schema' && o.name === schema)) continue;
    if (!privileges.some((p) => /^(?:usage|all(?: privileges)?)$/i.test(p))) continue;
    for (const role of to) if (!isAdministrative(role) && bypasses(model, role) === undefined) users.add(role);
  }
  return users;
}

/** Whom somebody granted the function to by name. */
export const grantedByName = (f: SchemaFunction): readonly string[] =>
  (f.execute?.granted ?? []).map((g) => g.role).filter((role) => role !== 'public');

/** Functions that policies call, directly or through one another, by `schema.name`. */
const inPolicies = new WeakMap<Model['schema'], ReadonlySet<string>>();

export function isPolicyHelper(model: Model, f: SchemaFunction): boolean {
  let names = inPolicies.get(model.schema);
  if (!names) inPolicies.set(model.schema, (names = policyHelpers(model)));
  return names.has(`${f.name.schema ?? 'public'}.${f.name.name}`);
}

function policyHelpers(model: Model): ReadonlySet<string> {
  const policies = [...model.schema.tables.values()].flatMap((t) =>
    t.policies.map((p) => [p.using ?? null, p.check ?? null]),
  );
  const text = JSON.stringify(policies);
  const called = new Set<string>();
  const visit = (name: string): void => {
    const id = name.includes('.') ? name : `public.${name}`;
    const found = model.schema.functions.get(id);
    if (!found || called.has(id)) return;
    called.add(id);
    for (const f of found) for (const inner of f.calls ?? []) visit(inner);
  };
  for (const [, name] of text.matchAll(/"function":"([^"]+)"/g)) if (name !== undefined) visit(name);
  return called;
}

/** The enabled triggers that run a function, with their tables. */
export function triggersOf(model: Model, f: SchemaFunction): { readonly table: Table; readonly trigger: Trigger }[] {
  const runs = (trigger: Trigger): boolean =>
    trigger.function.name === f.name.name &&
    (trigger.function.schema === undefined || trigger.function.schema === (f.name.schema ?? 'public'));
  return [...model.schema.tables.values()].flatMap((table) =>
    table.triggers.filter(runs).map((trigger) => ({ table, trigger })),
  );
}

/** The leaks of a function in tables that the database isolates, worst first: those that nothing binds before those that a parameter does. */
export function leaksOf(model: Model, f: SchemaFunction, trigger?: Table): readonly FunctionLeak[] {
  const leaks = model.functionAccess(f, trigger).leaks.filter(({ table }) => {
    const found = model.schema.tables.get(table);
    return found !== undefined && model.databaseIsolates(found);
  });
  return [...leaks.filter((l) => l.cause === 'unbound'), ...leaks.filter((l) => l.cause === 'parameter')];
}

/**
 * Whether a function reads or writes rows of tenants, by itself or by what it calls; undefined where a statement is put together when it
 * runs, or is in another language.
 */
export function touchesTenants(
  model: Model,
  f: SchemaFunction,
  seen: Set<SchemaFunction> = new Set(),
): boolean | undefined {
  if (seen.has(f)) return false;
  seen.add(f);
  const triggers = triggersOf(model, f);
  const accesses = [model.functionAccess(f), ...triggers.map(({ table }) => model.functionAccess(f, table))];
  if (accesses.some((access) => access.tables.length > 0)) return true;
  const inner = (f.calls ?? []).flatMap(
    (name) => model.schema.functions.get(name.includes('.') ? name : `public.${name}`) ?? [],
  );
  const answers = inner.map((called) => touchesTenants(model, called, seen));
  if (answers.includes(true)) return true;
  const isRead = /^(?:sql|plpgsql)$/.test(f.language) && accesses.every((access) => access.unknown.length === 0);
  return isRead && !answers.includes(undefined) ? false : undefined;
}

/** Without parameters and without a result it is maintenance: its job calls it, nobody else should. */
export const isMaintenance = (f: SchemaFunction): boolean =>
  f.parameters.every((p) => p.mode === 'out') && (f.returns === 'void' || f.returns === '');

/** Whether only administrators were granted the function by name: PUBLIC has it because nobody took it away. */
export const isMeantForAdministration = (model: Model, f: SchemaFunction): boolean => {
  const named = grantedByName(f);
  return named.length > 0 && named.every((role) => isAdministrative(role) || bypasses(model, role) !== undefined);
};
