import type { Model } from '@tenant-lint/analysis';
import type { Declaration, RepairStep } from '@tenant-lint/engine';
import type { Edit, Table, TableName } from '@tenant-lint/model';
import { declareInDrizzle, declareInPrisma, type DeclaredChange } from '@tenant-lint/typescript';
import { edited } from '../suggest.js';
import { lineEdits } from './line-edits.js';

/** The declarations of code brought to what a migration makes, as far as that is known. */
export interface Redeclared {
  readonly edits: readonly Edit[];
  /** Steps of which a declaration does not say everything, with the file. */
  readonly open: ReadonlyMap<string, string>;
}

/** What schema languages have to say after some steps. Pure but for the texts that it is handed. */
export function redeclared(
  model: Model,
  steps: readonly RepairStep[],
  textOf: (file: string) => string | undefined,
): Redeclared {
  const texts = new Map<string, string>();
  const open = new Map<string, string>();
  for (const step of steps)
    for (const declaration of step.declares ?? []) {
      const table = model.schema.tables.get(declaration.table);
      const home = table && homeOf(table, model);
      if (!table || !home) continue;
      const text = texts.get(home.file) ?? textOf(home.file);
      const change = resolved(model, table, declaration, home.name);
      const after = text === undefined || !change ? undefined : changed(text, home, change);
      if (after === undefined) open.set(step.id, home.file);
      else texts.set(home.file, after);
    }
  const edits = [...texts].flatMap(([file, text]) => lineEdits(file, textOf(file) ?? '', text));
  return { edits, open };
}

interface Home {
  readonly file: string;
  readonly name: TableName;
}

/** Where code declares a table; undefined where only migrations know it. */
function homeOf(table: Table, model: Model): Home | undefined {
  for (const name of table.aliases) {
    if (name.by === 'binding') return { file: name.file, name };
    if (name.by !== 'model' || name.library !== 'prisma') continue;
    const places = [table.origin.created, ...table.origin.changed];
    const file = places.find((p) => model.files.get(p.file)?.dialect === 'prisma')?.file;
    if (file !== undefined) return { file, name };
  }
  return undefined;
}

function changed(text: string, { file, name }: Home, change: DeclaredChange): string | undefined {
  if (name.by === 'model') return declareInPrisma(text, name.name, change);
  const edits = declareInDrizzle(text, file, name.name, change);
  return edits && edited(text, edits);
}

/** A declaration in the names of code. */
function resolved(model: Model, table: Table, d: Declaration, name: TableName): DeclaredChange | undefined {
  const propertyIn = (of: Table, column: string): string => of.columns.get(column)?.property ?? column;
  const own = (columns: readonly string[]): string[] =>
    columns.map((c) => table.columns.get(c)?.property ?? keyLike(model, c) ?? c);
  switch (d.kind) {
    case 'not null':
      return { kind: 'not null', property: propertyIn(table, d.column) };
    case 'index':
      return { kind: 'index', properties: own(d.columns), name: d.name };
    case 'unique':
      return {
        kind: 'unique',
        properties: own(d.columns),
        name: d.name,
        ...(d.instead ? { instead: own(d.instead) } : {}),
      };
    case 'reference': {
      const to = model.schema.tables.get(d.to);
      return (
        to && {
          kind: 'reference',
          properties: own(d.columns),
          references: d.references.map((c) => propertyIn(to, c)),
          name: d.name,
          instead: own(d.instead),
        }
      );
    }
    case 'restrict':
      return { kind: 'restrict', properties: own(d.columns) };
    case 'column': {
      const like = model.schema.tables.get(d.like);
      const alias = like?.aliases.find((a) => a.by === name.by);
      if (!like || !alias || alias.by === 'sql') return undefined;
      const property = propertyIn(like, d.column);
      return { kind: 'column', property, like: { table: alias.name, property } };
    }
  }
}

/** What code calls a column that the table does not have yet: as it does elsewhere. */
function keyLike(model: Model, column: string): string | undefined {
  for (const table of model.schema.tables.values()) {
    const property = table.columns.get(column)?.property;
    if (property !== undefined) return property;
  }
  return undefined;
}
