import type { Edit, Span } from '@tenant-lint/model';
import { parsed } from '../extract/extract.js';
import { drizzleFilter } from './drizzle.js';
import { objectFilter } from './objects.js';
import { callAt, type Written } from './nodes.js';
import { sqlFilter } from './sql-text.js';
import { stepFilter } from './steps.js';

/** A condition `key = expression` that an access lacks. */
export interface Wanted {
  readonly library: string;
  /** The operation by its name in the library. */
  readonly method: string;
  /** Its call chain. */
  readonly span: Span;
  /** The key as the database calls it, and as code does. */
  readonly column: string;
  readonly property: string;
  /** What the SQL text calls the row, where it says. */
  readonly alias?: string;
  /** Whether the access reaches rows of further tables. */
  readonly isJoined: boolean;
  readonly expression: string;
}

/** Writes a condition in the way of a library. Undefined where it does not know how. */
export type Filter = (w: Written, wanted: Wanted) => readonly Edit[] | undefined;

const filters: Readonly<Record<string, readonly Filter[]>> = {
  prisma: [objectFilter, sqlFilter],
  drizzle: [drizzleFilter, sqlFilter],
  typeorm: [objectFilter, stepFilter, sqlFilter],
  sequelize: [objectFilter, sqlFilter],
  'mikro-orm': [objectFilter, sqlFilter],
  mongoose: [objectFilter],
  mongodb: [objectFilter],
  supabase: [stepFilter],
  kysely: [stepFilter, sqlFilter],
  knex: [stepFilter, sqlFilter],
  objection: [stepFilter, sqlFilter],
};

/**
 * The edits that add a condition to an access, in the library's own way; undefined where the code has a form that they are not known for.
 * Whether the access is isolated then is for the analysis to say. Pure; never throws.
 */
export function insertFilter(text: string, wanted: Wanted): readonly Edit[] | undefined {
  const read = parsed(text, wanted.span.file);
  const written = read && { file: wanted.span.file, text: read.code, source: read.source };
  if (!written || !callAt(written, wanted.span)) return undefined;
  for (const filter of filters[wanted.library] ?? [sqlFilter]) {
    const edits = filter(written, wanted);
    if (edits) return edits;
  }
  return undefined;
}
