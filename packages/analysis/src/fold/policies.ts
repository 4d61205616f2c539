import type { SchemaAction, Span } from '@tenant-lint/model';
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
  switch (action.do) {
    case 'create policy':
      table.policies = table.policies.filter((p) => p.name !== action.policy.name);
      table.policies.push({ ...world.bind(action.policy, id), origin: born(span) });
      break;
    case 'drop policy':
      table.policies = table.policies.filter((p) => p.name !== action.name);
      break;
    case 'alter policy': {
      const at = table.policies.findIndex((p) => p.name === action.name);
      const policy = table.policies[at];
      if (!policy) {
        world.dangling.push({ what: `alter of policy ${action.name}`, span });
        return;
      }
      table.policies[at] = {
        ...policy,
        ...(action.rename === undefined ? {} : { name: action.rename }),
        ...(action.roles === undefined ? {} : { roles: action.roles }),
        ...(action.using === undefined ? {} : { using: world.bind(action.using, id) }),
        ...(action.check === undefined ? {} : { check: world.bind(action.check, id) }),
        ...(action.usingSpan === undefined ? {} : { usingSpan: action.usingSpan }),
        ...(action.checkSpan === undefined ? {} : { checkSpan: action.checkSpan }),
        origin: changedBy(policy.origin, span),
      };
    }
  }
  table.origin = changedBy(table.origin, span);
}
