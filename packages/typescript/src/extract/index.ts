export { extractFromSource, extractTypescript } from './extract.js';
export {
  calledNames,
  exportedNames,
  preScan,
  type Exported,
  type Passed,
  type PreScan,
  type ScannedImport,
} from './scan.js';
