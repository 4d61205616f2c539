import type { Operation } from '@tenant-lint/model';

/** An operation of a model or of a query, by what its arguments are. */
export interface Kind {
  readonly operation: Operation;
  readonly cardinality: 'one' | 'many';
  /** Where the filter is; 'id': the first argument is the `_id`. */
  readonly filter?: 0 | 1 | 'id';
  readonly update?: 1;
  readonly options?: 1 | 2;
  readonly projection?: 1;
  /** What comes back is no document. */
  readonly counts?: true;
  /** A query that further steps change until it runs. */
  readonly query?: true;
  /** A name that other things have too: only with a proven model. */
  readonly common?: true;
}

const read = (more: Partial<Kind> = {}): Kind => ({
  operation: 'read',
  cardinality: 'many',
  filter: 0,
  query: true,
  ...more,
});
const update = (more: Partial<Kind> = {}): Kind => ({
  operation: 'update',
  cardinality: 'many',
  filter: 0,
  update: 1,
  options: 2,
  query: true,
  counts: true,
  ...more,
});
const remove = (more: Partial<Kind> = {}): Kind => ({
  operation: 'delete',
  cardinality: 'many',
  filter: 0,
  options: 1,
  query: true,
  counts: true,
  ...more,
});
const byId = { filter: 'id', cardinality: 'one' } as const;
const returning = (kind: Kind): Kind => {
  const { counts: _, ...rest } = kind;
  return rest;
};

/** The operations that a model and a query of it share. */
export const operations: Readonly<Record<string, Kind>> = {
  find: read({ projection: 1, options: 2, common: true }),
  findOne: read({ projection: 1, options: 2 }),
  findById: read({ ...byId, projection: 1, options: 2 }),
  exists: read({ options: 1, common: true }),
  countDocuments: read({ counts: true, options: 1 }),
  count: read({ counts: true, common: true }),
  estimatedDocumentCount: { operation: 'read', cardinality: 'many', counts: true, query: true },
  distinct: read({ filter: 1 }),
  where: { operation: 'read', cardinality: 'many', query: true, common: true },
  paginate: read({ options: 1 }),
  updateOne: update(),
  updateMany: update(),
  update: update({ common: true }),
  replaceOne: update(),
  findOneAndUpdate: returning(update()),
  findOneAndReplace: returning(update()),
  findByIdAndUpdate: returning(update(byId)),
  deleteOne: remove(),
  deleteMany: remove(),
  remove: remove({ common: true }),
  findOneAndDelete: returning(remove()),
  findOneAndRemove: returning(remove()),
  findByIdAndDelete: returning(remove(byId)),
  findByIdAndRemove: returning(remove(byId)),
};

/** Operations of a model only. */
export const modelOperations: Readonly<Record<string, Kind>> = {
  ...operations,
  create: { operation: 'create', cardinality: 'one', common: true },
  insertMany: { operation: 'create', cardinality: 'many' },
  insertOne: { operation: 'create', cardinality: 'one' },
  bulkWrite: { operation: 'raw', cardinality: 'many' },
  bulkSave: { operation: 'upsert', cardinality: 'many' },
  aggregate: { operation: 'read', cardinality: 'many', common: true },
  aggregatePaginate: { operation: 'read', cardinality: 'many' },
  watch: { operation: 'read', cardinality: 'many', common: true },
};

/** Steps of a query that change its filter. */
export const comparisonSteps = new Set([
  'equals',
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'nin',
  'all',
  'exists',
  'regex',
  'size',
  'mod',
  'elemMatch',
]);
export const filterSteps = new Set([
  ...comparisonSteps,
  'where',
  'and',
  'or',
  'nor',
  'merge',
  'setQuery',
  'populate',
  'select',
]);
/** Steps that say how a query runs, and not on what. */
export const otherSteps = new Set([
  'exec',
  'then',
  'catch',
  'finally',
  'lean',
  'sort',
  'limit',
  'skip',
  'session',
  'setOptions',
  'read',
  'hint',
  'orFail',
  'cursor',
  'collation',
  'batchSize',
  'maxTimeMS',
  'clone',
  'transform',
  'allowDiskUse',
  'readConcern',
  'writeConcern',
  'set',
  'comment',
  'tailable',
  'explain',
  'projection',
  'slice',
]);
export const querySteps = new Set([...filterSteps, ...otherSteps, ...Object.keys(operations)]);
