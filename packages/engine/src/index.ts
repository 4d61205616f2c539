export * from './rule.js';
export * from './report.js';
export * from './settings.js';
export * from './render.js';
export * from './run.js';
export type { Override } from './overrides.js';
export { isMoreSpecific } from './cause.js';
export { summarize } from './figures.js';
export { obligations, servingAccesses } from './subjects.js';
