import { schemaBesideAreas, unmatchedInAreas, unmatchedTenancyOptions, unmatchedTrust } from '@tenant-lint/analysis';
import { hint, type Built, type Settings } from '@tenant-lint/workspace';
import type { Io } from './main.js';
import { oneLine } from './report/printable.js';

/** What in the configuration does nothing: keys of later versions, patterns and names that match nothing. One line each. */
function notices(settings: Settings, { model, listed }: Built): string[] {
  const tables = [...model.schema.tables.values()];
  const tableNames = tables.flatMap((t) => [t.name.name, ...t.aliases.map((a) => a.name)]);
  const columnNames = [...new Set(tables.flatMap((t) => [...t.columns.keys()]))];
  const areas = unmatchedInAreas(model.schema, settings.areas);
  const trust = unmatchedTrust(model.files, settings.trust);
  return [
    ...settings.withoutEffect.map((key) => `${key} has no effect yet`),
    ...settings.unmatched(listed.keys()).map(({ key, pattern }) => `${key}: '${pattern}' matches no file`),
    // Without a schema every name is unknown, and the refusal says why.
    ...(tables.length === 0
      ? []
      : [
          ...unmatchedTenancyOptions(schemaBesideAreas(model.schema, settings.areas), settings.tenancy),
          ...areas.unmatched,
        ]
    ).map(({ option, name }) =>
      option.endsWith('.keys') || option === 'tenancy.keys'
        ? `${option}: no table has a column ${name}${hint(name, columnNames)}`
        : `${option}: there is no table ${name}${hint(name, tableNames)}`,
    ),
    ...areas.empty.map(({ option, files }) => `${option}: no table is declared in ${files}, so it changes nothing`),
    ...trust.unmatched.map(({ option, name }) => `${option}: nothing is called ${name}${hint(name, trust.names)}`),
  ];
}

/** Says them on stderr, one line each, after `others` that the caller has. */
export function writeNotices(
  settings: Settings,
  built: Built,
  io: Pick<Io, 'stderr'>,
  others: readonly string[] = [],
): void {
  for (const notice of [...others, ...notices(settings, built)]) io.stderr.write(`tenant-lint: ${oneLine(notice)}\n`);
}
