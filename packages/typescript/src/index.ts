export { extractFromSource, extractTypescript, preScan } from './extract/index.js';
export { adapters, extractPrisma } from './adapters/index.js';
