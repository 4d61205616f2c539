import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  Node,
  OnConflictClause,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from '@pgsql/types';
import type { Predicate, TargetRef, Value, Writes } from '@tenant-lint/model';
import { mapPredicate, mapValue, unknownValue } from '@tenant-lint/model';
import type { Conjunct, Draft, OutputItem } from './context.js';
import { collecting, isStar, newRef } from './context.js';
import { withCtes } from './ctes.js';
import type { FromLeaf, FromNode, Role } from './from.js';
import { aliasOf, joinedRole, levelOf, lowerConjuncts, lowerFrom, newDraft } from './from.js';
import { exposedBy } from './joins.js';
import { holeOf } from './holes.js';
import { listItems, strings } from './nodes.js';
import type { Level, Scope, Source } from './scope.js';
import { inLevel, rowSource, tableSource } from './scope.js';
import type { Rows } from './select.js';
import { combine, lowerOutput, lowerRows } from './select.js';
import { lowerExpression } from './values.js';

/** INSERT, UPDATE, DELETE or MERGE; its rows are those of RETURNING. */
export function lowerDml(node: Node, scope: Scope, role: Role): Rows | undefined {
  if ('InsertStmt' in node) return lowerInsert(node.InsertStmt, scope, role);
  if ('UpdateStmt' in node) return lowerUpdate(node.UpdateStmt, scope, role);
  if ('DeleteStmt' in node) return lowerDelete(node.DeleteStmt, scope, role);
  if ('MergeStmt' in node) return lowerMerge(node.MergeStmt, scope, role);
  return undefined;
}

function targetLeaf(draft: Draft, relation: RangeVar): FromLeaf {
  const name = aliasOf(relation) ?? relation.relname ?? '';
  const source = tableSource(draft.ref, name, aliasOf(relation) === undefined ? relation.schemaname : undefined);
  return { kind: 'leaf', source, drafts: [draft], own: [draft], exposed: [], optional: new Set() };
}

const joined = (left: FromNode, right: FromNode | undefined): FromNode =>
  right ? { kind: 'join', type: 'inner', left, right, on: [], merged: new Map() } : left;

const withDrafts = (rows: Rows, more: readonly Draft[]): Rows =>
  more.length > 0 ? { ...rows, drafts: [...rows.drafts, ...more] } : rows;

function lowerReturning(clause: ReturningClause | undefined, scope: Scope, level: Level, ref: TargetRef): OutputItem[] {
  const rows: Level = { sources: [rowSource('old', ref), rowSource('new', ref)], merged: new Map() };
  return lowerOutput(clause?.exprs ?? [], { ...inLevel(scope, level), levels: [level, rows, ...scope.levels] }, level);
}

function lowerUpdate(statement: UpdateStmt, outer: Scope, role: Role): Rows {
  const { scope, drafts } = withCtes(statement.withClause, outer);
  const relation = statement.relation ?? {};
  const draft = newDraft(scope.context, relation, role, 'update');
  const tree = joined(targetLeaf(draft, relation), lowerFrom(statement.fromClause ?? [], scope, joinedRole(role)));
  const level = levelOf(tree);
  const inner = inLevel(scope, level);
  const where = lowerConjuncts(statement.whereClause, inner);
  const { result: output, subs } = collecting(scope.context, () => {
    draft.writes = lowerAssignments(statement.targetList ?? [], inner);
    return lowerReturning(statement.returningClause, scope, level, draft.ref);
  });
  return withDrafts({ ...combine(tree, where, subs), output }, drafts());
}

function lowerDelete(statement: DeleteStmt, outer: Scope, role: Role): Rows {
  const { scope, drafts } = withCtes(statement.withClause, outer);
  const relation = statement.relation ?? {};
  const draft = newDraft(scope.context, relation, role, 'delete');
  const tree = joined(targetLeaf(draft, relation), lowerFrom(statement.usingClause ?? [], scope, joinedRole(role)));
  const level = levelOf(tree);
  const where = lowerConjuncts(statement.whereClause, inLevel(scope, level));
  const { result: output, subs } = collecting(scope.context, () =>
    lowerReturning(statement.returningClause, scope, level, draft.ref),
  );
  return withDrafts({ ...combine(tree, where, subs), output }, drafts());
}

