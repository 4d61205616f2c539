import type { Finding, Span } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { version } from '../version.js';
import { placeOf } from './place.js';
import { printableJson } from './printable.js';

/** The json format, version 1. Equal reports give equal bytes. */
export function jsonReport(report: Report): string {
  const value = {
    version: 1,
    tool: { name: 'tenant-lint', version },
    summary: report.summary,
    findings: report.findings.map((f) => findingJson(f, report)),
    unchecked: report.unchecked.map((u) => ({
      file: u.file,
      reason: u.reason,
      ...(u.detail !== undefined ? { detail: u.detail } : {}),
      ...(u.span ? { start: placeOf(report, u.span).start } : {}),
    })),
    model: report.model,
  };
  return `${printableJson(JSON.stringify(value, undefined, 2))}\n`;
}

/** One finding as the json format has it. */
export function findingJson(f: Finding, report: Report): Record<string, unknown> {
  const at = ({ span, subject }: { readonly span?: Span; readonly subject?: string }): Record<string, unknown> => ({
    ...(span ? { file: span.file, ...placeOf(report, span) } : { file: null }),
    ...(subject === undefined ? {} : { subject }),
  });
  return {
    rule: f.rule,
    message: f.message,
    severity: f.severity,
    confidence: f.confidence,
    text: f.text,
    ...at(f),
    ...(f.table !== undefined ? { table: f.table } : {}),
    ...(f.evidence !== undefined ? { evidence: f.evidence } : {}),
    ...(f.witness !== undefined ? { witness: f.witness } : {}),
    fingerprint: f.fingerprint,
    suppressed: f.suppressed,
    ...(f.suppressReason !== undefined ? { suppressReason: f.suppressReason } : {}),
    baselined: f.baselined,
    related: f.related.map((r) => ({ ...at(r), text: r.text })),
    fixes: f.fixes,
  };
}
