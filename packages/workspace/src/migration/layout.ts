import { compareMigrations } from '@tenant-lint/analysis';

/** How the files of a history are called, and what the tool that runs them understands. */
export interface Layout {
  /** In words, for whoever asks why a file looks as it does. */
  readonly tool: string;
  /** The names of the files of one more migration, each with its direction. `words` are of its subject. */
  readonly next: (words: readonly string[], ahead: number) => { readonly up: string; readonly down?: string };
  /** Lines around the statements of a file. `alone`: outside of a transaction. */
  readonly open: (alone: boolean) => readonly string[];
  /** Lines between statements and those that take them back; absent: there is no place for them in the file. */
  readonly back?: readonly string[];
  readonly close: readonly string[];
  /** What stands between two statements besides a semicolon. */
  readonly between: string;
  /** How CREATE INDEX CONCURRENTLY runs: one statement in a file of its own, any number in one, or not at all. */
  readonly concurrently: 'one' | 'many' | 'never';
  /** Drizzle keeps a list of its migrations. */
  readonly journal?: string;
}

/** A file of a history by its name relative to the folder. */
interface Named {
  readonly name: string;
  readonly text: string;
}

/** What stands in front of the words of a name, and behind them. */
const shape = /^([A-Za-z]*?)(\d+(?:[._]\d+)*)(__|[_.-])(.*)$/;

/**
 * The layout of a history, read off its last migration. In: its folder and all files below it. A sentence where it is none that a migration can
 * be added to.
 */
export function layoutOf(folder: string, files: readonly Named[]): Layout | string {
  const ups = files
    .filter((f) => f.name.endsWith('.sql') && !isDown(f.name) && !/(?:^|\/)R__/.test(f.name))
    .sort((a, b) => compareMigrations(a.name, b.name));
  const code = files.filter((f) => /\.[cm]?[jt]sx?$/.test(f.name) && shape.test(f.name.split('/')[0] ?? ''));
  const last = ups.at(-1);
  if (!last || code.length > ups.length) return 'its migrations are code, and fix writes SQL only';
  const inFolder = /^(.*)\/([^/]+)$/.exec(last.name);
  const carrier = inFolder && /^(?:migration|up)\.sql$/.test(inFolder[2] ?? '') ? (inFolder[1] ?? '') : last.name;
  const above = carrier.includes('/') ? carrier.slice(0, carrier.lastIndexOf('/') + 1) : '';
  const own = carrier.slice(above.length);
  const parts = shape.exec(own);
  if (!parts) return `its files carry no number (${last.name}), so where a new one belongs is not to be seen`;
  const [, letter = '', number = '', separator = '_', rest = ''] = parts;
  const paired = files.some((f) => f.name.endsWith('.down.sql') || /(?:^|\/)down\.sql$/.test(f.name));
  const isUp = /\.up\.sql$/.test(last.name);
  const dash = /-/.test(rest) && !/_/.test(rest) ? '-' : '_';
  const next: Layout['next'] = (words, ahead) => {
    const base = `${folder === '' ? '' : `${folder}/`}${above}${letter}${numberAfter(number, ahead)}${separator}${words.join(dash)}`;
    if (carrier !== last.name)
      return {
        up: `${base}/${inFolder?.[2] ?? ''}`,
        ...(paired ? { down: `${base}/down.sql` } : {}),
      };
    if (isUp) return { up: `${base}.up.sql`, ...(paired ? { down: `${base}.down.sql` } : {}) };
    return { up: `${base}.sql` };
  };
  const plain = { next, open: () => [], close: [], between: '' };
  const { text } = last;
  if (/^--\s*migrate:up\b/im.test(text))
    return {
      ...plain,
      tool: 'dbmate',
      open: (alone) => [`-- migrate:up${alone ? ' transaction:false' : ''}`, ''],
      back: ['', '-- migrate:down', ''],
      concurrently: 'one',
    };
  if (/^--\s*\+goose\s+up\b/im.test(text))
    return {
      ...plain,
      tool: 'goose',
      open: (alone) => [...(alone ? ['-- +goose NO TRANSACTION'] : []), '-- +goose Up', ''],
      back: ['', '-- +goose Down', ''],
      concurrently: 'many',
    };
  if (/^--\s*\+migrate\s+up\b/im.test(text))
    return {
      ...plain,
      tool: 'sql-migrate',
      open: (alone) => [`-- +migrate Up${alone ? ' notransaction' : ''}`, ''],
      back: ['', '-- +migrate Down', ''],
      concurrently: 'many',
    };
  if (/^-{2,}\s*up\s+migration\b/im.test(text))
    return {
      ...plain,
      tool: 'node-pg-migrate',
      open: () => ['-- Up Migration', ''],
      back: ['', '-- Down Migration', ''],
      concurrently: 'never',
    };
  const journal = files.find((f) => f.name === 'meta/_journal.json');
  if (journal || ups.some((f) => f.text.includes('--> statement-breakpoint')))
    return {
      ...plain,
      tool: 'Drizzle',
      between: '--> statement-breakpoint',
      concurrently: 'never',
      ...(journal ? { journal: `${folder === '' ? '' : `${folder}/`}${journal.name}` } : {}),
    };
  if (/\/migration\.sql$/.test(last.name)) return { ...plain, tool: 'Prisma', concurrently: 'one' };
  if (letter === 'V') return { ...plain, tool: 'Flyway', concurrently: 'many' };
  if (/(?:^|\/)supabase\/migrations$/.test(folder)) return { ...plain, tool: 'Supabase', concurrently: 'never' };
  if (isUp) return { ...plain, tool: 'golang-migrate', concurrently: 'one' };
  const wraps = ups.filter((f) => /^\s*begin\s*;/im.test(f.text)).length * 2 > ups.length;
  return {
    ...plain,
    tool: 'numbered files',
    ...(wraps ? { open: (alone: boolean) => (alone ? [] : ['BEGIN;', '']), close: ['', 'COMMIT;'] } : {}),
    // Whether the tool opens a transaction is only to be seen where the history has such statements already.
    concurrently: ups.some((f) => /\bindex\s+concurrently\b/i.test(f.text)) ? 'one' : 'never',
  };
}

const isDown = (name: string): boolean =>
  /(?:^|[/._-])(?:down|undo|rollback|revert)\.sql$/i.test(name) || /(?:^|\/)U\d+(?:[._]\d+)*__/.test(name);

/**
 * The number of a migration that comes `ahead` places behind one: for a date, a unit of its last place later, so that what is written depends on
 * the history alone and not on the day.
 */
export function numberAfter(number: string, ahead: number): string {
  const at = Math.max(number.lastIndexOf('.'), number.lastIndexOf('_'));
  if (at >= 0) return number.slice(0, at + 1) + numberAfter(number.slice(at + 1), ahead);
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:(\d\d)(\d\d)(\d\d)?)?$/.exec(number) ?? [];
  if (year !== undefined && month !== undefined && day !== undefined) {
    const unit = number.length === 8 ? 86_400_000 : number.length === 12 ? 60_000 : 1000;
    const time = new Date(Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) + ahead * unit);
    const digits = time.toISOString().replaceAll(/\D/g, '').slice(0, number.length);
    return digits;
  }
  return (BigInt(number) + BigInt(ahead)).toString().padStart(number.length, '0');
}
