import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '@tenant-lint/model';
import { codeOf, Failure } from '@tenant-lint/workspace';
import type { CheckFlags } from './options.js';
import type { Io } from './main.js';

/** Where a baseline lies that nobody named. */
export const usualBaseline = 'tenant-lint-baseline.json';

/** One accepted finding. Only the fingerprint decides; the rest is for whoever reads or reviews the file. */
export interface Accepted {
  readonly fingerprint: string;
  readonly rule?: string;
  readonly file?: string;
  readonly text?: string;
}

/** The fingerprints that a run accepts: of the file given, or of the usual one where it is there. Throws Failure. */
export function baselineFor(
  flags: Pick<CheckFlags, 'baseline'>,
  root: string,
  io: Pick<Io, 'cwd'>,
): ReadonlySet<string> | undefined {
  if (flags.baseline === false) return undefined;
  const file =
    typeof flags.baseline === 'string' ? path.resolve(io.cwd, flags.baseline) : path.join(root, usualBaseline);
  if (typeof flags.baseline !== 'string' && !existsSync(file)) return undefined;
  return new Set(readBaseline(file).map((accepted) => accepted.fingerprint));
}

/** The entries of a baseline file: `{ "version": 1, "findings": [{ "fingerprint": "..." }] }`. Throws Failure. */
export function readBaseline(file: string): readonly Accepted[] {
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
  return findings.filter(
    (f: unknown): f is Accepted =>
      typeof f === 'object' && f !== null && 'fingerprint' in f && typeof f.fingerprint === 'string',
  );
}

/** The text of a baseline file: ordered by file, rule and fingerprint, so that its changes read well in a review. */
export function baselineText(accepted: readonly Accepted[]): string {
  const key = (a: Accepted): string => JSON.stringify([a.file ?? '', a.rule ?? '', a.fingerprint]);
  const findings = [...accepted].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return `${JSON.stringify({ version: 1, findings }, undefined, 2)}\n`;
}

/** What is written of a finding. */
export const acceptedOf = (f: Finding): Accepted => ({
  fingerprint: f.fingerprint,
  rule: f.rule,
  ...(f.span ? { file: f.span.file } : {}),
  text: f.text.what,
});
