import type { Model, SessionMistake } from '@tenant-lint/analysis';
import { defineRule, servingAccesses } from '@tenant-lint/engine';
import type { SchemaFunction, Span, Value } from '@tenant-lint/model';
import { functionPath, methodName } from '../../lib/naming.js';
import { isTenantSetting, settingWrites, tenantSettings, walk } from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'no-session-tenant-setting',
    group: 'bypass',
    summary: 'Disallow a tenant context that outlives its transaction, or that anybody may choose',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    catalogue: ['C-62', 'C-63', 'C-64', 'C-65', 'S01', 'S08', 'S09'],
    messages: {
      session: {
        what: 'Function {function} sets {setting} for the session.',
        why: 'Behind a pool the next request gets the connection with the tenant of the last one.',
        fix: "Set it for the transaction: set_config('{setting}', ..., true).",
      },
      code: {
        what: '{method} sets {setting} for the session of whatever connection it gets.',
        why: 'The connection goes back to the pool with this tenant, and the next request that gets it works as that tenant.',
        fix: "Set it in the transaction of the queries that need it: set_config('{setting}', ..., true).",
      },
      alone: {
        what: '{method} sets {setting} for a transaction that nothing else is in.',
        why: 'The setting ends with this statement, and the next one gets any connection of the pool: what relies on it runs without a tenant, or with that of somebody else.',
        fix: 'Take a connection out of the pool, and set it in the transaction of the queries that need it.',
      },
      late: {
        what: '{method} sets {setting} where not every query that needs it comes after it.',
        why: 'The other queries run without a tenant, or with that of whoever had the connection before.',
        fix: 'Set it at the beginning of the transaction, on every path.',
      },
      unawaited: {
        what: '{method} would set {setting}, and nothing waits for it.',
        why: 'The library sends a statement when it is awaited: the setting is never made.',
        fix: 'Await it.',
      },
      unended: {
        what: '{method} sets {setting} in a transaction that is not ended where something fails.',
        why: 'The connection goes back to the pool within the transaction, and the next request that gets it works as this tenant.',
        fix: 'Roll back before the connection is released.',
      },
      kept: {
        what: '{method} sets {setting} for the session, and it is taken back only where nothing fails in between.',
        why: 'After an error the connection goes back to the pool with this tenant, and the next request that gets it works as that tenant.',
        fix: 'Take it back in a finally, or set it for the transaction only.',
      },
      migration: {
        severity: 'warning',
        what: 'This migration sets {setting} for the session and leaves it set.',
        why: 'Whatever runs on the connection afterwards works as that tenant.',
        fix: 'Use SET LOCAL within a transaction, or reset it at the end.',
      },
      definer: {
        what: 'Function {function} runs as its owner and sets {setting} to what its caller says.',
        why: 'Whoever may call it works as any tenant, and nothing checks that the caller belongs to it.',
        fix: 'Look up whether the caller belongs to the tenant before setting it, or take SECURITY DEFINER away.',
      },
      clause: {
        severity: 'warning',
        what: 'Function {function} always runs with {setting} set to {value}.',
        why: "What it reads and writes is that tenant's, whoever calls it.",
        fix: 'Remove the SET clause, and let the function see the tenant of its caller.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const settings = tenantSettings(model);
    const isTenant = (name: string): boolean => isTenantSetting(model, settings, name);
    for (const declared of [...model.schema.functions.values()].flat()) yield* ofFunction(declared, isTenant);
    const mistakes = model.sessionMistakes().filter(({ setting }) => isTenant(setting));
    yield* ofMistakes(model, mistakes);
    yield* ofCode(model, isTenant, mistakes);
    yield* ofMigrations(model, isTenant);
  },
});

interface Found {
  readonly message: 'code' | 'session' | 'migration' | 'definer' | 'clause' | SessionMistake['kind'];
  readonly cause?: readonly string[];
  readonly data: Readonly<Record<string, string>>;
  readonly span: Span;
  readonly related?: readonly { readonly span: Span; readonly text: string }[];
  readonly confidence: 'certain' | 'likely' | 'possible';
  readonly key: string;
}

