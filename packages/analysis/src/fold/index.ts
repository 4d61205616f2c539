export { foldSchema, type FoldOptions } from './fold.js';
export { compareMigrations, historyOf, sourcesOf, type Source as SchemaSource } from './order.js';
export {
  hasIndexLedBy,
  leadingIndexes,
  primaryKey,
  referencesOf,
  referencesTo,
  uniqueKeys,
  type LeadingIndex,
  type Reference,
} from './questions.js';
