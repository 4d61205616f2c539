import { readFileSync } from 'node:fs';
import { codeOf, Failure } from '@tenant-lint/workspace';

/** The fingerprints of a baseline file: `{ "version": 1, "findings": [{ "fingerprint": "..." }] }`. Throws Failure. */
export function readBaseline(file: string): ReadonlySet<string> {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Failure(`The baseline cannot be read (${error instanceof SyntaxError ? 'not JSON' : codeOf(error)}).`, {
      where: file,
      advice: 'Check --baseline.',
      cause: error,
    });
  }
  const findings = typeof raw === 'object' && raw !== null && 'findings' in raw ? raw.findings : undefined;
  if (!Array.isArray(findings))
    throw new Failure('This is no baseline: it has no list of findings.', { where: file, advice: 'Check --baseline.' });
  return new Set(
    findings.flatMap((f: unknown) =>
      typeof f === 'object' && f !== null && 'fingerprint' in f && typeof f.fingerprint === 'string'
        ? [f.fingerprint]
        : [],
    ),
  );
}
