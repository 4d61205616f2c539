export * from './model.js';
export * from './fold/index.js';
export { Modules } from './link/modules.js';
