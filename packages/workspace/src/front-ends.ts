import type { FileFacts } from '@tenant-lint/model';
import { extractSql } from '@tenant-lint/sql';
import { extractDrizzleSnapshot, extractPrisma } from '@tenant-lint/typescript';
import type { SourceKind } from './discover.js';
import type { Settings } from './settings.js';
import type { SqlJob } from './threads.js';

/** The files of a project that hold something to read, by kind, as the configuration has it. */
export function filesToRead(files: ReadonlyMap<string, SourceKind>, settings: Settings): [string, SourceKind][] {
  const snapshots = lastSnapshots(files);
  return [...files].filter(
    ([file, kind]) =>
      (isSource(kind) || snapshots.has(file)) &&
      !settings.isIgnored(file) &&
      (kind !== 'prisma' || settings.isSchema(file)),
  );
}

/** How a file that is no code becomes facts, and what besides its text the facts depend on. */
export interface FrontEnd {
  readonly variant: string;
  run(): FileFacts;
  /** What another thread has to know to do the same. Absent where that is not worth its while. */
  readonly sql?: SqlJob;
}

/** The front end of a file that is no code; undefined for code. */
export function frontEndOf(file: string, kind: SourceKind, text: string, settings: Settings): FrontEnd | undefined {
  switch (kind) {
    case 'sql': {
      const role = settings.sqlRole(file);
      // What was read with another parser is other facts.
      const variant = [role.role ?? [], settings.sqlParser === 'libpg-query' ? [] : settings.sqlParser]
        .flat()
        .join('/');
      return { variant, run: () => extractSql(text, { file, ...role }), sql: role };
    }
    case 'prisma':
      return { variant: '', run: () => extractPrisma(text, { file }) };
    case 'snapshot':
      return { variant: '', run: () => extractDrizzleSnapshot(text, { file }) };
    default:
      return undefined;
  }
}

/** The last snapshot of each folder whose migrations are not there as SQL. */
function lastSnapshots(files: ReadonlyMap<string, SourceKind>): ReadonlySet<string> {
  const last = new Map<string, string>();
  for (const [file, kind] of files) if (kind === 'snapshot') last.set(file.replace(/meta\/[^/]*$/, ''), file);
  for (const [file, kind] of files) if (kind === 'sql') last.delete(file.replace(/[^/]*$/, ''));
  return new Set(last.values());
}

const isSource = (kind: SourceKind): boolean => kind === 'code' || kind === 'sql' || kind === 'prisma';
