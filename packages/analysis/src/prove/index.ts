export { identityOf, userControlled, type UserControlled } from './identity.js';
export { lookupsOfPolicies } from './lookups.js';
export { policyLeaks, policyUnknowns, type PolicyContext } from './policies.js';
export { prove } from './prove.js';
export { policyWeakenings } from './weakened.js';
export { viewReaches } from './views.js';
export type { ColumnFact, Isolated, Leak, Proof, ProofQuestion, Undecided, ValueClass, World } from './question.js';
export { resolveColumns, type CapturedName, type ColumnsOf, type ResolveOptions } from './resolve.js';
export { describePredicate } from './describe.js';
