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
  ['no-shadowed-column', 'no-fail-open-policy', 'no-user-controlled-claim', 'no-leaking-check', 'no-leaking-policy'],
  ['no-bypassing-role', 'no-owning-app-role', 'require-forced-row-security'],
  ['no-definer-without-tenant', 'no-public-definer'],
  ['no-weakened-isolation', 'no-dormant-policy', 'no-unprotected-lookup', 'require-row-security'],
];

const ranks = new Map(orders.flatMap((order) => order.map((rule, rank) => [rule, rank] as const)));

/** How specific a rule is among those that may explain the same cause; lower is more specific, undefined for rules that never compete. */
export const rank = (rule: string): number | undefined => ranks.get(rule);

/** Leaves of every cause only what its most specific rule says. */
export function oneFindingPerCause<T extends { readonly rule: string; readonly cause: string | undefined }>(
  found: readonly T[],
): T[] {
  const best = new Map<string, number>();
  for (const { rule, cause } of found) {
    const of = rank(rule);
    if (cause !== undefined && of !== undefined) best.set(cause, Math.min(of, best.get(cause) ?? of));
  }
  return found.filter(({ rule, cause }) => {
    const of = rank(rule);
    return cause === undefined || of === undefined || best.get(cause) === of;
  });
}
