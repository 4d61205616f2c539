import type { Config } from './schema.js';

/** Types a configuration; returns it as it is. */
export const defineConfig = (config: Config): Config => config;
