export { extractFromSource, extractTypescript, preScan } from './extract/index.js';
