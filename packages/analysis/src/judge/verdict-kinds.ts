import type { Reason, Verdict } from '@tenant-lint/model';

/** A verdict that rests on one reason. */
export const isolated = (evidence: 'isolated' | 'guarded' | 'contextual' | 'intended', reason: Reason): Verdict => ({
  kind: 'isolated',
  evidence,
  because: [reason],
});
export const unknown = (reason: Reason): Verdict => ({ kind: 'unknown', evidence: 'unknown', hangsOn: [reason] });
