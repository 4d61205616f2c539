import type { Tenancy } from '@tenant-lint/model';
import { idOf, sqlName, type Catalog, type Relation } from '../catalog.js';
import type { Classes } from '../fill/classes.js';
import type { Filled, RowMaker } from '../fill/fill.js';
import type { AppRole, Context } from '../identity.js';
import { platformSchemas } from '../migrate/supabase.js';
import type { Command, Planned } from './attempt.js';
import { planFunction } from './functions.js';
import { planLinks } from './links.js';
import { ownedOf, type Owned } from './owned.js';
import type { Privileges } from './privileges.js';
import { planTable, type As } from './tables.js';
import { ownedBehind, planView } from './views.js';

export interface PlanInput {
  readonly catalog: Catalog;
  readonly classes: Classes;
  readonly maker: RowMaker;
  readonly filled: Filled;
  readonly tenancyOf: (relation: Relation) => Tenancy;
  readonly roles: readonly AppRole[];
  readonly contexts: readonly Context[];
  readonly privileges: ReadonlyMap<string, Privileges>;
  /** The partitions that hold B's rows, by oid. */
  readonly holding: ReadonlySet<string>;
}

const commands: readonly Command[] = ['read', 'insert', 'update', 'delete', 'move', 'upsert', 'truncate'];

/** The tables whose rows belong to tenants, by oid, and why others are not among them. Pure. */
export function ownedTables(
  catalog: Catalog,
  filled: Filled,
  tenancyOf: (relation: Relation) => Tenancy,
): {
  readonly owned: ReadonlyMap<string, Owned>;
  readonly others: readonly { readonly relation: Relation; readonly reason: string }[];
} {
  const owned = new Map<string, Owned>();
  const others: { relation: Relation; reason: string }[] = [];
  const unfilled = new Map(filled.unfilled.map((u) => [u.table, u.reason]));
  for (const relation of catalog.relations) {
    if (relation.kind !== 'table' && relation.kind !== 'partitioned') continue;
    if (relation.parent !== undefined) continue;
    const id = idOf(relation);
    const tenancy = tenancyOf(relation);
    if (platformSchemas.has(relation.schema) && tenancy.kind === 'unknown') continue;
    const found = ownedOf(relation, tenancy, filled.rows.get(id), unfilled.get(id));
    if (typeof found === 'string') others.push({ relation, reason: found });
    else owned.set(relation.oid, { ...found, keptBy: keptBy(relation, catalog) });
  }
  return { owned, others };
}

/** Rows whose reference would keep a row from being deleted, at any depth of cascades. */
function keptBy(relation: Relation, catalog: Catalog): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (oid: string): void => {
    if (seen.has(oid)) return;
    seen.add(oid);
    for (const other of catalog.relations)
      for (const c of other.constraints) {
        if (c.kind !== 'foreign key' || c.to !== oid || other.oid === relation.oid) continue;
        if (c.onDelete === 'c') visit(other.oid);
        else if (c.onDelete === 'a' || c.onDelete === 'r') found.add(`delete from ${sqlName(other)}`);
      }
  };
  visit(relation.oid);
  return [...found].sort();
}

/** Everything that is tried, context by context: a setting once set is never NULL again. Pure. */
export function planAttempts(input: PlanInput): readonly Planned[] {
  const { catalog, contexts, roles, privileges } = input;
  const { owned, others } = ownedTables(catalog, input.filled, input.tenancyOf);
  const list = [...owned.values()];
  const planned: Planned[] = [];
  for (const context of contexts)
    for (const { name: role } of roles) {
      const may = privileges.get(role);
      if (!may) continue;
      const as: As = { role, context, mayUse: (r, c, p) => may.column(r, c, p) };
      for (const table of list) {
        planned.push(...planTable(table, as), ...planLinks(table, owned, as));
        for (const part of partitionsOf(table.relation, catalog))
          planned.push(...planPartition(table, part, as, input.holding.has(part.oid)));
      }
      for (const view of catalog.relations) {
        if (view.kind !== 'view' && view.kind !== 'materialized view') continue;
        if (platformSchemas.has(view.schema)) continue;
        const behind = ownedBehind(view, catalog, owned);
        // Without settings, what a view shows is what its tables show; they are tried.
        if (context.name !== '' && !behind.some((t) => t.relation.rowSecurity)) continue;
        planned.push(...planView(view, behind, as, (p) => may.relation(view, p)));
      }
      if (context.name === '')
        for (const f of catalog.functions) {
          if (f.returnsTrigger || platformSchemas.has(f.schema) || !may.execute(f)) continue;
          planned.push(...planFunction(f, catalog, input.classes, input.maker, list, as));
        }
    }
  for (const { relation, reason } of others)
    for (const { name: role } of roles.slice(0, 1))
      planned.push({
        table: idOf(relation),
        way: { kind: 'table', name: idOf(relation) },
        command: 'read',
        role,
        context: '',
        attempts: [],
        notTried: reason,
      });
  return planned;
}

const partitionsOf = (table: Relation, catalog: Catalog): readonly Relation[] =>
  catalog.relations.filter((r) => r.parent === table.oid).flatMap((r) => [r, ...partitionsOf(r, catalog)]);

function planPartition(table: Owned, part: Relation, as: As, holds: boolean): readonly Planned[] {
  if (as.context.name !== '') return [];
  if (holds) return planTable(table, as, part).filter((p) => p.command !== 'upsert' && p.command !== 'move');
  const way = { kind: 'partition' as const, name: idOf(part) };
  return [
    {
      table: idOf(table.relation),
      way,
      command: commands[0]!,
      role: as.role,
      context: '',
      attempts: [],
      notTried: 'it holds no row of B; its sister that does is tried',
    },
  ];
}