/** One finding for each setting that a function sets, the worst. */
function* ofFunction(declared: SchemaFunction, isTenant: (name: string) => boolean): Iterable<Found> {
  const name = declared.name.name;
  const common = { span: declared.origin.created, confidence: 'certain' } as const;
  const writes = declared.queries.flatMap(settingWrites).filter((write) => isTenant(write.name));
  for (const setting of new Set(writes.map((write) => write.name))) {
    const own = writes.filter((write) => write.name === setting);
    const trusting = own.find((write) => declared.securityDefiner && isArgument(write.value) && !looksUp(declared));
    const lasting = own.find((write) => write.local === false);
    const worst = trusting ?? lasting;
    if (worst === undefined) continue;
    yield {
      ...common,
      message: trusting ? 'definer' : 'session',
      data: { function: name, setting },
      related: [{ span: worst.span, text: `${setting} is set here` }],
      key: `function ${name} ${setting}`,
    };
  }
  for (const [setting, value] of Object.entries(declared.settings)) {
    if (!isTenant(setting) || value === 'from current') continue;
    yield {
      ...common,
      message: 'clause',
      data: { function: name, setting, value },
      key: `function ${name} ${setting} clause`,
    };
  }
}

/** Whether a value is made of what the function was called with. */
function isArgument(value: Value | undefined): boolean {
  let found = false;
  walk(value, (node) => {
    found ||= node['kind'] === 'placeholder';
  });
  return found;
}

/** Whether the function reads a table, also in the condition of an IF: then it may have checked who is calling. */
const looksUp = (declared: SchemaFunction): boolean =>
  declared.queries.some((query) => query.targets.length > 0) || /\bselect\b[^;]*\bfrom\b/i.test(declared.text);

/** What code sets in vain, or for too long. */
function* ofMistakes(model: Model, mistakes: readonly SessionMistake[]): Iterable<Found> {
  for (const { kind, setting, access, span, uses } of mistakes)
    yield {
      message: kind,
      data: { method: methodName(access), setting },
      span,
      confidence: 'likely',
      related: uses.slice(0, 20).map((use) => ({ span: use.span, text: 'this runs without it' })),
      key: `${access.file} ${functionPath(model, access)} ${setting} ${kind}`,
      cause: uses.flatMap((use) => use.targets.map((target) => `target ${use.id} ${target.ref}`)),
    };
}

/** What code sets for a session, and the function does not take back. */
function* ofCode(
  model: Model,
  isTenant: (name: string) => boolean,
  mistakes: readonly SessionMistake[],
): Iterable<Found> {
  const accesses = servingAccesses(model).filter((access) => access.in !== undefined);
  const all = accesses.flatMap((access) => settingWrites(access).map((write) => ({ access, write })));
  for (const { access, write } of all) {
    if (write.local !== false || !isTenant(write.name) || isBlank(write.value)) continue;
    if (mistakes.some((m) => m.access.id === access.id && m.kind === 'kept')) continue;
    const isTakenBack = all.some(
      (other) =>
        other.access.function === access.function && other.write.name === write.name && isBlank(other.write.value),
    );
    yield {
      message: 'code',
      data: { method: methodName(access), setting: write.name },
      span: access.span,
      // Where an error comes in between, it is not taken back; a finally sees to that, and is not told apart here.
      confidence: isTakenBack ? 'possible' : 'likely',
      key: `${access.file} ${functionPath(model, access)} ${write.name}`,
    };
  }
}

const isBlank = (value: Value | undefined): boolean =>
  value?.kind === 'constant' && (value.value === '' || value.value === null);

/** SET of a session in a migration that no later statement of the file undoes. */
function* ofMigrations(model: Model, isTenant: (name: string) => boolean): Iterable<Found> {
  for (const facts of model.files.values()) {
    if (facts.sql?.role !== undefined && facts.sql.role !== 'migration') continue;
    const last = new Map<string, { readonly value: string; readonly span: Span }>();
    for (const { action, span, direction } of facts.schema) {
      if (direction !== 'up' || action.do !== 'set' || action.scope !== 'session' || !isTenant(action.name)) continue;
      last.set(action.name, { value: action.value, span });
    }
    for (const [setting, { value, span }] of last) {
      if (value === '') continue;
      yield { message: 'migration', data: { setting }, span, confidence: 'certain', key: `${facts.file} ${setting}` };
    }
  }
}
