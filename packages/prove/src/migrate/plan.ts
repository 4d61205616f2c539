import { migrationStatements } from '@tenant-lint/sql';
import { extensionPlan, extensionsIn } from './extensions.js';
import { supabaseStandIn, wantsSupabase } from './supabase.js';

/** A file of a history, with its text. */
export interface MigrationFile {
  readonly file: string;
  readonly text: string;
}

/** One statement to run. */
export interface Step {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** What runs: the statement, or what stands in its place. */
  readonly run: readonly string[];
  /** Why something else runs in its place. */
  readonly instead?: string;
  /** Not run at all, and why. */
  readonly left?: string;
  /** Committed before the next one: Postgres lets nobody use a new value of a type in the transaction that adds it. */
  readonly commits?: true;
}

export interface MigrationPlan {
  /** Run before the first step. */
  readonly before: readonly string[];
  readonly steps: readonly Step[];
  /** Contrib modules of PGlite to load. */
  readonly contrib: readonly string[];
  /** What is imitated, a line each. */
  readonly standIns: readonly string[];
}

/**
 * Turns files in their order into steps. Pure. Down sections are left out; so is what ends or begins transactions (everything runs in one
 * that is rolled back; embedded, new values of types are committed, as tools that run statement by statement do) and what would reach outside of the database.
 */
export function planMigrations(files: readonly MigrationFile[], where: 'embedded' | 'server'): MigrationPlan {
  const text = files.map((f) => f.text).join('\n');
  const supabase = wantsSupabase(text);
  const standIns: string[] = supabase
    ? ['Supabase: the roles and the schemas auth, storage, realtime, vault and extensions']
    : [];
  const contrib = new Set<string>();
  const names = new Set(extensionsIn(files.map((f) => f.text)));
  // Supabase has these from the start.
  if (supabase) for (const name of ['uuid-ossp', 'pgcrypto']) names.add(name);
  const imitated = new Set<string>();
  for (const name of [...names].sort()) {
    const plan = extensionPlan(name);
    if (where === 'embedded' && plan.contrib !== undefined) contrib.add(plan.contrib);
    else if (plan.standIn !== undefined) {
      imitated.add(name);
      standIns.push(
        `extension ${name}: ${plan.standIn.length === 0 ? 'nothing of it' : 'its types and functions without their effect'}`,
      );
    } else if (where === 'embedded')
      standIns.push(`extension ${name}: nothing of it; what uses it fails and is listed`);
  }
  const steps = files.flatMap(({ file, text: whole }) =>
    migrationStatements(whole, file)
      .filter((s) => s.direction === 'up')
      .map((s): Step => ({
        file,
        start: s.start,
        end: s.end,
        ...treatmentOf(s.text, s.words, { where, supabase }),
        // The roles of a server outlive the database, so nothing is committed there.
        ...(where === 'embedded' && addsValue(s.text, s.words) ? { commits: true as const } : {}),
      })),
  );
  const provided = supabase
    ? [
        ...supabaseStandIn,
        ...['uuid-ossp', 'pgcrypto'].map((name) => `create extension if not exists "${name}" schema extensions`),
        'set search_path to "$user", public, extensions',
      ]
    : [];
  return { before: provided, steps, contrib: [...contrib].sort(), standIns };
}

/** ALTER TYPE ... ADD VALUE, in a DO block as well. */
const addsValue = (text: string, [first, second]: readonly string[]): boolean =>
  (first === 'do' || (first === 'alter' && second === 'type')) && /\balter\s+type\b[^;]*\badd\s+value\b/i.test(text);

function treatmentOf(
  text: string,
  words: readonly string[],
  { where, supabase }: { where: 'embedded' | 'server'; supabase: boolean },
): Pick<Step, 'run' | 'instead' | 'left'> {
  const [first = '', second = ''] = words;
  if (
    ['begin', 'commit', 'end', 'savepoint', 'release'].includes(first) ||
    (first === 'start' && second === 'transaction')
  )
    return { run: [], left: 'everything runs in one transaction' };
  if (first === 'rollback' || first === 'abort') return { run: [], left: 'everything runs in one transaction' };
  const outside = reachesOutside(text, words);
  if (outside !== undefined) return { run: [], left: outside };
  if (first === 'create' && second === 'extension') return extensionStep(text, where, supabase);
  if (first === 'create' && second === 'schema' && supabase) {
    const named = /^create\s+schema\s+"?(\w+)"?/i.exec(text)?.[1];
    if (named !== undefined && named.toLowerCase() !== 'if')
      return { run: [text.replace(/^create\s+schema\s+/i, 'create schema if not exists ')] };
  }
  if (/\bconcurrently\b/i.test(text) && /\bindex\b/i.test(words.join(' ')))
    return {
      run: [text.replace(/\bconcurrently\b/i, '')],
      instead: 'without CONCURRENTLY, which no transaction allows',
    };
  const plain = withoutModifiers(text);
  if (plain !== text) return { run: [plain], instead: 'types of an imitated extension without their modifiers' };
  return { run: [text] };
}

/** Domains take no modifiers. */
const withoutModifiers = (text: string): string =>
  text.replace(/\b(vector|halfvec|sparsevec|geometry|geography)\s*\(\s*[\w\s,]*\)/gi, '$1');

function extensionStep(
  text: string,
  where: 'embedded' | 'server',
  supabase: boolean,
): Pick<Step, 'run' | 'instead' | 'left'> {
  const [name = ''] = extensionsIn([text]);
  const plan = extensionPlan(name);
  if (where === 'server' || plan.contrib !== undefined) {
    // The platform has some before the first migration, in a schema of its own.
    return supabase
      ? { run: [text.replace(/^create\s+extension\s+(?!if\b)/i, 'create extension if not exists ')] }
      : { run: [text] };
  }
  const schema = /\bschema\s+"?(\w+)"?/i.exec(text)?.[1];
  if (plan.standIn === undefined || plan.standIn.length === 0)
    return { run: [], left: `extension ${name} is not there` };
  const path =
    schema === undefined || ['cron', 'pg_catalog'].includes(schema)
      ? []
      : [`set local search_path to "${schema}", public`];
  const back = path.length === 0 ? [] : ['set search_path to "$user", public, extensions'];
  return { run: [...path, ...plan.standIn, ...back], instead: `a stand-in for extension ${name}` };
}

/** Why a statement is not run although Postgres would: it works outside of its database. */
function reachesOutside(text: string, words: readonly string[]): string | undefined {
  const [first = '', second = ''] = words;
  if (first === 'copy' && /\bstdin\b/i.test(text)) return 'data of a dump is not loaded';
  if (first === 'copy') return 'COPY of a file or program reaches outside of the database';
  if (first === 'alter' && second === 'system') return 'ALTER SYSTEM reaches outside of the database';
  if (first === 'load') return 'LOAD reaches outside of the database';
  if ((first === 'create' || first === 'drop') && ['database', 'tablespace', 'subscription'].includes(second))
    return `${first.toUpperCase()} ${second.toUpperCase()} reaches outside of the database`;
  if (first === 'vacuum' || first === 'reindex' || first === 'cluster' || first === 'checkpoint')
    return 'upkeep changes nothing of isolation';
  return undefined;
}
