export { inferTenancies, schemaBesideAreas, unmatchedInAreas, type TenancyArea } from './areas.js';
export { inferTenancy } from './infer.js';
export { unmatchedTenancyOptions, type TableOptions, type TenancyHints, type TenancyOptions } from './options.js';
export { stemOf } from './words.js';
