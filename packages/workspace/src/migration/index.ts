export { redeclared, type Redeclared } from './declare.js';
export { layoutOf, numberAfter, type Layout } from './layout.js';
export { overlaid } from './overlay.js';
export { writeMigration, type Files, type NewFile, type WrittenMigration } from './write.js';
