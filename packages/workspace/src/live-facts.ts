import type { FileFacts, LiveFacts } from '@tenant-lint/model';
import { extractSql } from '@tenant-lint/sql';

/** What stands where the name of a file would; no file that is read has this name. */
export const databaseName = 'database';

/** The facts of a database, made of the statements that its catalogue amounts to. */
export function liveFacts({ text, subjects, rows }: LiveFacts & { readonly text: string }): FileFacts {
  const facts = extractSql(text, { file: databaseName, role: 'dump' });
  // A comment in the body of a function is no order to this run.
  return { ...facts, directives: [], live: { subjects, ...(rows ? { rows } : {}) } };
}
