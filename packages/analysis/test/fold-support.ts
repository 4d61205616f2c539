import type { FileFacts, Schema, SchemaAction, SchemaEvent, Span, Table } from '@tenant-lint/model';
import { extractSql } from '@tenant-lint/sql';
import { extractPrisma } from '@tenant-lint/typescript';
import { foldSchema } from '../src/fold/index.js';

/** The facts of files given by path and text. `.sql` and `.prisma` as their front ends read them. */
export function factsOf(files: Readonly<Record<string, string>>): FileFacts[] {
  return Object.entries(files).map(([file, text]) =>
    file.endsWith('.prisma') ? extractPrisma(text, { file }) : extractSql(text, { file }),
  );
}

export const fold = (files: Readonly<Record<string, string>>): Schema => foldSchema(factsOf(files));

/** The schema of one migration. */
export const foldSql = (text: string): Schema => fold({ 'db/migrations/0001_init.sql': text });

/** The table of that id; the test fails if there is none. */
export function tableIn(schema: Schema, id: string): Table {
  const table = schema.tables.get(id);
  if (!table) throw new Error(`no table ${id}; there are ${[...schema.tables.keys()].join(', ')}`);
  return table;
}

/** Facts of a code file that declares schema, as linking hands them to the fold. */
export function declaring(file: string, actions: readonly SchemaAction[]): FileFacts {
  const events = actions.map((action, i): SchemaEvent => ({ action, span: spanIn(file, i), direction: 'up' }));
  return {
    file,
    hash: '',
    dialect: 'typescript',
    lineStarts: [0],
    directives: [],
    imports: [],
    exports: [],
    bindings: {},
    classes: [],
    functions: [],
    chains: [],
    schema: events,
    queries: [],
    unchecked: [],
  };
}

export const spanIn = (file: string, at: number): Span => ({ file, start: at * 10, end: at * 10 + 5 });
