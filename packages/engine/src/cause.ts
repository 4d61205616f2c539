/**
 * A target or a policy is reported by the most specific rule that explains it, most specific first; the others stay silent about it.
 * Names of rules are plain data here: a rule that is not in a list shares no cause with another.
 */
const orders: readonly (readonly string[])[] = [
  [
    'no-shared-tenant-state',
    'no-lost-filter',
    'no-vanishing-filter',
    'no-escaped-filter',
    'no-tenant-fallback',
    'no-unverified-claim',
    'no-untrusted-tenant',
    'no-session-tenant-setting',
    'no-fail-open-check',
    'no-disabled-scope',
    'no-unscoped-client',
    'require-database-isolation',
    'no-half-scoped-upsert',
    'no-unscoped-get',
    'no-privileged-client',
    'require-tenant-in-join',
    'require-tenant-filter',
  ],
  [
    'no-shadowed-column',
    'no-fail-open-policy',
    'no-user-controlled-claim',
    'no-weakened-isolation',
    'no-leaking-check',
    'no-leaking-policy',
  ],
  // A table whose rows no policy guards.
  [
    'no-weakened-isolation',
    'no-unprotected-copy',
    'require-row-security-on-partition',
    'no-dormant-policy',
    'no-unprotected-lookup',
    'require-row-security',
  ],
  // A key that may be NULL, is gone, or is no part of what must be unique.
  ['no-weakened-isolation', 'require-tenant-not-null'],
  ['no-weakened-isolation', 'require-tenant-column', 'require-own-tenant-key'],
  ['no-weakened-isolation', 'require-tenant-in-unique'],
  ['no-bypassing-role', 'no-owning-app-role', 'require-forced-row-security'],
  ['no-definer-without-tenant', 'no-public-definer'],
  // A view that shows what policies hold back; code that reads it shows that it is reached.
  ['require-database-isolation', 'require-security-invoker'],
  ['no-lost-function-attribute', 'require-pinned-search-path'],
];

/** Whether the first rule explains a cause more closely than the second; false for rules that never compete. */
export const isMoreSpecific = (rule: string, than: string): boolean =>
  orders.some((order) => order.includes(rule) && order.indexOf(rule) < order.indexOf(than));

/** Leaves of every cause only what its most specific rule says. What has several causes stays while it says the most about one of them. */
export function oneFindingPerCause<T extends { readonly rule: string; readonly cause: Cause }>(
  found: readonly T[],
): T[] {
  const rules = new Map<string, Set<string>>();
  for (const { rule, cause } of found)
    for (const one of causesOf(cause)) {
      const known = rules.get(one);
      if (known) known.add(rule);
      else rules.set(one, new Set([rule]));
    }
  return found.filter(({ rule, cause }) => {
    const causes = causesOf(cause);
    const isBest = (one: string): boolean => ![...(rules.get(one) ?? [])].some((other) => isMoreSpecific(other, rule));
    return causes.length === 0 || causes.some(isBest);
  });
}

export type Cause = string | readonly string[] | undefined;

const causesOf = (cause: Cause): readonly string[] =>
  cause === undefined ? [] : typeof cause === 'string' ? [cause] : cause;
