export { askTypes, type Answers } from './ask.js';
export { withTypes } from './rewrite.js';
export type { TypeSources } from './sources.js';