/** SET a = x, (b, c) = (y, z), (d, e) = (SELECT ...). A column set to DEFAULT gets an unknown value. */
function lowerAssignments(items: readonly Node[], scope: Scope): Writes {
  const set: [string, Value][] = [];
  let open = false;
  for (const item of items) {
    if (!('ResTarget' in item)) continue;
    const { name = '', val, indirection } = item.ResTarget;
    if (holeOf(name) !== undefined) {
      open = true;
      continue;
    }
    const value =
      val && 'MultiAssignRef' in val
        ? assigned(val.MultiAssignRef.source, (val.MultiAssignRef.colno ?? 1) - 1, scope)
        : lowerExpression(val, scope);
    set.push([name, indirection ? unknownValue('part of a column') : value]);
  }
  return { set: Object.fromEntries(set), open };
}

function assigned(source: Node | undefined, index: number, scope: Scope): Value {
  if (source && 'RowExpr' in source) return lowerExpression(source.RowExpr.args?.[index], scope);
  if (!source || !('SubLink' in source)) return unknownValue('part of a row');
  const select = source.SubLink.subselect;
  // One column of the sub-select at a time, as a scalar sub-query of its own.
  if (!select || !('SelectStmt' in select) || !select.SelectStmt.targetList) return unknownValue('part of a row');
  const item = select.SelectStmt.targetList[index];
  if (!item) return unknownValue('part of a row');
  const one: Node = { SelectStmt: { ...select.SelectStmt, targetList: [item] } };
  return lowerExpression({ SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: one } }, scope);
}

function lowerInsert(statement: InsertStmt, outer: Scope, role: Role): Rows {
  const { scope, drafts } = withCtes(statement.withClause, outer);
  const relation = statement.relation ?? {};
  const conflict = statement.onConflictClause;
  const upsert = conflict?.action === 'ONCONFLICT_UPDATE';
  const draft: Draft = {
    ...newDraft(scope.context, relation, role, upsert ? 'upsert' : 'create'),
    vacuous: 'a new row',
  };
  const columns = statement.cols?.flatMap((c) => ('ResTarget' in c ? [c.ResTarget.name ?? ''] : []));
  const select =
    statement.selectStmt && 'SelectStmt' in statement.selectStmt ? statement.selectStmt.SelectStmt : undefined;
  const more: Draft[] = [];
  if (select?.valuesLists && !select.withClause) {
    const lists = select.valuesLists.map(listItems);
    const { result, subs } = collecting(scope.context, () => writtenValues(columns, lists, scope));
    draft.writes = result;
    if (lists.length === 1) draft.cardinality = 'one';
    more.push(...subs);
  } else if (statement.selectStmt) {
    const rows = lowerRows(statement.selectStmt, scope, 'subquery');
    draft.writes = writtenOutput(columns, rows.output);
    draft.copied = rows.output;
    draft.conditions.push(...rows.exposed.map((c) => c.predicate));
    more.push(...rows.drafts);
  } else {
    draft.writes = { set: {}, open: false };
    draft.cardinality = 'one';
  }
  const level: Level = { sources: [targetLeaf(draft, relation).source], merged: new Map() };
  if (conflict) more.push(...lowerConflict(conflict, draft, scope, level));
  const { result: output, subs } = collecting(scope.context, () =>
    lowerReturning(statement.returningClause, scope, level, draft.ref),
  );
  const rows: Rows = {
    output,
    exposed: draft.conditions.map((predicate): Conjunct => ({ predicate, subs: [] })),
    drafts: [draft, ...more, ...subs],
    own: [draft],
    optional: new Set(),
  };
  return withDrafts(rows, drafts());
}

