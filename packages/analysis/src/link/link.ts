import type {
  Adapter,
  FileFacts,
  LowerContext,
  MigrationFacts,
  ProjectFacts,
  RelationDefinition,
  ResourceAccess,
  TableId,
  TableName,
} from '@tenant-lint/model';
import { foldSchema } from '../fold/index.js';
import { Judge } from '../judge/judge.js';
import { accessOf, functionAccess } from '../prove/function-access.js';
import type { Model, ViewReach } from '../model.js';
import { policyWeakenings, viewReaches } from '../prove/index.js';
import { inferTenancy, type TenancyOptions } from '../tenancy/index.js';
import type { TrustOptions } from '../trust/declared.js';
import { lowerAccesses } from './lower.js';
import { Program } from './program.js';
import { Tables } from './tables.js';

export interface LinkOptions {
  readonly adapters: readonly Adapter[];
  readonly project: ProjectFacts;
  readonly tenancy: TenancyOptions;
  /** What the configuration declares about sources, guards and clients. */
  readonly trust?: TrustOptions;
  /** Options of the configuration that change what libraries do: strictUndefinedChecks. */
  readonly libraries?: Readonly<Record<string, unknown>>;
}

/**
 * Makes one program of the facts of its files: schema, tenancy, accesses, and the questions rules ask. Pure; what could not be linked is
 * in `unchecked`. Never throws for what the files say.
 */
export function link(files: readonly FileFacts[], options: LinkOptions): Model {
  const program = new Program(files, options.project);
  const declared = withSchemas(files, program, options.adapters);
  const schema = foldSchema(declared, { journals: options.project.journals ?? [] });
  const tenancy = inferTenancy(schema, options.tenancy);
  const tables = new Tables(schema);
  const context = lowerContext(program, tables, schema.tables.size > 0, options);
  const { accesses, unchecked } = lowerAccesses(program, tables, options.adapters, context, declared);
  const resources = resourcesOf(declared, options.adapters, context);
  const reaches = new Map<TableId, readonly ViewReach[]>();
  const judge = new Judge({ program, schema, tables, tenancy, accesses, trust: options.trust ?? {} });
  return {
    files: new Map(declared.map((f) => [f.file, f])),
    schema,
    tenancy,
    accesses,
    unchecked: [...declared.flatMap((f) => f.unchecked), ...unchecked],
    tableOf: (target) => (target.table.known ? tables.find(target.table.value) : undefined),
    tenancyOf: (table) => judge.tenancyOf(table),
    databaseIsolates: (table) => judge.databaseIsolates(table),
    verdict: (access, target) => judge.verdict(access, target),
    sessionOf: (access) => judge.sessionOf(access),
    selection: (access, target) => judge.selection(access, target),
    originOf: (value) => judge.originOf(value),
    standing: (access, value) => judge.standing(access, value),
    claim: (access, target) => judge.claim(access, target),
    isolatedBy: (access, target, condition) => judge.isolatedBy(access, target, condition),
    libraries: options.adapters.map((a) => a.title),
    tenantPaths: () => judge.tenantPaths(),
    keyHeldTo: (access, target, value) => judge.keyHeldTo(access, target, value),
    resources,
    keptRows: (resource) => judge.keptRows(resource),
    stopgap: (access, target) => judge.stopgap(access, target),
    sharedTenants: () => judge.sharedTenants(),
    policyLeaks: (table) => judge.policyLeaks(table),
    accessOf: (queries) => accessOf(queries, { schema, tenancy }),
    functionAccess: (f, trigger) => functionAccess(f, { schema, tenancy }, trigger),
    policyWeakenings: (table, before) => policyWeakenings(table, before, { schema, tenancy }, judge.policyLeaks(table)),
    viewReaches: (view) => {
      const known = reaches.get(view.id) ?? viewReaches(view, tables, { schema, tenancy });
      reaches.set(view.id, known);
      return known;
    },
    policyUnknowns: (table) => judge.policyUnknowns(table),
    lookups: () => judge.lookups(),
  };
}

/** What the chains of all files keep outside the database. */
function resourcesOf(
  files: readonly FileFacts[],
  adapters: readonly Adapter[],
  context: LowerContext,
): readonly ResourceAccess[] {
  const reading = adapters.filter((a) => a.resource);
  return files.flatMap((f) =>
    f.sql === undefined ? f.chains.flatMap((chain) => reading.flatMap((a) => a.resource?.(chain, context) ?? [])) : [],
  );
}

/** The facts of all files with the schema that code declares, and with what migrations written in code do. */
function withSchemas(
  files: readonly FileFacts[],
  program: Program,
  adapters: readonly Adapter[],
): readonly FileFacts[] {
  const included = new Set<string>();
  const facts = files.map((f) => {
    if (f.dialect !== 'typescript') return f;
    for (const adapter of adapters) {
      const found = adapter.migrations?.(f, program);
      if (!found) continue;
      for (const file of found.includes) included.add(file);
      return migrationFacts(f, found);
    }
    const events = adapters.flatMap((a) => a.declarations?.(f, program) ?? []);
    return events.length === 0 ? f : { ...f, schema: [...f.schema, ...events] };
  });
  // A file that a migration reads and runs is applied there, once.
  return included.size === 0 ? facts : facts.map((f) => (included.has(f.file) ? applied(f) : f));
}

const applied = (facts: FileFacts): FileFacts => ({ ...facts, schema: [], queries: [] });

const migrationFacts = (facts: FileFacts, found: MigrationFacts): FileFacts => ({
  ...facts,
  schema: found.events,
  queries: found.queries,
  unchecked: [...facts.unchecked, ...found.unchecked],
  sql: {
    role: 'migration',
    roleReason: found.tool,
    statements: found.statements,
    ...(found.order === undefined ? {} : { order: found.order }),
  },
});

function lowerContext(program: Program, tables: Tables, hasSchema: boolean, options: LinkOptions): LowerContext {
  const settings = Object.assign(
    {},
    ...[...program.files.values()]
      .filter((f) => f.dialect === 'typescript')
      .flatMap((f) => options.adapters.map((a) => a.settings?.(f, program) ?? {})),
  ) as Readonly<Record<string, unknown>>;
  return {
    resolve: (value) => program.resolve(value),
    chain: program.chain,
    function: program.function,
    supplied: (parameter) => program.supplied(parameter),
    typeOf: (value) => program.typeOf(value),
    version: (file, name) => program.version(file, name),
    facts: program.facts,
    table: (name) => tables.table(name),
    tableOf: (value) => tables.declaredBy(value, program),
    tablesBound: (name) => tables.bound(name),
    relation: (name, relation) => relationOf(tables, name, relation),
    hasSchema,
    options: { ...settings, ...options.libraries },
  };
}

function relationOf(
  tables: Tables,
  name: TableName,
  relation: string,
): (Omit<RelationDefinition, 'to'> & { to: TableName }) | undefined {
  const found = tables.table(name)?.relations.find((r) => r.name === relation);
  if (!found) return undefined;
  const [schema, ...rest] = found.to.split('.');
  const to = tables.table({ by: 'sql', ...(schema ? { schema } : {}), name: rest.join('.') });
  // The library's own name for the other table, where it has one, so that its further relations are found under it.
  const own = to?.aliases.find(
    (a) => a.by === name.by && (a.by !== 'model' || name.by !== 'model' || a.library === name.library),
  );
  return { ...found, to: own ?? { by: 'sql', ...(schema ? { schema } : {}), name: rest.join('.') } };
}
