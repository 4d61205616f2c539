import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { placeInTable } from '../../lib/place.js';
import {
  carriesTenant,
  commonKeys,
  hasCompositeTarget,
  isGuessable,
  referencedColumns,
  usesCompositeReferences,
  type ForeignKey,
  type KeyPair,
} from '../../lib/reference.js';
import { references, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-composite-reference',
    group: 'schema',
    summary: 'Require that references between tables of tenants carry the tenant',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['K01', 'K02', 'K05', 'K06', 'K12', 'K14'],
    messages: {
      missing: {
        what: 'The reference of {table} over {columns} to {parent} does not carry {key}.',
        why: "The database accepts a row of one tenant that points at another tenant's {parent}.",
        fix: 'Reference {parent} over ({key}, {columns}){target}.',
      },
      missingUnderRls: {
        severity: 'error',
        what: 'The reference of {table} over {columns} to {parent} does not carry {key}.',
        why: "Foreign keys are checked without row security, so a row of one tenant may point at another tenant's {parent}, and a refusal tells which ones exist.",
        fix: 'Reference {parent} over ({key}, {columns}){target}.',
      },
      missingHere: {
        severity: 'error',
        what: 'The reference of {table} over {columns} to {parent} does not carry {key}, although other references do.',
        why: "The database accepts a row of one tenant that points at another tenant's {parent}.",
        fix: 'Reference {parent} over ({key}, {columns}){target}.',
      },
      cascade: {
        what: 'The reference of {table} over {columns} to {parent} does not carry {key}, and deletes along.',
        why: 'A tenant that deletes one of its {parent} deletes the rows of other tenants that point at it, hidden ones included.',
        fix: 'Reference {parent} over ({key}, {columns}){target}.',
      },
      cascadeUnderRls: {
        severity: 'error',
        what: 'The reference of {table} over {columns} to {parent} does not carry {key}, and deletes along.',
        why: "A cascade runs without row security: it deletes other tenants' rows that point at the deleted one.",
        fix: 'Reference {parent} over ({key}, {columns}){target}.',
      },
      crossed: {
        severity: 'error',
        what: 'The reference of {table} to {parent} compares {own} with {theirs}.',
        why: 'The tenant of the row is compared with something that is no tenant, so the reference does not hold rows to their tenant.',
        fix: 'Write the columns of both sides in the same order, the tenant opposite the tenant.',
      },
      notValidated: {
        what: 'The reference of {table} over {columns} to {parent} was added NOT VALID and is never validated.',
        why: "Rows that were there before may point at other tenants' rows, and stay.",
        fix: 'Repair the old rows, then add VALIDATE CONSTRAINT in a migration.',
      },
      oracle: {
        severity: 'info',
        what: '{table} refers to {parent} over {columns}, whose values can be guessed.',
        why: 'The check of the reference ignores row security, so whether an insert is refused tells which rows other tenants have.',
        fix: 'Give {table} the key {key} and reference {parent} over both, or use identifiers that nobody can guess.',
      },
      unguessable: {
        severity: 'info',
        what: 'The reference of {table} over {columns} to {parent} does not carry {key}; its values cannot be guessed.',
        why: "Whoever comes to know an identifier can make a row of one tenant point at another tenant's {parent}.",
        fix: 'Reference {parent} over ({key}, {columns}){target}.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const found = problemsOf(model);
    for (const one of found) {
      const { table, constraint, parent, message } = one;
      const others = alike(found, one);
      // Where no reference of the project carries the tenant, that is one decision for each table that is pointed at.
      if (others[0] !== undefined && found.indexOf(others[0]) < found.indexOf(one)) continue;
      const place = placeInTable(constraint, table);
      const worst = [one, ...others].find((p) => p.message === 'cascade') ?? one;
      const more = others.map((other) => ({
        span: placeInTable(other.constraint, other.table).span,
        text: `so does the reference of ${tableName(other.table.id)}`,
      }));
      yield {
        message: others.length > 0 ? worst.message : message,
        data: one.data,
        ...place,
        related: [...place.related, ...more],
        confidence: 'certain',
        table: table.id,
        key: `${table.id} ${constraint.columns.join(',')} ${parent.id}`,
      };
    }
  },
});

