import type { LinkContext, TableName } from '@tenant-lint/model';
import { camel, snake } from '../entities/options.js';

export const isTypeorm = (module: string): boolean => module === 'typeorm' || module.startsWith('typeorm/');

/** The entity's name in code, by which strings refer to it. */
export const modelName = (name: string): TableName => ({ by: 'model', library: 'typeorm', name });

/** How TypeORM makes names of the database from those of the code. */
export interface Naming {
  table(className: string): string;
  column(property: string, embedded: readonly string[], given: string | undefined): string;
  joinColumn(relation: string, referenced: string): string;
}

const byDefault: Naming = {
  table: snake,
  column: (property, embedded, given) =>
    embedded.length > 0 ? camel(embedded.join('_')) + title(given ?? property) : (given ?? property),
  joinColumn: (relation, referenced) => camel(`${relation}_${referenced}`),
};

const withUnderscores: Naming = {
  table: snake,
  column: (property, embedded, given) => snake([...embedded, ''].join('_')) + (given ?? snake(property)),
  joinColumn: (relation, referenced) => snake(`${relation}_${referenced}`),
};

const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).toLowerCase();

/** The strategy of a project: the one of typeorm-naming-strategies where that is installed, else the library's own. */
export const namingOf = (file: string, context: LinkContext): Naming =>
  context.version(file, 'typeorm-naming-strategies') === undefined ? byDefault : withUnderscores;

/** Whether undefined and null in a condition throw (since 1.0), instead of being left out. */
export function throwsOnMissing(file: string, context: LinkContext): boolean {
  const major = /(\d+)/.exec(context.version(file, 'typeorm') ?? '')?.[1];
  return major !== undefined && Number(major) >= 1;
}
