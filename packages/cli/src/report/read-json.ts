import { readFileSync } from 'node:fs';
import { findingOrder, summarize, type Report } from '@tenant-lint/engine';
import type { Finding, Span, Unchecked } from '@tenant-lint/model';
import { rules } from '@tenant-lint/rules';
import { codeOf, Failure } from '@tenant-lint/workspace';
import { compare } from './words.js';

/** Reports of the json format as one report. Throws Failure for what is none, or where they are of different runs. */
export function readReports(files: readonly string[]): Report {
  const read = files.map((file) => ({ file, report: parsed(file) }));
  const [first] = read;
  if (!first) throw new Failure('There is nothing to merge.', { advice: 'Give the json reports of the shards.' });
  for (const { file, report } of read) {
    if (JSON.stringify([report.tool, report.model]) !== JSON.stringify([first.report.tool, first.report.model])) {
      throw new Failure(
        'These reports are not of one run: they come from another version, or another state of the project.',
        {
          where: file,
          advice: `It is at odds with ${first.file}. Make every shard from the same commit.`,
        },
      );
    }
  }
  const places = new Places();
  const findings = unique(
    read.flatMap(({ report }) => report.findings.map((f) => findingOf(f, places))),
    (f) => f.fingerprint + (f.span ? `${f.span.file}:${f.span.start}` : ''),
  ).sort(findingOrder);
  const unchecked = unique(
    read.flatMap(({ report }) => report.unchecked.map((u) => uncheckedOf(u, places))),
    (u) => JSON.stringify(u),
  ).sort(
    (a, b) => compare(a.file, b.file) || (a.span?.start ?? -1) - (b.span?.start ?? -1) || compare(a.reason, b.reason),
  );
  const names = new Set(findings.map((f) => f.rule));
  return {
    findings,
    unchecked,
    model: first.report.model,
    summary: summarize(findings, unchecked),
    rules: rules.filter((r) => names.has(r.meta.id)).map(({ meta }) => ({ meta, severity: meta.severity })),
    unmet: [],
    libraries: [],
    hiddenPossible: 0,
    lineStarts: places.lineStarts(),
  };
}

interface JsonPosition {
  readonly line: number;
  readonly column: number;
}
interface JsonPlace {
  readonly file: string | null;
  readonly start?: JsonPosition;
  readonly end?: JsonPosition;
}
type JsonFinding = Omit<Finding, 'span' | 'related'> &
  JsonPlace & { readonly related: readonly (JsonPlace & { readonly subject?: string; readonly text: string })[] };
type JsonUnchecked = Omit<Unchecked, 'span'> & { readonly start?: JsonPosition };
interface JsonReport {
  readonly version: 1;
  readonly tool: unknown;
  readonly model: Report['model'];
  readonly findings: readonly JsonFinding[];
  readonly unchecked: readonly JsonUnchecked[];
}

function parsed(file: string): JsonReport {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Failure(`The report cannot be read (${error instanceof SyntaxError ? 'not JSON' : codeOf(error)}).`, {
      where: file,
      advice: 'Merge takes what check --format json wrote.',
      cause: error,
    });
  }
  if (!isReport(raw))
    throw new Failure('This is no report of the json format, version 1.', {
      where: file,
      advice: 'Merge takes what check --format json wrote.',
    });
  return raw;
}

const isReport = (raw: unknown): raw is JsonReport => {
  if (typeof raw !== 'object' || raw === null) return false;
  const report = raw as Record<string, unknown>;
  return (
    report['version'] === 1 &&
    typeof report['model'] === 'object' &&
    Array.isArray(report['unchecked']) &&
    Array.isArray(report['findings']) &&
    report['findings'].every(
      (f: unknown) => typeof f === 'object' && f !== null && 'fingerprint' in f && 'text' in f && 'related' in f,
    )
  );
};

function findingOf(f: JsonFinding, places: Places): Finding {
  const { file, start, end, related, ...rest } = f;
  const span = places.span({ file, ...(start ? { start } : {}), ...(end ? { end } : {}) });
  return {
    ...rest,
    ...(span ? { span } : {}),
    related: related.map((r) => {
      const at = places.span(r);
      return { ...(at ? { span: at } : {}), ...(r.subject === undefined ? {} : { subject: r.subject }), text: r.text };
    }),
  };
}

function uncheckedOf({ start, ...rest }: JsonUnchecked, places: Places): Unchecked {
  const span = start && places.span({ file: rest.file, start, end: start });
  return { ...rest, ...(span ? { span } : {}) };
}

/** Lines and columns as offsets of a text that nobody has: each line is as long as no line is. */
class Places {
  readonly #last = new Map<string, number>();

  span({ file, start, end = start }: JsonPlace): Span | undefined {
    if (file === null || !start || !end) return undefined;
    this.#last.set(file, Math.max(this.#last.get(file) ?? 1, start.line, end.line));
    return { file, start: offset(start), end: offset(end) };
  }

  lineStarts(): Report['lineStarts'] {
    return Object.fromEntries(
      [...this.#last]
        .sort(([a], [b]) => compare(a, b))
        .map(([file, last]) => [file, Array.from({ length: last }, (_, i) => i * lineLength)]),
    );
  }
}

const lineLength = 2 ** 26;
const offset = ({ line, column }: JsonPosition): number => (line - 1) * lineLength + column - 1;

function unique<T>(all: readonly T[], key: (one: T) => string): T[] {
  const seen = new Set<string>();
  return all.filter((one) => {
    const k = key(one);
    return seen.has(k) ? false : Boolean(seen.add(k));
  });
}
