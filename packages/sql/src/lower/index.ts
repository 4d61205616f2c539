export { lowerCondition, lowerExpression } from './entry.js';
export { checkScope, functionBodyScope, policyScope, type Origin } from './scopes.js';
export type { Parameters, Scope } from './scope.js';
export { isAggregate } from './select.js';
export { lowerStatement, type LowerOptions } from './statement.js';
export { bareExpression } from './subqueries.js';
export { qualifiedName, strings } from './nodes.js';
