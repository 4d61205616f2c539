import { parseSql } from '../parser/index.js';
import { directionOf } from './layout.js';

/** A statement of a migration as text, with its place. */
export interface MigrationStatement {
  /** UTF-16 offsets; `end` is exclusive and without the semicolon. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Its first words in lower case, at most six. */
  readonly words: readonly string[];
  readonly direction: 'up' | 'down';
}

/** The statements of a script in order, comments and commands of psql left out. Never throws: a text that is too large has none. */
export function migrationStatements(text: string, file: string): readonly MigrationStatement[] {
  const parsed = parseSql(text, { skip: (words) => (words[0] === 'insert' ? 'insert' : undefined) });
  const direction = directionOf(file, text, parsed.comments);
  return parsed.statements.map(({ start, end, text: own, words }) => ({
    start,
    end,
    text: own,
    words,
    direction: direction(start),
  }));
}
