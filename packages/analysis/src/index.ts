export * from './model.js';
export * from './fold/index.js';
