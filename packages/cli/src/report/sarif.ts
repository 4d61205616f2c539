import type { Log, PhysicalLocation, ReportingDescriptor, Result } from 'sarif';
import type { Finding, Fix, Span } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { sarifRules } from '../gen/sarif-rules.gen.js';
import { version } from '../version.js';
import { placeOf } from './place.js';
import { printableJson } from './printable.js';

const levels = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0, for code scanning. */
export function sarifReport(report: Report): string {
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'tenant-lint',
            version,
            rules: report.rules.flatMap(({ meta, severity }) => {
              const descriptor = sarifRules.find((r) => r.id === meta.id);
              return descriptor ? [descriptorAt(descriptor, levels[severity])] : [];
            }),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: report.findings.map((f) => result(f, report)),
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.unchecked.map((u) => ({
              level: 'note' as const,
              message: { text: `not checked: ${u.reason}${u.detail === undefined ? '' : ` (${u.detail})`}` },
              locations: [
                {
                  physicalLocation: u.span
                    ? physical(report, u.span)
                    : { artifactLocation: { uri: encodeURI(u.file), uriBaseId: '%SRCROOT%' } },
                },
              ],
            })),
          },
        ],
      },
    ],
  };
  return `${printableJson(JSON.stringify(log, undefined, 2))}\n`;
}

/** The generated descriptor with the severity that holds in this run. */
const descriptorAt = (
  descriptor: (typeof sarifRules)[number],
  level: 'error' | 'warning' | 'note',
): ReportingDescriptor => ({
  ...descriptor,
  defaultConfiguration: { level },
  properties: {
    ...descriptor.properties,
    tags: [...descriptor.properties.tags],
    catalogue: [...descriptor.properties.catalogue],
  },
});

function result(f: Finding, report: Report): Result {
  return {
    ruleId: f.rule,
    level: levels[f.severity],
    message: { text: `${f.text.what} ${f.text.why} ${f.text.fix}` },
    locations: f.span
      ? [{ physicalLocation: physical(report, f.span) }]
      : [{ logicalLocations: [{ fullyQualifiedName: f.subject ?? f.table ?? f.rule }] }],
    partialFingerprints: { 'tenantLint/v1': f.fingerprint },
    relatedLocations: f.related.map((r, i) => ({
      id: i + 1,
      ...(r.span
        ? { physicalLocation: physical(report, r.span) }
        : { logicalLocations: [{ fullyQualifiedName: r.subject ?? '' }] }),
      message: { text: r.text },
    })),
    properties: {
      confidence: f.confidence,
      ...(f.evidence ? { evidence: f.evidence } : {}),
      ...(f.table ? { table: f.table } : {}),
    },
    ...(f.fixes.length > 0 ? { fixes: f.fixes.map((fix) => fixOf(fix)) } : {}),
    ...(f.baselined ? { baselineState: 'unchanged' as const } : {}),
    ...(f.suppressed
      ? {
          suppressions: [
            {
              kind: 'inSource' as const,
              ...(f.suppressReason !== undefined ? { justification: f.suppressReason } : {}),
            },
          ],
        }
      : {}),
  };
}

/** Edits by offsets, in UTF-16 units as the run says of columns. */
function fixOf({ description, edits }: Fix): NonNullable<Result['fixes']>[number] {
  const files = [...new Set(edits.map((e) => e.file))];
  return {
    description: { text: description },
    artifactChanges: files.map((file) => ({
      artifactLocation: { uri: encodeURI(file), uriBaseId: '%SRCROOT%' },
      replacements: edits
        .filter((e) => e.file === file)
        .map((e) => ({
          deletedRegion: { charOffset: e.start, charLength: e.end - e.start },
          insertedContent: { text: e.text },
        })),
    })),
  };
}

function physical(report: Report, span: Span): PhysicalLocation {
  const { start, end } = placeOf(report, span);
  return {
    artifactLocation: { uri: encodeURI(span.file), uriBaseId: '%SRCROOT%' },
    region: { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column },
  };
}
