import { sectionsOf, type Fence, type Section } from './markdown.js';

/**
 * A finding that a trailing comment `error: rule-id` or `error: rule-id possible` asks for. With `warning:` or `info:` the message must
 * have that severity; `error:` stands for a finding of any.
 */
export interface Mark {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  /** The finding has confidence `possible`, so it is not shown by default. */
  readonly possible: boolean;
  readonly severity?: 'warning' | 'info';
}

/** SQL to run after the files of a case: its last statement returns (or affects) rows where the defect shows: foreign rows, or what a
 * query about the effect finds. In a good case it returns none. */
export interface Probe {
  readonly leaks: boolean;
  /** The major version of Postgres from which on the case is one: it names what earlier ones do not have. */
  readonly since?: number;
  readonly text: string;
}

/** One small project, and what must be said about it. */
export interface Case {
  readonly title: string;
  readonly line: number;
  /** Catalogue entries in brackets at the end of the heading: `## Read with no filter [C-1]`. */
  readonly entries: readonly string[];
  /** Texts by path, marks removed. */
  readonly files: Readonly<Record<string, string>>;
  readonly marks: readonly Mark[];
  readonly probes: readonly Probe[];
  /** A README example: what it must give where it has no marks. */
  readonly example?: 'invalid' | 'valid';
}

/** The heading of files that belong to every case of the document, unless a case has a file of the same name. */
const sharedTitle = 'Shared files';

/** The cases of a cases.md. Throws on one without an explaining sentence or without files: a case nobody can read, or that proves nothing. */
export function parseCases(markdown: string): Case[] {
  const sections = sectionsOf(markdown).filter((section) => section.fences.length > 0);
  const shared = sharedFiles(sections);
  return sections
    .filter((section) => section.title !== sharedTitle)
    .map((section) => {
      if (section.prose === '') throw new Error(`case "${section.title}" does not say what it shows`);
      return caseOf(section, shared);
    });
}

const sharedFiles = (sections: readonly Section[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    sections
      .filter((section) => section.title === sharedTitle)
      .flatMap((section) => section.fences.map((fence) => [fence.info[1] ?? '', fence.text] as const)),
  );

/** The examples of a README: the sections Invalid and Valid, and those below them. */
export function parseExamples(markdown: string): Case[] {
  const sections = sectionsOf(markdown);
  const shared = sharedFiles(sections);
  return sections.flatMap((section) => {
    const kind = [...section.parents, section.title]
      .map((t) => t.toLowerCase())
      .find((t) => t === 'invalid' || t === 'valid');
    if (kind === undefined || section.fences.length === 0) return [];
    return [{ ...caseOf(section, shared), example: kind as 'invalid' | 'valid' }];
  });
}

function caseOf(section: Section, shared: Readonly<Record<string, string>>): Case {
  const entries =
    /\[([^\]]+)\]\s*$/
      .exec(section.title)?.[1]
      ?.split(/[,\s]+/)
      .filter(Boolean) ?? [];
  const sources = section.fences.filter((fence) => !isProbe(fence));
  if (sources.length === 0) throw new Error(`case "${section.title}" has no files`);
  const files: Record<string, string> = {};
  const marks: Mark[] = [];
  for (const fence of sources) {
    const file = fence.info[1];
    if (file === undefined) throw new Error(`line ${fence.line}: the block does not name its file`);
    if (file in files) throw new Error(`line ${fence.line}: ${file} occurs twice in "${section.title}"`);
    const read = readMarks(file, fence.text);
    files[file] = read.text;
    marks.push(...read.marks);
  }
  const probes = section.fences.filter(isProbe).map((fence) => ({ ...probeKind(fence), text: fence.text }));
  return { title: section.title, line: section.line, entries, files: { ...shared, ...files }, marks, probes };
}

const isProbe = (fence: Fence): boolean => fence.info[0] === 'sql' && fence.info[1] === 'probe';

function probeKind(fence: Fence): Omit<Probe, 'text'> {
  const [, , kind, since, version] = fence.info;
  if ((kind === 'bad' || kind === 'good') && (since === undefined || (since === 'since' && Number(version) > 0)))
    return { leaks: kind === 'bad', ...(since === undefined ? {} : { since: Number(version) }) };
  throw new Error(`line ${fence.line}: a probe is "probe bad" or "probe good", perhaps "since" a version of Postgres`);
}

/** Takes the marks out of a text; lines keep their numbers. */
function readMarks(file: string, text: string): { text: string; marks: Mark[] } {
  const marks: Mark[] = [];
  const lines = text.split('\n').map((line, index) => {
    const mark = /\s*(?:\/\/|--) (error|warning|info): ([\w\s,-]+)$/.exec(line);
    if (!mark) return line;
    for (const part of mark[2]?.split(',') ?? []) {
      const [rule = '', confidence] = part.trim().split(/\s+/);
      const found = { file, line: index + 1, rule, possible: confidence === 'possible' };
      marks.push(mark[1] === 'warning' || mark[1] === 'info' ? { ...found, severity: mark[1] } : found);
    }
    return line.slice(0, mark.index);
  });
  return { text: lines.join('\n'), marks };
}
