export { inferTenancy } from './infer.js';
export { unmatchedTenancyOptions, type TableOptions, type TenancyHints, type TenancyOptions } from './options.js';
export { stemOf } from './words.js';
