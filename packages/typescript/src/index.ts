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
