import type { Model } from '@tenant-lint/analysis';
import { Failure } from '@tenant-lint/workspace';

/** Where inference found nothing convincing: the failure that names the candidates, so that one line of configuration settles it. */
export function refusal(model: Model): Failure | undefined {
  const { refused } = model.tenancy;
  if (!refused) return undefined;
  const candidates = refused.candidates
    .slice(0, 5)
    .map((c) => `  ${c.key}${c.root === undefined ? '' : ` (tenants in ${c.root})`}: on ${c.tables} tables; ${c.why}`);
  return new Failure(
    [
      `Which column says whose row it is could not be inferred: ${refused.reason}.`,
      ...(candidates.length > 0 ? ['Candidates:', ...candidates] : []),
    ].join('\n'),
    {
      advice: `Name it in tenant-lint.config.ts: tenancy: { keys: ['${refused.candidates[0]?.key ?? 'tenant_id'}'], roots: ['${refused.candidates[0]?.root ?? 'tenants'}'] }.`,
    },
  );
}
