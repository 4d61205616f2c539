import type { Evidence, Finding, Severity, Unchecked } from '@tenant-lint/model';
import type { Need, RuleMeta } from './rule.js';

/** All a reporter gets. Plain data in a stable order: the same input gives the same report. */
export interface Report {
  /** Suppressed and baselined ones included, with their flags; those below the confidence threshold are left out. */
  readonly findings: readonly Finding[];
  readonly unchecked: readonly Unchecked[];
  readonly model: ModelFigures;
  readonly summary: Summary;
  /** The rules that ran, with the severity they ran at. */
  readonly rules: readonly { readonly meta: RuleMeta; readonly severity: Exclude<Severity, 'off'> }[];
  /** Rules that did not run because the project lacks what they need. */
  readonly unmet: readonly { readonly need: Need; readonly rules: readonly string[] }[];
  /** The data libraries that were looked for, by title; others are none of the project's. */
  readonly libraries: readonly string[];
  /** Findings below the confidence threshold that are neither suppressed nor baselined. */
  readonly hiddenPossible: number;
  /** Line starts of the files that findings and unchecked entries point into. */
  readonly lineStarts: Readonly<Record<string, readonly number[]>>;
}

/** Counts what decides the exit code: suppressed and baselined findings count only as such. */
export interface Summary {
  readonly error: number;
  readonly warning: number;
  readonly info: number;
  readonly suppressed: number;
  readonly baselined: number;
  readonly unchecked: number;
}

export interface ModelFigures {
  readonly tables: number;
  /** Tables whose rows belong to one tenant, by a key of their own. */
  readonly keyed: number;
  readonly accesses: number;
  /** Of each target with an obligation, what its isolation rests on; kinds that do not occur are left out. */
  readonly evidence: Readonly<Partial<Record<Evidence, number>>>;
}
