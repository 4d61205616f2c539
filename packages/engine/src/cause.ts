/**
 * A target or a policy is reported by the most specific rule that explains it, most specific first; the others stay silent about it.
 * Names of rules are plain data here: a rule that is not in a list shares no cause with another.
 */
const orders: readonly (readonly string[])[] = [
  [
    'no-lost-filter',
    'no-vanishing-filter',
    'no-escaped-filter',
    'no-tenant-fallback',
    'no-unverified-claim',
    'no-untrusted-tenant',
    'no-disabled-scope',
    'no-unscoped-client',
    'no-unscoped-get',
    'require-tenant-in-join',
    'require-tenant-filter',
  ],
  [
    'no-weakened-isolation',
    'no-shadowed-column',
    'no-fail-open-policy',
    'no-user-controlled-claim',
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
  ['no-lost-function-attribute', 'require-pinned-search-path'],
];

const ranks = new Map(orders.flatMap((order) => order.map((rule, rank) => [rule, rank] as const)));

/** How specific a rule is among those that may explain the same cause; lower is more specific, undefined for rules that never compete. */
export const rank = (rule: string): number | undefined => ranks.get(rule);

/** Leaves of every cause only what its most specific rule says. What has several causes stays while it says the most about one of them. */
export function oneFindingPerCause<T extends { readonly rule: string; readonly cause: Cause }>(
  found: readonly T[],
): T[] {
  const best = new Map<string, number>();
  for (const { rule, cause } of found) {
    const of = rank(rule);
    if (of !== undefined) for (const one of causesOf(cause)) best.set(one, Math.min(of, best.get(one) ?? of));
  }
  return found.filter(({ rule, cause }) => {
    const of = rank(rule);
    const causes = causesOf(cause);
    return causes.length === 0 || of === undefined || causes.some((one) => best.get(one) === of);
  });
}

export type Cause = string | readonly string[] | undefined;

const causesOf = (cause: Cause): readonly string[] =>
  cause === undefined ? [] : typeof cause === 'string' ? [cause] : cause;