/** What VALUES gives each named column: with several rows one of several. A column given DEFAULT in the only row is not set. */
function writtenValues(
  columns: readonly string[] | undefined,
  lists: readonly (readonly Node[])[],
  scope: Scope,
): Writes {
  const values = lists.map((list) =>
    list.map((item) => ('SetToDefault' in item ? undefined : lowerExpression(item, scope))),
  );
  if (!columns) return { set: {}, open: true };
  const named = beforeHole(columns);
  const set = named.flatMap((column, i): [string, Value][] => {
    const given = values.map((row) => row[i]);
    if (given.every((v) => v === undefined)) return [];
    const of = given.map((v) => v ?? unknownValue('DEFAULT'));
    return [[column, of.length === 1 && of[0] ? of[0] : { kind: 'choice', of }]];
  });
  return { set: Object.fromEntries(set), open: named.length < columns.length };
}

/** The columns before one that the program puts in: it may be several, so that the values behind it are not placed. */
function beforeHole(columns: readonly string[]): readonly string[] {
  const hole = columns.findIndex((column) => holeOf(column) !== undefined);
  return hole < 0 ? columns : columns.slice(0, hole);
}

function writtenOutput(columns: readonly string[] | undefined, output: readonly OutputItem[]): Writes {
  if (!columns) return { set: {}, open: true };
  const firstStar = output.findIndex(isStar);
  const named = beforeHole(columns);
  const set = named.map((column, i): [string, Value] => {
    const item = firstStar < 0 || i < firstStar ? output[i] : undefined;
    return [column, item && !isStar(item) ? item.value : unknownValue('column of SELECT *')];
  });
  return { set: Object.fromEntries(set), open: named.length < columns.length };
}

/** ON CONFLICT: the arbiter, and for DO UPDATE the condition under which an existing row is reached: it equals the new one in the arbiter. */
function lowerConflict(clause: OnConflictClause, draft: Draft, scope: Scope, level: Level): readonly Draft[] {
  const infer = clause.infer;
  const inner = inLevel(scope, level);
  const elements = (infer?.indexElems ?? []).flatMap((e) => ('IndexElem' in e ? [e.IndexElem] : []));
  if (infer?.conname !== undefined) draft.conflictConstraint = infer.conname;
  if (elements.length > 0)
    draft.conflict = elements.flatMap((e) => (e.name !== undefined ? [e.name] : columnNames(e.expr)));
  if (clause.action !== 'ONCONFLICT_UPDATE') return [];
  const written = (column: string): Value =>
    draft.writes?.set[column] ?? unknownValue(`value of ${column} in the new row`);
  const excluded: Source = { name: 'excluded', through: [], explicit: written, qualifiedOnly: true };
  const reached = elements.map((e): Predicate => {
    if (e.name === undefined) return { kind: 'unknown', reason: 'conflict on an expression' };
    return {
      kind: 'compare',
      left: { kind: 'column', target: draft.ref, column: e.name },
      operator: '=',
      right: written(e.name),
    };
  });
  if (infer?.conname !== undefined)
    reached.push({ kind: 'unknown', reason: `conflict on constraint ${infer.conname}` });
  const both: Scope = inLevel(scope, { ...level, sources: [...level.sources, excluded] });
  const { result, subs } = collecting(scope.context, () => {
    draft.updates = lowerAssignments(clause.targetList ?? [], both);
    return [...lowerConjuncts(infer?.whereClause, inner), ...lowerConjuncts(clause.whereClause, both)];
  });
  draft.conditions.push(...reached, ...result.map((c) => c.predicate));
  return [...subs, ...result.flatMap((c) => c.subs)];
}

/** The columns in an index expression. */
function columnNames(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(columnNames);
  if (node === null || typeof node !== 'object') return [];
  if ('ColumnRef' in node) return strings((node.ColumnRef as { fields?: Node[] }).fields).slice(-1);
  return Object.values(node).flatMap(columnNames);
}

