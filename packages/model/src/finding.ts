import type { Span } from './span.js';
import type { Confidence, Evidence } from './verdict.js';

export const severities = ['off', 'info', 'warning', 'error'] as const;
export type Severity = (typeof severities)[number];

/** A finding as hosts see it, rendered and judged. */
export interface Finding {
  readonly rule: string;
  /** Message id within the rule. */
  readonly message: string;
  readonly severity: Exclude<Severity, 'off'>;
  readonly confidence: Confidence;
  readonly text: { readonly what: string; readonly why: string; readonly fix: string };
  /** Absent for a finding about something without a file; then `subject` says what. */
  readonly span?: Span;
  readonly subject?: string;
  readonly table?: string;
  readonly evidence?: Evidence;
  readonly witness?: string;
  /** Depends on rule, subject and occurrence, never on line numbers. */
  readonly fingerprint: string;
  readonly suppressed: boolean;
  readonly suppressReason?: string;
  readonly baselined: boolean;
  readonly related: readonly ReportedRelated[];
  readonly fixes: readonly Fix[];
}

export interface Related {
  readonly span: Span;
  readonly text: string;
}

/** The same as it is reported: what stands in no file has a `subject` in the place of a span. */
export interface ReportedRelated {
  readonly span?: Span;
  readonly subject?: string;
  readonly text: string;
}

export interface Fix {
  readonly description: string;
  readonly edits: readonly Edit[];
}

/** Replaces [start, end) of a file by text. */
export interface Edit {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
