import { and, column, equal, type Predicate, type Target, type TableName, type Value } from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { describe, modelNamed, spanOf, unknownCondition, type Rows } from '../prisma/lowering.js';
import { readObject, type ReadObject } from '../prisma/object.js';
import { expressionCondition, operand, type Variables } from './expression.js';
import { filterCondition, objectCondition } from './filter.js';
import { nameIn } from './models.js';
import { noFilter, type Mongo } from './shapes.js';

/** What a pipeline reaches. */
export interface Pipeline {
  /** The condition on documents of the collection that it begins with. */
  readonly condition: Predicate;
  /** Documents of other collections, those that $out and $merge write included. */
  readonly targets: readonly Target[];
}

/** Stages after which documents are no longer those of the collection. */
const reshaping = new Set([
  '$group',
  '$project',
  '$unset',
  '$replaceRoot',
  '$replaceWith',
  '$bucket',
  '$bucketAuto',
  '$sortByCount',
  '$count',
  '$unionWith',
  '$facet',
]);

/** Lowers an aggregation pipeline over `rows`. Its $match stages limit the documents until a stage makes others of them. */
export function pipelineOf(value: Value | undefined, rows: Rows, l: Mongo, variables: Variables = {}): Pipeline {
  const stages = value === undefined ? [] : readList(value, l);
  if (!stages)
    return { condition: unknownCondition(`the pipeline is ${describe(value!)}`, spanOf(value!, l.span)), targets: [] };
  const conditions: Predicate[] = [];
  const targets: Target[] = [];
  let reshaped = false;
  for (const item of stages) {
    if (item.spread) {
      conditions.push(unknownCondition(`some stages are ${describe(item.value)}`, spanOf(item.value, l.span)));
      continue;
    }
    const stage = readObject(item.value, l);
    if (!stage || stage.unseen.length > 0) {
      conditions.push(unknownCondition('a stage is not known', spanOf(item.value, l.span)));
      continue;
    }
    for (const { name, value: of, span } of stage.properties.values()) {
      if (name === '$match') {
        const condition = matchCondition(of, rows, l, variables);
        if (reshaped) conditions.push(unknownCondition('a $match follows a stage that makes other documents', span));
        else if (item.maybe) conditions.push({ kind: 'either', of: [condition, noFilter], ...(span ? { span } : {}) });
        else conditions.push(condition);
      } else if (name === '$geoNear') {
        conditions.push(filterCondition(readObject(of, l)?.properties.get('query')?.value, rows, l));
      } else if (name === '$facet') {
        for (const facet of readObject(of, l)?.properties.values() ?? [])
          targets.push(...pipelineOf(facet.value, rows, l, variables).targets);
      } else targets.push(...reachedBy(name, of, rows, l, variables));
      reshaped ||= reshaping.has(name);
    }
  }
  return { condition: and(...conditions, noFilter), targets };
}

/** A $match: a filter whose `$expr` may use the variables of a $lookup. */
function matchCondition(value: Value, rows: Rows, l: Mongo, variables: Variables): Predicate {
  const object = readObject(value, l);
  const expression = object?.properties.get('$expr');
  if (!object || !expression) return filterCondition(value, rows, l);
  const properties = new Map(object.properties);
  properties.delete('$expr');
  const rest: ReadObject = { properties, unseen: object.unseen };
  return and(objectCondition(rest, rows, l), expressionCondition(expression.value, rows, l, variables));
}

function reachedBy(stage: string, value: Value, rows: Rows, l: Mongo, variables: Variables): readonly Target[] {
  return l.deeper<readonly Target[]>(
    () => [],
    () => {
      switch (stage) {
        case '$lookup':
          return lookup(value, rows, l, variables);
        case '$graphLookup':
          return graphLookup(value, rows, l, variables);
        case '$unionWith':
          return unionWith(value, l);
        case '$out':
        case '$merge':
          return written(stage, value, l);
        default:
          return [];
      }
    },
  );
}

const text = (object: ReadObject, key: string, l: Mongo): string | undefined => {
  const value = object.properties.get(key)?.value;
  return value && nameIn(value, l.context);
};

