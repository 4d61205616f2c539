import path from 'node:path';
import type { Unrepaired } from '@tenant-lint/engine';
import type { Finding } from '@tenant-lint/model';
import { edited, overlaid, type Source } from '@tenant-lint/workspace';
import { analyse, type Analysed } from '../analyse.js';
import { baselineFor } from '../baseline.js';
import { codeFixes, editsByFile, type CodeFixes } from '../fix/code.js';
import { diffOfEdits, diffOfNew } from '../fix/diff.js';
import { repaired, type Repaired } from '../fix/repair.js';
import { fixText } from '../fix/report.js';
import { limited } from '../limit.js';
import type { Io } from '../main.js';
import { isWithin, open } from '../open.js';
import type { FixFlags } from '../options.js';
import { progressLine } from '../progress.js';
import { oneLine, printable } from '../report/printable.js';
import { writeFile } from '../write-file.js';

/**
 * `tenant-lint fix [--write]`: a corrective migration and safe edits of code, as a diff or written. Returns the code that `check` would return
 * afterwards; throws Failure where the job cannot be done.
 */
export async function fix(paths: readonly string[], flags: FixFlags, io: Io): Promise<number> {
  const opened = await open(paths, flags, io.cwd);
  const { root, source, settings } = opened;
  // Every rule runs, so that no repair brings what another one finds.
  const analysed = analyse(opened, { ...flags, rule: [] }, io, baselineFor(flags, root, io));
  const within = limited(analysed.report, (file) => isWithin(file, opened.within)).findings;
  const wanted = within.filter(
    (f) => !f.suppressed && !f.baselined && (flags.rule.length === 0 || flags.rule.includes(f.rule)),
  );
  const progress = progressLine(io);
  const sql = await repaired({
    analysed,
    source,
    settings,
    findings: wanted,
    timeout: flags.timeout,
    progress: progress.update,
  });
  progress.end();
  const textOf = (file: string): string => {
    const read = source.read(file);
    return 'text' in read ? read.text : '';
  };
  const unmended = wanted.filter((f) => !sql.repaired.includes(f));
  const code = together(sql, codeFixes(unmended, analysed, source), analysed, source);
  const edits = editsByFile([{ edits: sql.edits }, ...code.values()]);
  if (flags.write) {
    for (const { file, text } of sql.files)
      writeFile(path.join(root, file), text, 'The migration', 'Check the folder.');
    for (const [file, own] of edits)
      writeFile(path.join(root, file), edited(textOf(file), own), 'The edit', 'Check the file.');
  }
  const done: readonly Finding[] = wanted.filter((f) => code.has(f) || sql.repaired.includes(f));
  const covered = new Set([...done, ...sql.left.map((l) => l.finding)].map((f) => f.fingerprint));
  const rest: Unrepaired[] = wanted
    .filter((f) => !covered.has(f.fingerprint))
    .map((finding) => ({ finding, reason: 'no edit is known that surely mends it' }));
  const names = [...sql.files.map((f) => f.file), ...edits.keys()];
  const text = fixText(done, [...sql.left, ...rest], names, flags.write === true, analysed.report.lineStarts);
  // In front of a diff they are what `git apply` and `patch` pass over.
  io.stdout.write(`${text.map((l) => oneLine(flags.write ? l : `# ${l}`.trimEnd())).join('\n')}\n`);
  if (!flags.write) {
    const diffs = [
      ...sql.files.map((f) => diffOfNew(f.file, f.text)),
      ...[...edits].map(([file, own]) => diffOfEdits(file, textOf(file), own)),
    ];
    // Line ends of a file are part of what the diff is about.
    io.stdout.write(diffs.join('').split('\r\n').map(printable).join('\r\n'));
  }
  const counts = flags.write ? afterwards(wanted, done) : wanted;
  return counts.some((f) => f.severity === 'error' || (flags.failOn === 'warning' && f.severity === 'warning')) &&
    flags.failOn !== 'never'
    ? 1
    : 0;
}

/** The edits of code that hold beside the migration too; none where they do not. */
function together(sql: Repaired, code: CodeFixes, analysed: Analysed, source: Source): CodeFixes {
  if (code.size === 0 || sql.files.length === 0) return code;
  const edits = [...sql.edits, ...[...code.values()].flatMap((f) => f.edits)];
  const after = analysed.on(overlaid(source, sql.files, edits));
  const there = new Set(sql.after?.report.findings.map((f) => f.fingerprint));
  const isNew = after?.report.findings.some((f) => !there.has(f.fingerprint)) ?? true;
  return isNew ? new Map() : code;
}

const afterwards = (findings: readonly Finding[], gone: readonly Finding[]): readonly Finding[] => {
  const names = new Set(gone.map((f) => f.fingerprint));
  return findings.filter((f) => !names.has(f.fingerprint));
};
