import type { Finding } from '@tenant-lint/model';

/** Findings of one rule and one message. */
export interface Group {
  readonly first: Finding;
  readonly others: readonly Finding[];
}

const severities = { error: 0, warning: 1, info: 2 } as const;
const confidences = { certain: 0, likely: 1, possible: 2 } as const;
const weight = (f: Finding): number => severities[f.severity] * 3 + confidences[f.confidence];

/** Findings by rule, message and severity, the worst group first, and within a group the most certain first; otherwise in the given order. */
export function groupsOf(findings: readonly Finding[]): Group[] {
  const groups = new Map<string, Finding[]>();
  for (const f of findings) {
    const key = JSON.stringify([f.rule, f.message, f.severity]);
    const group = groups.get(key);
    if (group) group.push(f);
    else groups.set(key, [f]);
  }
  return [...groups.values()]
    .map((group) => [...group].sort((a, b) => weight(a) - weight(b)))
    .sort((a, b) => weight(a[0]!) - weight(b[0]!))
    .map(([first, ...others]) => ({ first: first!, others }));
}
