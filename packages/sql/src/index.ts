export { classifySql } from './file/classify.js';
export { extractSql, type ExtractOptions } from './file/extract.js';