/** The documents of another collection that a stage adds to those it has. */
function joined(
  from: string,
  value: Value,
  role: Target['role'],
  l: Mongo,
  condition: (rows: Rows) => Pipeline,
): readonly Target[] {
  const other: Rows = { ...modelNamed(collection(from), l), ref: l.target() };
  const { condition: predicate, targets } = condition(other);
  const target: Target = {
    ref: other.ref,
    table: { known: true, value: other.name },
    role,
    operation: 'read',
    predicate,
    cardinality: 'many',
    span: spanOf(value, l.span),
  };
  return [target, ...targets];
}

export const collection = (name: string): TableName => ({ by: 'sql', name });

function lookup(value: Value, rows: Rows, l: Mongo, outer: Variables): readonly Target[] {
  const object = readObject(value, l);
  const from = object && text(object, 'from', l);
  if (!object || from === undefined) return unseen('$lookup', value, l);
  const [local, foreign] = [text(object, 'localField', l), text(object, 'foreignField', l)];
  const variables: Record<string, Value> = { ...outer };
  const given = object.properties.get('let')?.value;
  for (const p of (given && readObject(given, l)?.properties.values()) ?? [])
    variables[p.name] = operand(p.value, rows, outer);
  return joined(from, value, 'include', l, (other) => {
    const inner = pipelineOf(object.properties.get('pipeline')?.value, other, l, variables);
    const tie =
      local !== undefined && foreign !== undefined
        ? equal(column(other.ref, foreign), column(rows.ref, local))
        : noFilter;
    return { condition: and(tie, inner.condition), targets: inner.targets };
  });
}

function graphLookup(value: Value, rows: Rows, l: Mongo, variables: Variables): readonly Target[] {
  const object = readObject(value, l);
  const from = object && text(object, 'from', l);
  const to = object && text(object, 'connectToField', l);
  const start = object?.properties.get('startWith')?.value;
  if (!object || from === undefined || to === undefined || !start) return unseen('$graphLookup', value, l);
  return joined(from, value, 'include', l, (other) => {
    const limit = filterCondition(object.properties.get('restrictSearchWithMatch')?.value, other, l);
    // Every step goes on to whatever the last one named, so only the restriction holds for all of them.
    const tie = equal(column(other.ref, to), operand(start, rows, variables));
    return { condition: limit.kind === 'always' ? tie : and(tie, limit), targets: [] };
  });
}

function unionWith(value: Value, l: Mongo): readonly Target[] {
  const name = nameIn(value, l.context);
  if (name !== undefined) return joined(name, value, 'union-arm', l, () => ({ condition: noFilter, targets: [] }));
  const object = readObject(value, l);
  const from = object && text(object, 'coll', l);
  if (!object || from === undefined) return unseen('$unionWith', value, l);
  return joined(from, value, 'union-arm', l, (other) => pipelineOf(object.properties.get('pipeline')?.value, other, l));
}

/** $out and $merge write whatever documents come out of the pipeline. */
function written(stage: string, value: Value, l: Mongo): readonly Target[] {
  const object = readObject(value, l);
  const into = object?.properties.get(stage === '$out' ? 'coll' : 'into')?.value;
  const name = nameIn(value, l.context) ?? (into && (nameIn(into, l.context) ?? collectionIn(into, l)));
  if (name === undefined) return unseen(stage, value, l);
  const other: Rows = { ...modelNamed(collection(name), l), ref: l.target() };
  return [
    {
      ref: other.ref,
      table: { known: true, value: other.name },
      role: 'nested-write',
      operation: 'upsert',
      predicate: noFilter,
      writes: { set: {}, open: true },
      cardinality: 'many',
      span: spanOf(value, l.span),
    },
  ];
}

function collectionIn(value: Value, l: Mongo): string | undefined {
  const object = readObject(value, l);
  return object && text(object, 'coll', l);
}

function unseen(stage: string, value: Value, l: Mongo): readonly Target[] {
  l.unchecked.push({ reason: `the collection of ${stage} is not known`, span: spanOf(value, l.span) });
  return [];
}
