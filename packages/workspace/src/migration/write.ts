import { historyOf } from '@tenant-lint/analysis';
import type { RepairStep } from '@tenant-lint/engine';
import type { Edit } from '@tenant-lint/model';
import { layoutOf, type Layout } from './layout.js';

/** A file that is to be made. */
export interface NewFile {
  readonly file: string;
  readonly text: string;
  /** Which step each range of the text belongs to. */
  readonly places: readonly { readonly step: string; readonly start: number; readonly end: number }[];
}

export interface WrittenMigration {
  readonly files: readonly NewFile[];
  /** Of files that are there: the list of migrations that a tool keeps. */
  readonly edits: readonly Edit[];
}

/** What the writer reads: the files of the project, and the text of each. */
export interface Files {
  readonly names: Iterable<string>;
  readonly textOf: (file: string) => string | undefined;
}

/**
 * Steps of one history as files in its layout: one migration, and further ones for what cannot run in its transaction. A sentence where nothing can
 * be added to the history. `remarks`: comments for the head of the first file. Pure: the same history and steps give the same bytes.
 */
export function writeMigration(
  folder: string,
  steps: readonly RepairStep[],
  { names, textOf }: Files,
  remarks: readonly string[] = [],
): WrittenMigration | string {
  const below = [...names].filter((f) => folder === '' || f.startsWith(`${folder}/`));
  const own = below.filter((f) => historyOf(f) === folder || f === join(folder, 'meta/_journal.json'));
  const layout = layoutOf(
    folder,
    own.map((file) => ({ name: folder === '' ? file : file.slice(folder.length + 1), text: textOf(file) ?? '' })),
  );
  if (typeof layout === 'string') return layout;
  const concurrent = steps.filter((s) => s.concurrent);
  const apart =
    layout.concurrently === 'never' || (layout.concurrently === 'one' && concurrent.length > mostApart)
      ? []
      : concurrent;
  const groups: {
    readonly words: readonly string[];
    readonly steps: readonly RepairStep[];
    readonly alone: boolean;
  }[] = [];
  const together = steps.filter((s) => !apart.includes(s));
  if (together.length > 0) groups.push({ words: ['tenant', 'isolation'], steps: together, alone: false });
  if (layout.concurrently === 'many' && apart.length > 0)
    groups.push({ words: ['tenant', 'indexes'], steps: apart, alone: true });
  else
    for (const step of apart) groups.push({ words: ['tenant', 'index', ...wordsOf(step)], steps: [step], alone: true });

  const files: NewFile[] = [];
  const tags: string[] = [];
  for (const [i, group] of groups.entries()) {
    const { up, down } = layout.next(group.words, i + 1);
    files.push(fileOf(up, group, layout, group.alone ? [] : remarks));
    if (down !== undefined) files.push({ file: down, text: backText(group.steps, 'file'), places: [] });
    tags.push(up.slice(up.lastIndexOf('/') + 1).replace(/\.sql$/, ''));
  }
  const journal =
    layout.journal === undefined ? undefined : journalEdit(layout.journal, textOf(layout.journal) ?? '', tags);
  if (journal === null) return `${layout.journal ?? ''} is not a list that an entry can be added to`;
  return { files, edits: journal ? [journal] : [] };
}

/** Where each takes a migration of its own, more of them are no history that anybody reads. */
const mostApart = 4;

const join = (folder: string, file: string): string => (folder === '' ? file : `${folder}/${file}`);

/** The table of a step, for the name of a file. */
const wordsOf = ({ table }: RepairStep): string[] =>
  (table ?? '')
    .replace(/^public\./, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);

const head = '-- Written by tenant-lint fix. Read it before you apply it.';

function fileOf(
  file: string,
  { steps, alone }: { readonly steps: readonly RepairStep[]; readonly alone: boolean },
  layout: Layout,
  remarks: readonly string[],
): NewFile {
  let text = '';
  const places: NewFile['places'][number][] = [];
  const said = new Set<string>();
  const put = (lines: readonly string[]): void => {
    for (const line of lines) text += `${line}\n`;
  };
  // Goose and dbmate take the first line for their own.
  const open = layout.open(alone);
  if (layout.back) put(open);
  put([head, ...remarks.map(comment), '']);
  if (!layout.back) put(open);
  const all = steps.flatMap((step) => step.up.map((sql, i) => ({ step, sql, first: i === 0 })));
  for (const [i, { step, sql, first }] of all.entries()) {
    const start = text.length;
    const written = inLayout(sql, step, alone);
    if (first) {
      if (i > 0) put(['']);
      const fresh = [...step.notes, ...written.notes].filter((n) => !said.has(n));
      for (const note of fresh) said.add(note);
      put([step.title, ...fresh].map(comment));
    }
    put([`${written.sql};`]);
    if (layout.between !== '' && i < all.length - 1) put([layout.between]);
    places.push({ step: step.id, start, end: text.length });
  }
  if (layout.back) {
    put(layout.back);
    text += backText(steps, 'section');
  }
  put(layout.close);
  return { file, text, places };
}

/** One line, whatever a table is called. */
const comment = (text: string): string => `-- ${text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}`;

/** In a transaction an index is built while writers wait; whoever built it before finds nothing to do. */
function inLayout(
  sql: string,
  step: RepairStep,
  alone: boolean,
): { readonly sql: string; readonly notes: readonly string[] } {
  if (!step.concurrent || alone) return { sql, notes: [] };
  return {
    sql: sql.replace(/^CREATE INDEX CONCURRENTLY /, 'CREATE INDEX IF NOT EXISTS '),
    notes: ['Writers wait while it is built. On a large table run it by hand first, with CONCURRENTLY.'],
  };
}

/** What takes the steps back, the last one first. */
function backText(steps: readonly RepairStep[], where: 'file' | 'section'): string {
  const statements = [...steps].reverse().flatMap((s) => s.down);
  const lines = statements.length > 0 ? statements.map((s) => `${s};`) : ['-- Nothing to take back.'];
  return `${where === 'file' ? `${head}\n\n` : ''}${lines.join('\n')}\n`;
}

/** One more entry for each migration, in the form of the last; undefined where there are none, null where the file is no such list. */
function journalEdit(file: string, text: string, tags: readonly string[]): Edit | undefined | null {
  if (tags.length === 0) return undefined;
  const at = text.lastIndexOf('}', text.lastIndexOf(']'));
  const begin = text.lastIndexOf('{', at);
  if (at < 0 || begin < 0) return null;
  let last: { idx?: unknown; when?: unknown };
  try {
    last = JSON.parse(text.slice(begin, at + 1)) as typeof last;
  } catch {
    return null;
  }
  if (typeof last.idx !== 'number' || typeof last.when !== 'number') return null;
  const { idx, when } = { idx: last.idx, when: last.when };
  const lead = /[^\S\n]*$/.exec(text.slice(0, begin))?.[0] ?? '';
  const own = text.slice(begin, at + 1);
  const entries = tags.map((tag, i) =>
    own
      .replace(/("idx"\s*:\s*)\d+/, `$1${idx + i + 1}`)
      .replace(/("when"\s*:\s*)\d+/, `$1${when + i + 1}`)
      .replace(/("tag"\s*:\s*)"[^"]*"/, (_, before: string) => `${before}${JSON.stringify(tag)}`),
  );
  return { file, start: at + 1, end: at + 1, text: entries.map((e) => `,\n${lead}${e}`).join('') };
}
