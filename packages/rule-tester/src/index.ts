export * from './cases.js';
export * from './run.js';
export { sectionsOf, type Fence, type Section } from './markdown.js';
export * from './analyze.js';
export * from './coverage.js';
