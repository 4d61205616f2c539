import type { Model } from '@tenant-lint/analysis';
import { runRules, type Rule } from '@tenant-lint/engine';
import { positionAt, type Finding } from '@tenant-lint/model';
import type { Case, Mark } from './cases.js';

/** Builds the model of a project in memory; the test hands in how. */
export type Analyze = (files: Readonly<Record<string, string>>) => Model;

/**
 * Runs SQL in a database of its own: first the texts of `setup`, in order, as the owner; then `probe`, whose last statement counts. Gives
 * the number of rows it returned, or affected where it returns none; 0 where the database refused it for lack of privilege or by a
 * constraint (SQLSTATE 42501 or class 23). Rejects on any other error.
 */
export type ProbeExecutor = (setup: readonly string[], probe: string) => Promise<number>;

/**
 * What is wrong with a case, empty if nothing is: every mark must be met by a finding of the rule at that line, and every finding of the
 * rule, `possible` ones included, by a mark.
 */
export function checkCase(one: Case, rule: Rule, rules: readonly Rule[], analyze: Analyze): string[] {
  const findings = findingsOf(one, rule, rules, analyze);
  const actual = findings.filter((f) => f.rule === rule.meta.id && !f.suppressed);
  if (one.example !== undefined && one.marks.length === 0) {
    if (one.example === 'valid') return actual.map((f) => `unexpected: ${describe(one, f)}`);
    return actual.length > 0 ? [] : ['the example is not reported'];
  }
  const open = one.marks.filter((mark) => mark.rule === rule.meta.id);
  const problems: string[] = one.marks
    .filter((mark) => mark.rule !== rule.meta.id)
    .map((mark) => `${mark.file}:${mark.line} is marked for ${mark.rule}; a case speaks of its own rule`);
  for (const finding of actual) {
    const at = open.findIndex((mark) => meets(one, mark, finding, rule));
    if (at < 0) problems.push(`unexpected: ${describe(one, finding)}`);
    else open.splice(at, 1);
  }
  return [
    ...problems,
    ...open.map((mark) => `missing: ${mark.file}:${mark.line} ${mark.rule}${mark.possible ? ' possible' : ''}`),
  ];
}

/** Findings of all rules at once, so that what is reported once by the most specific rule is tested too. */
function findingsOf(one: Case, rule: Rule, rules: readonly Rule[], analyze: Analyze): readonly Finding[] {
  const model = analyze(one.files);
  // Asked for by name, a rule also gives its merely informative messages.
  const settings = { [rule.meta.id]: rule.meta.severity };
  return runRules(model, rules, { settings, confidence: 'possible' }).findings;
}

const lineOf = (one: Case, finding: Finding): number =>
  finding.span ? positionAt(lineStarts(one.files[finding.span.file] ?? ''), finding.span.start).line : 0;

const meets = (one: Case, mark: Mark, finding: Finding, { meta }: Rule): boolean =>
  finding.span?.file === mark.file &&
  lineOf(one, finding) === mark.line &&
  (finding.confidence === 'possible') === mark.possible &&
  (mark.severity === undefined || mark.severity === (meta.messages[finding.message]?.severity ?? meta.severity));

const describe = (one: Case, finding: Finding): string =>
  `${finding.span?.file ?? finding.subject ?? ''}:${lineOf(one, finding)} ${finding.rule} (${finding.confidence}): ${finding.text.what}`;

const lineStarts = (text: string): number[] => {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
};

/** What is wrong with the probes of a case when they are executed, empty if nothing is. */
export async function checkProbes(one: Case, execute: ProbeExecutor): Promise<string[]> {
  const setup = Object.keys(one.files)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => one.files[file] ?? '');
  const problems: string[] = [];
  for (const probe of one.probes) {
    const rows = await execute(setup, probe.text);
    if (probe.leaks && rows === 0) problems.push('the probe returns no rows, although the case is a bad one');
    if (!probe.leaks && rows > 0) problems.push(`the probe returns ${rows} rows, although the case is a good one`);
  }
  return problems;
}

/** What is wrong with a set of cases as a whole. */
export function checkCoverage(rule: Rule, cases: readonly Case[]): string[] {
  const problems: string[] = [];
  const titles = cases.map((c) => c.title);
  for (const title of new Set(titles.filter((t, i) => titles.indexOf(t) !== i)))
    problems.push(`two cases are called "${title}"`);
  for (const one of cases) {
    for (const entry of one.entries) {
      if (!rule.meta.catalogue.includes(entry))
        problems.push(`"${one.title}" names ${entry}, which ${rule.meta.id} does not list`);
    }
    if (one.probes.some((p) => p.leaks) && one.marks.length === 0)
      problems.push(`"${one.title}" leaks by its probe and has no mark`);
    if (one.probes.some((p) => !p.leaks) && one.marks.length > 0)
      problems.push(`"${one.title}" is safe by its probe and has a mark`);
  }
  return problems;
}
