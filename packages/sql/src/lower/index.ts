export { lowerCondition } from './conditions.js';
export { holeIdentifier } from './holes.js';
export { checkScope, functionBodyScope, policyScope, type Origin } from './scopes.js';
export type { Parameters, Scope } from './scope.js';
export { lowerStatement, type LowerOptions } from './statement.js';
export { lowerExpression } from './values.js';
