export { extractFromSource, extractTypescript } from './extract.js';
export { preScan } from './scan.js';
