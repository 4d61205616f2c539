export * from './model.js';
export * from './fold/index.js';
export * from './tenancy/index.js';
export { Modules } from './link/modules.js';
export { link, type LinkOptions } from './link/link.js';
export * from './prove/index.js';
export { unmatchedTrust, type TrustOptions } from './trust/declared.js';
export * from './compare/index.js';
