export { rules } from './index.gen.js';
