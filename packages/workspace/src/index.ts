export * from './cache.js';
export * from './config.js';
export * from './discover.js';
export * from './failure.js';
export * from './folder.js';
export * from './memory.js';
export * from './pipeline.js';
export type { Config } from './schema.js';
export * from './settings.js';
