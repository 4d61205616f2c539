import type { TableName } from '@tenant-lint/model';

export const isMikro = (module: string): boolean => module.startsWith('@mikro-orm/');

/** The entity's name in code, by which strings refer to it. */
export const modelName = (name: string): TableName => ({ by: 'model', library: 'mikro-orm', name });

/** Names of the default strategy: UnderscoreNamingStrategy. */
export const underscore = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
