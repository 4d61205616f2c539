import type { FileFacts, Journal } from '@tenant-lint/model';

/** Files that build one schema together, in the order in which they apply. */
export interface Source {
  readonly kind: 'migrations' | 'dump' | 'prisma' | 'drizzle' | 'live';
  readonly folder: string;
  readonly files: readonly FileFacts[];
  /** Whether the names of the files say their order. Otherwise a statement may come before the table it changes. */
  readonly ordered: boolean;
}

/**
 * Which files build a schema, and with which others. SQL: by role, seeds, tests and query files build none; migrations by the folder of
 * their history, each dump alone. Declared schemas: a Prisma schema is all its files of one folder and below, a TypeScript file is one by
 * itself (what it refers to in others is found by name later). Everything in a fixed order, whatever the order of `files`.
 */
export function sourcesOf(files: readonly FileFacts[], journals: readonly Journal[] = []): readonly Source[] {
  const sorted = [...files].sort((a, b) => compareText(a.file, b.file));
  const building = sorted.filter((f) => f.schema.length > 0);
  const histories = new Map<string, FileFacts[]>();
  const sources: Source[] = [];
  for (const group of prismaSchemas(building.filter((f) => f.dialect === 'prisma'))) sources.push(group);
  for (const facts of building) {
    if (facts.dialect === 'prisma') continue;
    if (facts.live) {
      sources.push({ kind: 'live', folder: '', files: [facts], ordered: true });
    } else if (facts.dialect === 'typescript' && isDeclaration(facts)) {
      sources.push({ kind: 'drizzle', folder: folderOf(facts.file), files: [facts], ordered: false });
    } else if (facts.sql?.role === 'dump') {
      sources.push({ kind: 'dump', folder: folderOf(facts.file), files: [facts], ordered: true });
    } else if (facts.sql ? facts.sql.role === 'migration' : isInHistory(facts.file)) {
      const folder = historyOf(facts.file);
      const list = histories.get(folder);
      if (list) list.push(facts);
      else histories.set(folder, [facts]);
    }
  }
  // What changes no object (a new value of a type, rows) runs with the rest of its history.
  for (const facts of sorted) {
    if (facts.schema.length > 0 || facts.sql?.role !== 'migration' || facts.sql.loose) continue;
    histories.get(historyOf(facts.file))?.push(facts);
  }
  for (const [folder, members] of [...histories].sort((a, b) => compareText(a[0], b[0]))) {
    const order = members.map((f) => ({ facts: f, key: f.file.slice(folder === '' ? 0 : folder.length + 1) }));
    const listed = positionsIn(journals.find((j) => j.folder === folder));
    const keyed = order.every((o) => o.facts.sql?.order !== undefined || o.facts.schema.length === 0);
    const own = (a: FileFacts, b: FileFacts): number =>
      keyed ? compareMigrations(a.sql?.order ?? '', b.sql?.order ?? '') : listed(a.file) - listed(b.file);
    order.sort((a, b) => own(a.facts, b.facts) || compareMigrations(a.key, b.key));
    sources.push({
      kind: 'migrations',
      folder,
      files: order.map((o) => o.facts),
      ordered: keyed || order.every((o) => o.facts.schema.length === 0 || isNumbered(o.key)),
    });
  }
  return sources;
}

/** Where a list has a file; what it does not have comes behind. */
function positionsIn(journal: Journal | undefined): (file: string) => number {
  if (!journal) return () => 0;
  const at = new Map(journal.names.map((name, i) => [name, i]));
  return (file) => {
    const names = file.slice(journal.folder === '' ? 0 : journal.folder.length + 1).split('/');
    return at.get((names[0] ?? '').replace(/\.\w+$/, '')) ?? journal.names.length;
  };
}

/** Code that declares tables (they have a name in code), as opposed to code that runs DDL. */
const isDeclaration = (facts: FileFacts): boolean =>
  facts.schema.some(
    ({ action }) => action.do === 'add relations' || (action.do === 'create table' && action.aliases.length > 0),
  );

/** DDL run from code counts only where it is a migration: tests and scripts create tables of their own. */
const isInHistory = (file: string): boolean =>
  file
    .split('/')
    .slice(0, -1)
    .some((folder) => /migrat/i.test(folder));

function prismaSchemas(files: readonly FileFacts[]): readonly Source[] {
  const folders = [...new Set(files.map((f) => folderOf(f.file)))].sort((a, b) => a.length - b.length);
  const roots = folders.filter((f) => !folders.some((other) => other !== f && isBelow(f, other)));
  return roots.map((folder) => ({
    kind: 'prisma',
    folder,
    files: files.filter((f) => folderOf(f.file) === folder || isBelow(folderOf(f.file), folder)),
    ordered: false,
  }));
}

const isBelow = (folder: string, parent: string): boolean => parent === '' || folder.startsWith(`${parent}/`);
const folderOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf('/')));

/** `0001_init.sql`, `V1_2__init.sql`, `20240102030405_init`. */
const numbered = /^(?:[vbur]?\d|r__)/i;
const isNumbered = (key: string): boolean => key.split('/').some((part) => numbered.test(part));

/**
 * The folder of the history a migration belongs to. Where the folder carries the order (`20240101_init/migration.sql`, `2023/…`), it is the
 * parent; `up/` and `deploy/` beside `down/` and `revert/` hold one history.
 */
export function historyOf(file: string): string {
  const folders = folderOf(file).split('/');
  while (folders.length > 0 && /^(?:v?\d.*|up)$/i.test(folders[folders.length - 1] ?? '')) folders.pop();
  return folders.join('/');
}

/**
 * The order in which migration tools apply files: Flyway by version, then its repeatable ones; names that begin with a date as text, as
 * Prisma, Supabase and dbmate do; other numbers by value.
 */
export function compareMigrations(a: string, b: string): number {
  const left = flywayOf(a);
  const right = flywayOf(b);
  if (left && right) return compareVersions(left, right) || compareText(a, b);
  return compareNatural(a, b);
}

const repeatable = [Infinity];

function flywayOf(key: string): readonly number[] | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (/^R__/.test(name)) return repeatable;
  const version = /^[VB](\d+(?:[._]\d+)*)__/.exec(name)?.[1];
  return version?.split(/[._]/).map(Number);
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const left = a[i] ?? 0;
    const right = b[i] ?? 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

const isDate = (digits: string): boolean => digits.length >= 8 && /^(?:19|20)\d\d(?:0[1-9]|1[0-2])/.test(digits);

function compareNatural(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] ?? '';
    const y = right[i] ?? '';
    if (x === y) continue;
    const digits = /^\d/.test(x) && /^\d/.test(y);
    if (!digits || (isDate(x) && isDate(y))) return compareText(left.slice(i).join(''), right.slice(i).join(''));
    const m = x.replace(/^0+(?=\d)/, '');
    const n = y.replace(/^0+(?=\d)/, '');
    if (m.length !== n.length) return m.length - n.length;
    if (m !== n) return compareText(m, n);
  }
  return left.length - right.length || compareText(a, b);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
