import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { Report } from '@tenant-lint/engine';
import type { Evidence, Table } from '@tenant-lint/model';
import { locatedIn } from '../place.js';
import { compare } from '../words.js';

/** What keeps the rows of a table with their tenant; the worst that is known counts. */
export type Isolation = 'leaks' | 'unknown' | 'database' | 'application' | 'untouched' | 'shared' | 'unowned';

export interface MappedTable {
  readonly id: string;
  readonly isolation: Isolation;
  readonly tenancy: string;
  readonly why: string;
  readonly place: string;
  readonly evidence: Readonly<Partial<Record<Evidence, number>>>;
}

export interface MappedModule {
  readonly folder: string;
  readonly evidence: Readonly<Partial<Record<Evidence, number>>>;
}

/** The project at a glance: its tables by isolation, and what the accesses of each part of the code rest on. */
export interface ProjectMap {
  readonly tables: readonly MappedTable[];
  readonly modules: readonly MappedModule[];
}

type Counts = Partial<Record<Evidence, number>>;

/** The map of a model: tables by name, folders by name. */
export function projectMap(model: Model, report: Report): ProjectMap {
  const byTable = new Map<string, Counts>();
  const byFolder = new Map<string, Counts>();
  const reported = new Set<string>();
  // Seeds, jobs for all tenants, and what hangs on something unknown.
  const doubtful = new Set<string>();
  for (const access of model.accesses) {
    for (const target of access.targets) {
      const table = model.tableOf(target);
      const verdict = model.verdict(access, target);
      if (table) {
        count(byTable, table.id, verdict.evidence);
        if (verdict.kind === 'leak') (isReported(access, report) ? reported : doubtful).add(table.id);
      }
      count(byFolder, folderOf(access.file), verdict.evidence);
    }
  }
  const tables = [...model.schema.tables.values()].map((table): MappedTable => {
    const tenancy = model.tenancyOf(table.id);
    const evidence = byTable.get(table.id) ?? {};
    return {
      id: table.id,
      isolation: isolationOf(
        table,
        model,
        reported.has(table.id),
        doubtful.has(table.id) || evidence.unknown !== undefined,
        evidence,
      ),
      tenancy: tenancy.kind,
      why: tenancy.why,
      place: locatedIn(model, table.origin.created),
      evidence,
    };
  });
  return {
    tables: tables.sort((a, b) => compare(a.id, b.id)),
    modules: [...byFolder]
      .map(([folder, evidence]) => ({ folder, evidence }))
      .sort((a, b) => compare(a.folder, b.folder)),
  };
}

function isolationOf(table: Table, model: Model, leaks: boolean, isDoubtful: boolean, evidence: Counts): Isolation {
  const tenancy = model.tenancyOf(table.id);
  if (tenancy.kind === 'shared') return 'shared';
  if (tenancy.kind === 'unknown') return 'unowned';
  if (leaks || (model.databaseIsolates(table) && model.policyLeaks(table).length > 0)) return 'leaks';
  if (model.databaseIsolates(table)) return 'database';
  if (isDoubtful) return 'unknown';
  return Object.keys(evidence).length > 0 ? 'application' : 'untouched';
}

/** Whether a finding that is shown stands at an access. */
const isReported = ({ file, span }: LinkedAccess, report: Report): boolean =>
  report.findings.some(
    (f) => !f.suppressed && !f.baselined && f.span?.file === file && f.span.start < span.end && f.span.end > span.start,
  );

function count(map: Map<string, Counts>, key: string, kind: Evidence): void {
  const counts = map.get(key) ?? {};
  counts[kind] = (counts[kind] ?? 0) + 1;
  map.set(key, counts);
}

/** The part of a project that a file belongs to: its folder, three levels deep. */
const folderOf = (file: string): string => file.split('/').slice(0, -1).slice(0, 3).join('/') || '.';