interface Problem {
  readonly table: Table;
  readonly constraint: ForeignKey;
  readonly parent: Table;
  readonly message: MessageId;
  readonly data: Readonly<Record<string, string>>;
}

function problemsOf(model: Model): Problem[] {
  return [...model.schema.tables.values()].flatMap((table) => {
    if (table.partitionOf !== undefined) return [];
    return references(model, table).flatMap(({ constraint, to: parent }) => {
      if (parent === undefined || parent.partitionOf !== undefined) return [];
      const problem = problemOf(model, table, constraint, parent);
      return problem ? [{ table, constraint, parent, ...problem }] : [];
    });
  });
}

/** The other references to the same table that lack the tenant in a project where all do. */
const alike = (all: readonly Problem[], one: Problem): Problem[] =>
  ['missing', 'cascade'].includes(one.message)
    ? all.filter((p) => p !== one && p.parent === one.parent && ['missing', 'cascade'].includes(p.message))
    : [];

type MessageId =
  | 'missing'
  | 'missingUnderRls'
  | 'missingHere'
  | 'cascade'
  | 'cascadeUnderRls'
  | 'crossed'
  | 'notValidated'
  | 'oracle'
  | 'unguessable';

function problemOf(
  model: Model,
  table: Table,
  constraint: ForeignKey,
  parent: Table,
): { readonly message: MessageId; readonly data: Readonly<Record<string, string>> } | undefined {
  const referenced = referencedColumns(constraint, parent);
  const names = { table: tableName(table.id), parent: tableName(parent.id), columns: constraint.columns.join(', ') };
  const guessable =
    referenced.length > 0 &&
    referenced.every((column, i) => isGuessable(model, parent, column, constraint.columns[i] ?? column));
  const pairs = commonKeys(model, table, parent);
  const [pair] = pairs;
  if (pair === undefined) {
    const [key] = tenantKeys(model, parent);
    const isOracle = key !== undefined && tenantKeys(model, table).length === 0 && guessable;
    if (!isOracle || model.tenancyOf(table.id).kind === 'root' || !model.databaseIsolates(parent)) return undefined;
    return { message: 'oracle', data: { ...names, key: key.column } };
  }
  const crossed = crossedPair(constraint, referenced, pairs);
  if (crossed) return { message: 'crossed', data: { ...names, ...crossed } };
  if (carriesTenant(model, table, constraint, parent)) {
    return constraint.notValid === true ? { message: 'notValidated', data: names } : undefined;
  }
  if (isCarriedByAnother(model, table, constraint, parent)) return undefined;
  const target = hasCompositeTarget(parent, pair.theirs, referenced)
    ? ''
    : `, after making (${[pair.theirs, ...referenced].join(', ')}) unique there`;
  const data = { ...names, key: pair.own, target };
  if (!guessable) return { message: 'unguessable', data };
  const underRls = model.tenancy.strategy === 'rls' || model.databaseIsolates(table);
  if (constraint.onDelete === 'cascade') return { message: underRls ? 'cascadeUnderRls' : 'cascade', data };
  if (underRls) return { message: 'missingUnderRls', data };
  return { message: usesCompositeReferences(model) ? 'missingHere' : 'missing', data };
}

/** A column of a composite reference that carries the tenant on one side only. */
function crossedPair(
  constraint: ForeignKey,
  referenced: readonly string[],
  pairs: readonly KeyPair[],
): { readonly own: string; readonly theirs: string } | undefined {
  if (constraint.columns.length < 2) return undefined;
  for (const [i, own] of constraint.columns.entries()) {
    const theirs = referenced[i];
    if (theirs === undefined || pairs.some((pair) => pair.own === own && pair.theirs === theirs)) continue;
    if (pairs.some((pair) => pair.own === own || pair.theirs === theirs)) return { own, theirs };
  }
  return undefined;
}

/** Whether a second reference over the same columns carries the tenant. */
const isCarriedByAnother = (model: Model, table: Table, constraint: ForeignKey, parent: Table): boolean =>
  references(model, table).some(
    ({ constraint: other, to }) =>
      to?.id === parent.id &&
      other !== constraint &&
      constraint.columns.every((column) => other.columns.includes(column)) &&
      carriesTenant(model, table, other, parent),
  );
