export { classifySql } from './file/classify.js';
export { extractSql, type ExtractOptions } from './file/extract.js';
export { lowerEmbedded, type EmbeddedSql, type LoweredSql } from './lower/embedded.js';
export { conditionPlace, type ConditionPlace } from './lower/condition-place.js';
export { outlineOf } from './file/outline.js';
export { holeIdentifier } from './lower/holes.js';
export { normalizePlaceholders, type Normalized } from './lower/placeholders.js';
export { migrationStatements, type MigrationStatement } from './file/statements.js';
export { withSqlParser, type SqlParser } from './parser/index.js';
