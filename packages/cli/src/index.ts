import type { Config } from '@tenant-lint/workspace';

export type { Config } from '@tenant-lint/workspace';

/** Types a configuration; returns it as it is. */
export const defineConfig = (config: Config): Config => config;
