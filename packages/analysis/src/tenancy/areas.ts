import type { Schema, Table, TenancyModel } from '@tenant-lint/model';
import { inferTenancy } from './infer.js';
import { unmatchedTenancyOptions, type TenancyOptions } from './options.js';

/** A part of the repository with a tenancy of its own: the tables that its files declare. */
export interface TenancyArea {
  /** Where the configuration states it: `overrides.0.tenancy`. */
  readonly option: string;
  /** The files, as the configuration names them. */
  readonly files: string;
  matches(file: string): boolean;
  /** All that holds there; what is not said is inferred from its tables. */
  readonly options: TenancyOptions;
}

/**
 * Who owns the rows of which table, where parts of the repository have databases or tenants of their own: each part is decided by itself, from
 * its own tables. A table belongs to the last area whose files state it. Pure.
 */
export function inferTenancies(schema: Schema, options: TenancyOptions, areas: readonly TenancyArea[]): TenancyModel {
  if (areas.length === 0) return inferTenancy(schema, options);
  const parts = areas
    .map((area) => ({ area, schema: partOf(schema, (t) => areaOf(t, areas) === area) }))
    .filter((part) => part.schema.tables.size > 0);
  const rest = partOf(schema, (t) => areaOf(t, areas) === undefined);
  const inferred = parts.map((part) => ({ ...part, tenancy: inferTenancy(part.schema, part.area.options) }));
  if (inferred.length === 0) return inferTenancy(schema, options);
  const base = rest.tables.size > 0 ? [inferTenancy(rest, options)] : [];
  const all = [...base, ...inferred.map(({ tenancy }) => tenancy)];
  const united = <T>(of: (one: TenancyModel) => readonly T[]): readonly T[] => [...new Set(all.flatMap(of))];
  const strategies = united((one) => [one.strategy]);
  const refused = base[0]?.refused ?? inferred.find(({ tenancy }) => tenancy.refused);
  return {
    strategy: strategies.length === 1 ? strategies[0]! : 'hybrid',
    strategyReason: [
      ...base.map((one) => one.strategyReason),
      ...inferred.map(({ area, tenancy }) => `in ${area.files}: ${tenancy.strategyReason}`),
    ].join('; '),
    roots: united((one) => one.roots),
    keys: united((one) => one.keys),
    settings: united((one) => one.settings),
    appRoles: united((one) => one.appRoles),
    adminRoles: united((one) => one.adminRoles ?? []),
    tables: new Map(all.flatMap((one) => [...one.tables])),
    ...(refused === undefined
      ? {}
      : {
          refused:
            'area' in refused
              ? {
                  candidates: [],
                  ...refused.tenancy.refused,
                  reason: `in ${refused.area.files}: ${refused.tenancy.refused!.reason}`,
                }
              : refused,
        }),
  };
}

/** Names of the areas that no table or column of theirs has, and areas whose files declare no table. */
export function unmatchedInAreas(
  schema: Schema,
  areas: readonly TenancyArea[],
): { readonly empty: readonly TenancyArea[]; readonly unmatched: ReturnType<typeof unmatchedTenancyOptions> } {
  const own = areas.map((area) => ({ area, schema: partOf(schema, (t) => areaOf(t, areas) === area) }));
  return {
    empty: own.filter((part) => part.schema.tables.size === 0).map(({ area }) => area),
    unmatched: own
      .filter((part) => part.schema.tables.size > 0)
      .flatMap((part) =>
        unmatchedTenancyOptions(part.schema, part.area.options).map(({ option, name }) => ({
          option: option.replace(/^tenancy/, part.area.option),
          name,
        })),
      ),
  };
}

/** The schema without the tables of areas; where there are none, the whole. */
export const schemaBesideAreas = (schema: Schema, areas: readonly TenancyArea[]): Schema =>
  areas.length === 0 ? schema : partOf(schema, (t) => areaOf(t, areas) === undefined);

function areaOf(table: Pick<Table, 'origin'>, areas: readonly TenancyArea[]): TenancyArea | undefined {
  const { created, changed } = table.origin;
  return areas.findLast((area) => [created, ...changed].some((span) => area.matches(span.file)));
}

function partOf(schema: Schema, belongs: (table: Pick<Table, 'origin'>) => boolean): Schema {
  return {
    ...schema,
    tables: new Map([...schema.tables].filter(([, table]) => belongs(table))),
    views: new Map([...schema.views].filter(([, view]) => belongs(view))),
  };
}
