import { defineRule } from '@tenant-lint/engine';
import { sameValue, type Index, type Predicate, type Table, type Value } from '@tenant-lint/model';
import { keyColumns, tableName } from '../../lib/naming.js';
import { placeOf } from '../../lib/evidence.js';
import { predicatesIn } from '../../lib/schema.js';
import { walk } from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'no-cast-on-tenant-key',
    group: 'index',
    summary: 'Disallow casts and functions on the tenant column in policies',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['X05'],
    messages: {
      changed: {
        what: 'Policy {policy} of {table} compares {expression} instead of {key}.',
        why: "No index over {key} serves the comparison, so every statement reads all tenants' rows.",
        fix: 'Compare {key} itself, and cast the other side to its type.',
      },
    },
  },
  subject: 'policy',
  *check({ table, policy }, model) {
    const keys = keyColumns(model.tenancyOf(table.id));
    for (const condition of [policy.using, policy.check]) {
      const changed = condition && changedKey(table, condition, keys);
      if (changed === undefined) continue;
      const place = placeOf(policy.origin, 'the policy is changed here');
      const span = condition === policy.using ? policy.usingSpan : policy.checkSpan;
      yield {
        message: 'changed',
        data: { policy: policy.name, table: tableName(table.id), key: changed.key, expression: shown(changed.value) },
        ...place,
        span: span ?? place.span,
        confidence: 'certain',
        table: table.id,
        key: `${table.id} ${policy.name}`,
        // Leaks of the same policy are another matter.
        cause: `cast ${table.id} ${policy.name}`,
      };
      return;
    }
  },
});

/** A side of a comparison that is made of a key, where no index is made of the same. */
function changedKey(
  table: Table,
  condition: Predicate,
  keys: readonly string[],
): { readonly key: string; readonly value: Value } | undefined {
  for (const part of predicatesIn(condition)) {
    const sides =
      part.kind === 'compare'
        ? [part.left, part.right]
        : part.kind === 'in'
          ? [part.left]
          : part.kind === 'in-query'
            ? part.left
            : [];
    for (const side of sides) {
      if (side.kind !== 'apply' || isSameToPostgres(table, side)) continue;
      const key = keyIn(side, keys);
      if (key !== undefined && !table.indexes.some((index) => servesExpression(index, side)))
        return { key, value: side };
    }
  }
  return undefined;
}

/** The key that a value is made of, where it is made of nothing else of the row. */
function keyIn(value: Value, keys: readonly string[]): string | undefined {
  const columns = new Set<string>();
  walk(value, (node) => {
    if (node['kind'] === 'column') columns.add(node['target'] === 'self' ? String(node['column']) : '');
  });
  const [only, ...more] = columns;
  return only !== undefined && more.length === 0 && keys.includes(only) ? only : undefined;
}

/** A cast between text types leaves the column as it is, and so does one to its own type. */
function isSameToPostgres(table: Table, value: Extract<Value, { kind: 'apply' }>): boolean {
  const [of] = value.to;
  if (!value.function.startsWith('cast:') || of?.kind !== 'column') return false;
  const from = table.columns.get(of.column)?.type ?? '';
  const to = value.function.slice('cast:'.length);
  const isText = (type: string): boolean => /^(?:text|character varying|varchar)/.test(type);
  return from === to || (isText(from) && isText(to));
}

/** The target of a column has another name in an index than in a policy. */
const servesExpression = (index: Index, value: Value): boolean => {
  const expression = index.keys[0]?.expression;
  return expression !== undefined && sameValue(plain(expression), plain(value));
};

const plain = (value: Value): Value =>
  JSON.parse(
    JSON.stringify(value, (key, inner: unknown) =>
      key === 'span' || key === 'target' || key === 'candidates' ? undefined : inner,
    ),
  ) as Value;

function shown(value: Value): string {
  if (value.kind === 'column') return value.column;
  if (value.kind === 'constant') return JSON.stringify(value.value);
  if (value.kind !== 'apply') return '...';
  const inner = value.to.map(shown).join(', ');
  return value.function.startsWith('cast:')
    ? `${inner}::${value.function.slice('cast:'.length)}`
    : `${value.function}(${inner})`;
}