/**
 * MERGE: every WHEN is a target of its own, since each reaches other rows. Rows matched satisfy ON; rows inserted, and those not matched by
 * the source, do not.
 */
function lowerMerge(statement: MergeStmt, outer: Scope, role: Role): Rows {
  const { scope, drafts } = withCtes(statement.withClause, outer);
  const relation = statement.relation ?? {};
  const template = newDraft(scope.context, relation, role, 'read');
  const source = lowerFrom(statement.sourceRelation ? [statement.sourceRelation] : [], scope, joinedRole(role));
  const tree = joined(targetLeaf(template, relation), source);
  const level = levelOf(tree);
  const inner = inLevel(scope, level);
  const on = lowerConjuncts(statement.joinCondition, inner);
  const exposed = source ? exposedBy(source) : [];
  const own: Draft[] = [];
  const subs: Draft[] = on.flatMap((c) => c.subs);
  let allMatched = true;
  for (const item of statement.mergeWhenClauses ?? []) {
    if (!('MergeWhenClause' in item)) continue;
    const clause = item.MergeWhenClause;
    const matched = clause.matchKind === 'MERGE_WHEN_MATCHED';
    const insert = clause.commandType === 'CMD_INSERT';
    if (!matched) allMatched = false;
    const when = lowerConjuncts(clause.condition, inner);
    subs.push(...when.flatMap((c) => c.subs));
    if (clause.commandType === 'CMD_NOTHING' || clause.commandType === undefined) continue;
    const operation = insert ? 'create' : clause.commandType === 'CMD_DELETE' ? 'delete' : 'update';
    const ref = own.length === 0 ? template.ref : newRef(scope.context);
    const { result: writes, subs: inWrites } = collecting(scope.context, () => mergeWrites(clause, inner));
    subs.push(...inWrites);
    const bySource = clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE';
    const conditions = [...(matched ? on : []), ...(bySource ? [] : exposed), ...when].map((c) => c.predicate);
    const rename = renaming(template.ref, ref);
    own.push({
      ...template,
      ref,
      operation,
      ...(writes
        ? {
            writes: {
              ...writes,
              set: Object.fromEntries(Object.entries(writes.set).map(([k, v]) => [k, mapValue(v, rename)])),
            },
          }
        : {}),
      conditions: [...template.conditions, ...conditions.map((c) => mapPredicate(c, rename))],
      vacuous: insert ? 'a new row' : 'no condition',
      arms: new Map(),
    });
  }
  if (own.length === 0) own.push({ ...template, conditions: on.map((c) => c.predicate) });
  const rows = source ? combine(source, allMatched ? on : [], subs) : combine(undefined, [], subs);
  const { result: output, subs: returned } = collecting(scope.context, () =>
    lowerReturning(statement.returningClause, scope, level, template.ref),
  );
  return withDrafts(
    { output, exposed: [], drafts: [...own, ...rows.drafts, ...returned], own, optional: new Set() },
    drafts(),
  );
}

function mergeWrites(
  clause: Extract<Node, { MergeWhenClause: unknown }>['MergeWhenClause'],
  scope: Scope,
): Writes | undefined {
  if (clause.commandType === 'CMD_UPDATE') return lowerAssignments(clause.targetList ?? [], scope);
  if (clause.commandType !== 'CMD_INSERT') return undefined;
  const columns = clause.targetList?.flatMap((c) => ('ResTarget' in c ? [c.ResTarget.name ?? ''] : []));
  return writtenValues(columns, [clause.values ?? []], scope);
}

const renaming =
  (from: TargetRef, to: TargetRef) =>
  (value: Value): Value => {
    if (value.kind !== 'column' || from === to) return value;
    if (value.target === from) return { ...value, target: to };
    if (!value.candidates?.some((level) => level.includes(from))) return value;
    return { ...value, candidates: value.candidates.map((level) => level.map((ref) => (ref === from ? to : ref))) };
  };
