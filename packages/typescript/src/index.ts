export {
  calledNames,
  exportedNames,
  extractFromSource,
  extractTypescript,
  preScan,
  type Exported,
  type Passed,
  type PreScan,
  type ScannedImport,
} from './extract/index.js';
export { adapters, extractDrizzleSnapshot, extractPrisma } from './adapters/index.js';
export { namesAt, type Named } from './suggest/names.js';
export { insertFilter, type Wanted } from './suggest/insert.js';
export { askTypes, withTypes, type Answers, type TypeSources } from './types/index.js';
export type { DeclaredChange } from './declare/change.js';
export { declareInDrizzle } from './declare/drizzle.js';
export { declareInPrisma } from './declare/prisma.js';
