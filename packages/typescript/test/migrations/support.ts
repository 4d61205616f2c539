import { foldSchema, link, type Model } from '@tenant-lint/analysis';
import type { Schema } from '@tenant-lint/model';
import { extractSql } from '@tenant-lint/sql';
import { adapters, extractTypescript } from '../../src/index.js';

/** The program of these files, as the pipeline links it. */
export function linked(files: Readonly<Record<string, string>>): Model {
  const facts = Object.entries(files).map(([file, text]) =>
    file.endsWith('.sql') ? extractSql(text, { file }) : extractTypescript(text, { file }),
  );
  return link(facts, {
    adapters,
    project: { packages: [], compilers: [], files: new Set(Object.keys(files)) },
    tenancy: {},
  });
}

/** The schema of a script. */
export const schemaOfSql = (sql: string): Schema => foldSchema([extractSql(sql, { file: 'migrations/0001.sql' })]);

/** What a schema says, without places: two schemas that say the same are equal. */
export function shownSchema(schema: Schema): unknown {
  const { tables, views, functions, roles, grants, enums, extensions, schemas, dangling } = schema;
  const own = { tables, views, functions, roles, grants, enums, extensions, schemas };
  return shown({ ...own, dangling: dangling.map((d) => d.what) });
}

const places = new Set([
  'span',
  'origin',
  'usingSpan',
  'checkSpan',
  'created',
  'changed',
  'file',
  'attributeAt',
  'text',
]);

/** Lists whose order follows that of the statements, not of the schema. */
const unordered = new Set(['constraints', 'indexes', 'policies']);

function shown(value: unknown, key = ''): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].sort(byText).map(([k, v]) => [String(k), shown(v)]));
  if (value instanceof Set) return [...value].map(String).sort();
  if (Array.isArray(value)) {
    const items = value.map((v: unknown) => shown(v));
    return unordered.has(key) ? items.sort(byText) : items;
  }
  // Libraries quote numbers and write true as 1.
  if (typeof value === 'boolean' && key === 'value') return value ? '1' : '0';
  if (typeof value === 'number' && key === 'value') return String(value);
  // Ids of queries are made of files and positions.
  if (typeof value === 'string') return value.replace(/^\S*#\S*$/, 'query');
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([k]) => !places.has(k));
  return Object.fromEntries(entries.map(([k, v]) => [k, shown(v, k)]));
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** What was not understood, in words. */
export const uncheckedOf = (model: Model): string[] => model.unchecked.map((u) => u.detail ?? u.reason);

/** The line of the first event of a kind on a table, from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
