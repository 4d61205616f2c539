import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Access, FunctionId, SchemaFunction, Value } from '@tenant-lint/model';
import { nodesIn } from '../../lib/conditions.js';
import { functionKey, functionName, triggersOf } from '../../lib/functions.js';
import { belongsToTenants } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-shared-lock',
    group: 'resource',
    summary: "Disallow locks and limits around one tenant's work that are the same for all tenants",
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-90', 'D08'],
    messages: {
      lock: {
        what: '{place} works for one tenant under a lock that is the same for all.',
        why: 'While one tenant holds it, the others wait or are turned away, and can tell that somebody is at work.',
        fix: 'Make the tenant a part of what the lock is taken by.',
      },
      limit: {
        what: '{place} works for one tenant and counts the requests of all tenants together.',
        why: 'One tenant who asks often uses up the share of the others.',
        fix: 'Make the tenant a part of the key that requests are counted under.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const overloads of model.schema.functions.values()) {
      for (const f of overloads) {
        const lock = f.queries.find(takesFixedLock(() => false));
        if (!lock || !worksForOneTenant(model, f)) continue;
        yield {
          message: 'lock',
          data: { place: `The function ${functionName(f)}` },
          span: lock.span,
          confidence: 'likely',
          key: functionKey(f),
        };
      }
    }
    const scoped = scopedFunctions(model);
    const isFixed = (value: Value): boolean => model.originOf(value) === 'fixed';
    for (const access of model.accesses) {
      if (access.in === undefined || !scoped.has(outermost(model, access.file, access.in.id))) continue;
      if (takesFixedLock(isFixed)(access))
        yield {
          message: 'lock',
          data: { place: placeOf(model, access.file, access.in.id) },
          span: access.span,
          confidence: 'likely',
          key: `${access.file} ${placeOf(model, access.file, access.in.id)}`,
        };
    }
    for (const resource of model.resources) {
      if (resource.kind !== 'lock' && resource.kind !== 'limit') continue;
      if (!scoped.has(outermost(model, resource.span.file, resource.function))) continue;
      if (!allFixed(resource.key, isFixed)) continue;
      yield {
        message: resource.kind,
        data: { place: placeOf(model, resource.span.file, resource.function) },
        span: resource.span,
        confidence: 'likely',
        key: `${resource.span.file} ${resource.library}.${resource.method} ${placeOf(model, resource.span.file, resource.function)}`,
      };
    }
  },
});

const advisoryLock = /(?:^|\.)pg_(?:try_)?advisory_(?:xact_)?lock(?:_shared)?$/;

/** Whether a statement takes an advisory lock whose key is the same whoever asks. */
const takesFixedLock =
  (isFixed: (value: Value) => boolean) =>
  ({ output, guards }: Access): boolean => {
    for (const node of nodesIn([output ?? [], guards ?? []])) {
      const value = node as unknown as Value;
      if (value.kind !== 'apply' || !advisoryLock.test(value.function)) continue;
      if (value.to.every((key) => allFixed(key, isFixed))) return true;
    }
    return false;
  };

/** Whether a value is made of nothing but what the program itself says. */
function allFixed(value: Value, isFixed: (value: Value) => boolean): boolean {
  switch (value.kind) {
    case 'constant':
      return true;
    case 'apply':
      return value.to.length > 0 && value.to.every((inner) => allFixed(inner, isFixed));
    case 'text':
      return value.parts.every((part) => !('hole' in part) || allFixed(part.hole, isFixed));
    default:
      return isFixed(value);
  }
}

/**
 * Whether a function of the database reaches tenants' rows, and only those of one tenant: by its own conditions, or by the policies that
 * hold for whoever calls it.
 */
function worksForOneTenant(model: Model, f: SchemaFunction): boolean {
  const tables = triggersOf(model, f).map(({ table }) => table);
  if (tables.some((table) => belongsToTenants(model, table.id))) return true;
  const { tables: reached, leaks } = model.functionAccess(f);
  if (!reached.some((id) => belongsToTenants(model, id))) return false;
  return leaks.every((leak) => {
    const table = model.schema.tables.get(leak.table);
    return leak.cause === 'parameter' || (!f.securityDefiner && table?.rowSecurity.enabled === true);
  });
}

/** Functions of code, each by the outermost one around it, that reach rows of tenants and only those of one tenant. */
function scopedFunctions(model: Model): ReadonlySet<FunctionId> {
  const all = new Map<FunctionId, boolean>();
  for (const access of model.accesses) {
    if (access.in === undefined) continue;
    for (const target of access.targets) {
      const table = model.tableOf(target);
      if (!table || !belongsToTenants(model, table.id)) continue;
      const id = outermost(model, access.file, access.in.id);
      all.set(id, all.get(id) !== false && isOfOneTenant(model, access, target));
    }
  }
  return new Set([...all].filter(([, scoped]) => scoped).map(([id]) => id));
}

const isOfOneTenant = (model: Model, access: LinkedAccess, target: LinkedAccess['targets'][number]): boolean =>
  target.operation === 'create' || model.verdict(access, target).kind === 'isolated';

/** The function of the module that a function stands in, or the function itself: callbacks belong to what they are handed to. */
function outermost(model: Model, file: string, id: FunctionId): FunctionId {
  const all = model.files.get(file)?.functions ?? [];
  const functions = new Map(all.map((f) => [f.id, f]));
  const [body] = all;
  let at = id;
  for (let f = functions.get(at); f?.parent !== undefined; f = functions.get(at)) {
    const parent = functions.get(f.parent);
    if (parent === undefined || parent === body) break;
    at = parent.id;
  }
  return at;
}

function placeOf(model: Model, file: string, id: FunctionId): string {
  const top = outermost(model, file, id);
  const name = model.files.get(file)?.functions.find((f) => f.id === top)?.name;
  return name === undefined ? 'This function' : `The function ${name}`;
}
