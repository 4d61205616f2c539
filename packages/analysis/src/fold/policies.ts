import { spanContains, type Policy, type SchemaAction, type Span } from '@tenant-lint/model';
import { losePolicies } from './history.js';
import type { Captured } from './rewrite.js';
import { born, changedBy, idOfDraft, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

/** CREATE, ALTER (which replaces the parts it names and keeps the others) and DROP POLICY. */
export function applyPolicy(
  world: World,
  action: Action<'create policy' | 'alter policy' | 'drop policy'>,
  span: Span,
): void {
  if (action.do === 'drop policy' && !world.table(action.table)) return;
  const table = world.require(action.table, action.do, span);
  if (!table) return;
  const id = idOfDraft(table);
  const bound = <T extends object>(root: T): T & Pick<Policy, 'captured'> => {
    const captured: Captured[] = [];
    const tied = world.bind(root, id, captured);
    return captured.length > 0 ? { ...tied, captured } : tied;
  };
  switch (action.do) {
    case 'create policy':
      losePolicies(world, table, action.policy.name, span);
      table.policies = table.policies.filter((p) => p.name !== action.policy.name);
      table.policies.push({ ...bound(action.policy), origin: born(span) });
      break;
    case 'drop policy':
      losePolicies(world, table, action.name, span);
      table.policies = table.policies.filter((p) => p.name !== action.name);
      break;
    case 'alter policy': {
      const at = table.policies.findIndex((p) => p.name === action.name);
      const policy = table.policies[at];
      if (!policy) {
        world.dangling.push({ what: `alter of policy ${action.name}`, span });
        return;
      }
      if (action.using || action.check || action.roles) losePolicies(world, table, action.name, span);
      const { using, check, usingSpan, checkSpan, usingCalls, checkCalls } = action;
      const { captured: now = [], ...parts } = bound({ ...(using ? { using } : {}), ...(check ? { check } : {}) });
      const { captured: before = [], ...kept } = policy;
      const replaced = [...(using ? [policy.usingSpan] : []), ...(check ? [policy.checkSpan] : [])];
      const left = before.filter((c) => !replaced.some((r) => r && c.span && spanContains(r, c.span)));
      const captured = [...left, ...now];
      table.policies[at] = {
        ...kept,
        ...parts,
        ...(captured.length > 0 ? { captured } : {}),
        ...(action.rename === undefined ? {} : { name: action.rename }),
        ...(action.roles === undefined ? {} : { roles: action.roles }),
        ...(usingSpan === undefined ? {} : { usingSpan }),
        ...(checkSpan === undefined ? {} : { checkSpan }),
        ...(usingCalls === undefined ? {} : { usingCalls }),
        ...(checkCalls === undefined ? {} : { checkCalls }),
        origin: changedBy(policy.origin, span),
      };
    }
  }
  table.origin = changedBy(table.origin, span);
}
