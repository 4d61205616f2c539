import type {
  Adapter,
  FileFacts,
  LowerContext,
  ProjectFacts,
  RelationDefinition,
  TableId,
  TableName,
} from '@tenant-lint/model';
import { foldSchema } from '../fold/index.js';
import { Judge } from '../judge/judge.js';
import { functionAccess } from '../prove/function-access.js';
import type { Model, ViewReach } from '../model.js';
import { policyWeakenings, viewReaches } from '../prove/index.js';
import { inferTenancy, type TenancyOptions } from '../tenancy/index.js';
import { lowerAccesses } from './lower.js';
import { Program } from './program.js';
import { Tables } from './tables.js';

export interface LinkOptions {
  readonly adapters: readonly Adapter[];
  readonly project: ProjectFacts;
  readonly tenancy: TenancyOptions;
  /** Options of the configuration that change what libraries do: strictUndefinedChecks. */
  readonly libraries?: Readonly<Record<string, unknown>>;
}

/**
 * Makes one program of the facts of its files: schema, tenancy, accesses, and the questions rules ask. Pure; what could not be linked is
 * in `unchecked`. Never throws for what the files say.
 */
export function link(files: readonly FileFacts[], options: LinkOptions): Model {
  const program = new Program(files, options.project);
  const declared = files.map((facts) => withDeclarations(facts, program, options.adapters));
  const schema = foldSchema(declared);
  const tenancy = inferTenancy(schema, options.tenancy);
  const tables = new Tables(schema);
  const { accesses, unchecked } = lowerAccesses(
    program,
    tables,
    options.adapters,
    lowerContext(program, tables, schema.tables.size > 0, options),
  );
  const reaches = new Map<TableId, readonly ViewReach[]>();
  const judge = new Judge({ program, schema, tables, tenancy, accesses });
  return {
    files: program.files,
    schema,
    tenancy,
    accesses,
    unchecked: [...files.flatMap((f) => f.unchecked), ...unchecked],
    tableOf: (target) => (target.table.known ? tables.find(target.table.value) : undefined),
    tenancyOf: (table) => judge.tenancyOf(table),
    databaseIsolates: (table) => judge.databaseIsolates(table),
    verdict: (access, target) => judge.verdict(access, target),
    selection: (access, target) => judge.selection(access, target),
    originOf: (value) => judge.originOf(value),
    policyLeaks: (table) => judge.policyLeaks(table),
    functionAccess: (f, trigger) => functionAccess(f, { schema, tenancy }, trigger),
    policyWeakenings: (table, before) => policyWeakenings(table, before, { schema, tenancy }),
    viewReaches: (view) => {
      const known = reaches.get(view.id) ?? viewReaches(view, tables, { schema, tenancy });
      reaches.set(view.id, known);
      return known;
    },
  };
}

/** The facts of a file with the schema that libraries declare in it. */
function withDeclarations(facts: FileFacts, program: Program, adapters: readonly Adapter[]): FileFacts {
  if (facts.dialect !== 'typescript') return facts;
  const events = adapters.flatMap((a) => a.declarations?.(facts, program) ?? []);
  return events.length === 0 ? facts : { ...facts, schema: [...facts.schema, ...events] };
}

function lowerContext(program: Program, tables: Tables, hasSchema: boolean, options: LinkOptions): LowerContext {
  return {
    resolve: (value) => program.resolve(value),
    chain: program.chain,
    function: program.function,
    typeOf: (value) => program.typeOf(value),
    version: (file, name) => program.version(file, name),
    facts: program.facts,
    table: (name) => tables.table(name),
    tableOf: (value) => tables.declaredBy(value, program),
    tablesBound: (name) => tables.bound(name),
    relation: (name, relation) => relationOf(tables, name, relation),
    hasSchema,
    options: options.libraries ?? {},
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
