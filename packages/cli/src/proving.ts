import { sourcesOf } from '@tenant-lint/analysis';
import { runRules } from '@tenant-lint/engine';
import type { FileFacts } from '@tenant-lint/model';
import {
  claimedRules,
  compare,
  openServerSession,
  OutOfMemory,
  OutOfTime,
  proveIsolation,
  ServerRefused,
  TimedOut,
  type Cell,
  type Comparison,
  type MigrationFile,
  type Proof,
  type ProveInput,
} from '@tenant-lint/prove';
import { rules } from '@tenant-lint/rules';
import { Failure, type Built, type Settings, type Source } from '@tenant-lint/workspace';

/** Against all findings: weak and excused ones are claims about the database too. */
export function compared(proof: Proof, { model }: Built, settings: Settings): Comparison {
  const everyRule = Object.fromEntries(rules.map((r) => [r.meta.id, r.meta.severity]));
  const report = runRules(model, rules, {
    settings: { ...everyRule, ...settings.config.rules },
    overrides: settings.overrides,
    only: claimedRules.filter((id) => rules.some((r) => r.meta.id === id)),
    confidence: 'possible',
    intended: (file) => settings.intended(file),
  });
  return compare(proof, model, report.findings);
}

/** The files of all histories in the order in which they apply, else of dumps. Throws Failure where there are none. */
export function migrationsOf({ model }: Built, source: Source): readonly MigrationFile[] {
  const sources = sourcesOf([...model.files.values()]);
  // No tool runs them, and the migrations say otherwise.
  const apart = new Set(model.schema.apart?.map(({ file }) => file));
  const sql = (kind: 'migrations' | 'dump'): readonly FileFacts[] =>
    sources
      .filter((s) => s.kind === kind)
      .flatMap((s) => s.files.filter((f) => f.dialect === 'postgres' && !apart.has(f.file)));
  const histories = sql('migrations');
  const files = (histories.length > 0 ? histories : sql('dump')).flatMap(({ file }) => {
    const read = source.read(file);
    return 'text' in read ? [{ file, text: read.text }] : [];
  });
  if (files.length === 0)
    throw new Failure('There are no SQL migrations to run.', {
      advice:
        'prove runs .sql files: migrations, or a structure dump. Let your library write them (prisma migrate diff, drizzle-kit generate), or name them in tenant-lint.config.ts: sources: { migrations: [...] }.',
    });
  return files;
}

/** Runs the migrations and tries to reach foreign rows. Throws Failure where the database cannot be had, or does not come to an end. */
export async function proved({
  migrations,
  built,
  flags,
  progress,
  tables,
}: {
  readonly migrations: readonly MigrationFile[];
  readonly built: Built;
  readonly flags: { readonly timeout: number; readonly url?: string };
  readonly progress: (phase: string, done: number, total: number) => void;
  /** Limits what is tried, see `ProveInput`. */
  readonly tables?: ReadonlySet<string>;
}): Promise<Proof> {
  try {
    return await proveIsolation({
      migrations,
      tenancy: built.model.tenancy,
      staff: new Map(built.model.lookups().flatMap((l) => (l.staff ? [[l.table.id, l.columns] as const] : []))),
      limits: { totalSeconds: flags.timeout },
      progress,
      ...(tables ? { tables } : {}),
      ...(flags.url === undefined ? {} : atServer(flags.url)),
    });
  } catch (error) {
    if (error instanceof ServerRefused)
      throw new Failure(error.message, {
        advice:
          'The role of --url must be able to log in and to create databases. Without --url an embedded Postgres is used.',
      });
    if (error instanceof TimedOut || error instanceof OutOfTime || error instanceof OutOfMemory)
      throw new Failure(`The proof was ended: ${error.message}.`, {
        advice: 'Give it more time with --timeout, or leave the file out with sources.ignore.',
        cause: error,
      });
    throw error;
  }
}

/** Nothing but an explicit URL leads to a server. */
const atServer = (url: string): Pick<ProveInput, 'open' | 'where'> => ({
  where: 'server',
  open: (limits) => openServerSession(url, limits),
});

/** What leaked although the database should isolate it. */
export const leaksIn = (proof: Proof, { open }: Comparison): readonly Cell[] =>
  proof.cells.filter((c) => c.outcome === 'leaked' && !c.grantedByPlatform && !open.includes(c.table));
