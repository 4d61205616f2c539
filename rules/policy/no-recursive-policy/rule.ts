import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { cycles, type Step } from './lib/cycles.js';

export default defineRule({
  meta: {
    id: 'no-recursive-policy',
    group: 'policy',
    summary: 'Disallow policies that ask their own table again',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Q17', 'Q18'],
    messages: {
      own: {
        what: 'Policy {policy} of {table} reads {table} itself{way}.',
        why: 'Postgres asks the policies of {table} for that again, and refuses every query of the table: infinite recursion.',
        fix: 'Read {table} in a SECURITY DEFINER function with a pinned search_path, whose owner row security does not hold for.',
      },
      mutual: {
        what: 'The policies of {table} ask those of {through}, which ask {table} again.',
        why: 'Postgres refuses every query of these tables: infinite recursion.',
        fix: 'Break the circle: read one of the tables in a SECURITY DEFINER function with a pinned search_path.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const steps of cycles(model)) {
      const [first, ...rest] = steps;
      if (first === undefined) continue;
      yield {
        message: rest.length === 0 ? 'own' : 'mutual',
        data: {
          policy: first.policy.name,
          table: tableName(first.table.id),
          through: rest.map((step) => tableName(step.table.id)).join(', '),
          way: first.function === undefined ? '' : `, in the function ${first.function.name.name}`,
        },
        span: first.policy.origin.created,
        related: [...steps.flatMap(functionOf), ...rest.map(policyOf)],
        confidence: steps.some((step) => step.doubt) ? 'possible' : 'certain',
        table: first.table.id,
        key: steps.map((step) => step.table.id).join(' '),
      };
    }
  },
});

const policyOf = ({ policy, table }: Step) => ({
  span: policy.origin.created,
  text: `policy ${policy.name} of ${tableName(table.id)} is asked on the way`,
});

const functionOf = (step: Step) =>
  step.function === undefined ? [] : [{ span: step.function.origin.created, text: 'this function reads the table' }];
