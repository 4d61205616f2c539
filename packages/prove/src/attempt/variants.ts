import type { CatalogColumn } from '../catalog.js';
import type { Row } from '../fill/fill.js';
import type { Owned } from './owned.js';

/** A row of B that differs from the plain one in what the policies look at. */
export interface Variant {
  readonly change: Row;
  /** '' for the plain row. */
  readonly world: string;
}

const most = 8;

/**
 * The rows of B to try: the plain one, and one for every other value of a column that the policies of the table name (a flag that is set, a
 * word that they compare with, NULL), because a policy may let only some foreign rows through. Keys and references stay.
 */
export function variantsOf(owned: Owned): readonly Variant[] {
  const text = owned.relation.policies.join(' ');
  const tied = new Set(owned.relation.constraints.filter((c) => c.kind !== 'check').flatMap((c) => c.columns));
  const words = [...new Set([...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, w]) => (w ?? '').replaceAll("''", "'")))];
  const found: Variant[] = [{ change: {}, world: '' }];
  for (const column of owned.relation.columns) {
    if (column.generated || tied.has(column.number) || owned.columns.includes(column.name)) continue;
    if (!new RegExp(String.raw`\b${column.name.replaceAll(/\W/g, String.raw`\$&`)}\b`).test(text)) continue;
    for (const value of valuesOf(column, words)) {
      if (value === (owned.B[column.name] ?? null)) continue;
      found.push({ change: { [column.name]: value }, world: `a row of B whose ${column.name} is ${value ?? 'NULL'}` });
    }
  }
  return found.slice(0, most);
}

function valuesOf(column: CatalogColumn, words: readonly string[]): readonly (string | null)[] {
  const empty = column.notNull ? [] : [null];
  if (column.base === 'boolean') return ['true', 'false', ...empty];
  if (column.kind === 'enum') return [...column.labels.filter((l) => words.includes(l)), ...empty];
  if (/^(?:text|character|citext)/.test(column.base))
    return [...words.filter((w) => w !== '' && !/[.{]/.test(w)), ...empty];
  return empty;
}
