import type {
  Adapter,
  ChainId,
  FileFacts,
  FunctionId,
  LowerContext,
  MigrationFacts,
  ProjectFacts,
  RelationDefinition,
  ResourceAccess,
  Schema,
  TableId,
  TableName,
  TenancyModel,
  Unchecked,
  Unresolved,
} from '@tenant-lint/model';
import { foldSchema } from '../fold/index.js';
import { exposedKeys } from '../judge/exposed.js';
import { Judge } from '../judge/judge.js';
import { accessOf, functionAccess } from '../prove/function-access.js';
import type { LinkedAccess, Model, ViewReach } from '../model.js';
import { policyWeakenings, viewReaches } from '../prove/index.js';
import { inferTenancies, type TenancyArea, type TenancyOptions } from '../tenancy/index.js';
import type { TrustOptions } from '../trust/declared.js';
import { lowerAccesses } from './lower.js';
import { fileOfId } from './callers.js';
import { Program } from './program.js';
import { Tables } from './tables.js';
import { unresolvedChains } from './unresolved.js';

export interface LinkOptions {
  readonly adapters: readonly Adapter[];
  readonly project: ProjectFacts;
  readonly tenancy: TenancyOptions;
  /** Parts of the repository with a tenancy of their own. */
  readonly areas?: readonly TenancyArea[];
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
  const tenancy = inferTenancies(schema, options.tenancy, options.areas ?? []);
  const tables = new Tables(schema);
  const context = lowerContext(program, tables, schema.tables.size > 0, options);
  const { accesses, unchecked, open, silent } = lowerAccesses(program, tables, options.adapters, context, declared);
  const judge = new Judge({ program, schema, tables, tenancy, accesses, silent, trust: options.trust ?? {} });
  return modelOf({
    options,
    program,
    declared: new Map(declared.map((f) => [f.file, f])),
    schema,
    tenancy,
    tables,
    context,
    accesses,
    unchecked: [...declared.flatMap((f) => f.unchecked), ...setApart(schema), ...danglingIn(schema), ...unchecked],
    open,
    silent,
    resources: resourcesOf(declared, options.adapters, context),
    judge,
    reaches: new Map(),
  });
}

/** Scripts that migrations overrule. */
const setApart = ({ apart = [] }: Schema): Unchecked[] =>
  apart.map(({ file, statements, span, history }) => ({
    file,
    reason: 'beside-migrations',
    detail: `${statements} ${statements === 1 ? 'statement' : 'statements'} about what ${history}/ makes, whose tool does not run this file`,
    span,
  }));

/** Statements that change what no file makes; each as often as it names something. */
const danglingIn = ({ dangling }: Schema): Unchecked[] =>
  [...new Map(dangling.map((d) => [`${d.span.file} ${d.span.start} ${d.what}`, d])).values()].map(({ what, span }) => ({
    file: span.file,
    reason: 'unknown-object',
    detail: `${what}, which no file makes`,
    span,
  }));

/** What a model is made of. */
interface Linked {
  readonly options: LinkOptions;
  readonly program: Program;
  readonly declared: ReadonlyMap<string, FileFacts>;
  readonly schema: Schema;
  readonly tenancy: TenancyModel;
  readonly tables: Tables;
  readonly context: LowerContext;
  readonly accesses: readonly LinkedAccess[];
  readonly unchecked: readonly Unchecked[];
  readonly open: ReadonlySet<ChainId>;
  readonly silent: ReadonlySet<ChainId>;
  readonly resources: readonly ResourceAccess[];
  readonly judge: Judge;
  readonly reaches: Map<TableId, readonly ViewReach[]>;
}

const linked = new WeakMap<Model['verdict'], Linked>();

/**
 * The model with other facts of some code files, as far as it is needed to judge these: what they say is linked anew, and everything else is
 * as it was, accesses of other files that read helpers of these through included. `accesses` are those of the files, and those in functions near
 * them: what they call, who calls them, and what these call; `unchecked` is what was not understood in the files. Undefined where more depends on the files: they declare a part of the schema, or are migrations.
 */
export function relink(model: Model, files: readonly FileFacts[]): Model | undefined {
  const before = linked.get(model.verdict);
  if (!before) return undefined;
  const { options, schema, tenancy, tables } = before;
  const program = new Program(files, { below: before.program });
  const isOrdinary = (f: FileFacts): boolean => f.dialect === 'typescript' && f.schema.length === 0 && !f.sql;
  const saysMore = (f: FileFacts): boolean =>
    options.adapters.some(
      (a) => a.migrations?.(f, program) !== undefined || (a.declarations?.(f, program).length ?? 0) > 0,
    );
  for (const f of files) {
    const old = before.declared.get(f.file);
    if (!isOrdinary(f) || saysMore(f) || (old && !isOrdinary(old))) return undefined;
    if (
      JSON.stringify(settingsOf([f], program, options)) !==
      JSON.stringify(settingsOf(old ? [old] : [], program, options))
    )
      return undefined;
  }
  const replaced = new Set(files.map((f) => f.file));
  const declared = new Map([...before.declared, ...files.map((f) => [f.file, f] as const)]);
  const context = contextOf(program, tables, before.context.hasSchema, before.context.options);
  const own = lowerAccesses(program, tables, options.adapters, context, files, before.open);
  let all: readonly LinkedAccess[] | undefined;
  const resources = resourcesOf(files, options.adapters, context);
  const judge = new Judge({
    program,
    schema,
    tables,
    tenancy,
    silent: new Set([...before.silent, ...own.silent]),
    // Few questions are about all of them, and most edits ask none of these.
    get accesses() {
      return (all ??= [...before.accesses.filter((a) => !replaced.has(a.file)), ...own.accesses]);
    },
    trust: options.trust ?? {},
    before: { ground: before.judge.ground, replaced, accesses: own.accesses },
  });
  const near = [...calledFrom(files, program)].filter((f) => !replaced.has(fileOfId(f)));
  return modelOf({
    ...before,
    program,
    declared,
    context,
    accesses: [...own.accesses, ...near.flatMap((f) => judge.accessesOf(f))],
    unchecked: [...files.flatMap((f) => f.unchecked), ...own.unchecked],
    resources,
    judge,
  });
}

/** How far what a request says is followed: up to who gets it returned, and down to where it is used. */
const maxReturns = 3;
const maxCalls = 6;
/** More functions than these get the value of something that is used everywhere; which of them misuse it, the whole program says. */
const maxCallers = 60;

/** The functions that those of some files, and the callers of these, call. */
function calledFrom(files: readonly FileFacts[], program: Program): ReadonlySet<FunctionId> {
  const callers = new Set(files.flatMap((f) => f.functions.map(({ id }) => id)));
  let above = [...callers];
  for (let height = 0; height < maxReturns && above.length > 0; height++) {
    const sites = new Set(above.flatMap((id) => program.callersOf(id).map(({ chain }) => chain.function)));
    above = [...sites].filter((id) => !callers.has(id));
    if (above.length > maxCallers) break;
    for (const id of above) callers.add(id);
  }
  const found = new Set<FunctionId>(callers);
  let frontier = [...callers];
  for (let depth = 0; depth < maxCalls && frontier.length > 0; depth++) {
    const callees = frontier
      .flatMap((id) => program.chainsOf(id))
      .flatMap((chain) => program.calleeOf(chain)?.function ?? []);
    frontier = [...new Set(callees)].filter((id) => !found.has(id));
    for (const id of frontier) found.add(id);
  }
  return found;
}

/** The chains of a model of which syntax does not show the receiver or what they call, for a type check to be asked about. */
export function unresolvedIn(model: Model): readonly Unresolved[] {
  const parts = linked.get(model.verdict);
  return parts ? unresolvedChains(parts.declared.values(), parts.program, parts.open) : [];
}

function modelOf(parts: Linked): Model {
  const { options, declared, schema, tenancy, tables, accesses, unchecked, resources, judge, reaches } = parts;
  const model: Model = {
    files: declared,
    schema,
    tenancy,
    accesses,
    unchecked,
    tableOf: (target) => (target.table.known ? tables.find(target.table.value) : undefined),
    tenancyOf: (table) => judge.tenancyOf(table),
    databaseIsolates: (table) => judge.databaseIsolates(table),
    verdict: (access, target) => judge.verdict(access, target),
    sessionOf: (access) => judge.sessionOf(access),
    bypass: (access, target) => judge.bypass(access, target),
    exposedKeys: () => exposedKeys(parts.program),
    openCheck: (access, target) => judge.openCheck(access, target),
    answers: (access, target) => judge.answers(access, target),
    openRoutes: () => judge.openRoutes(),
    sessionMistakes: () => judge.sessionMistakes(),
    selection: (access, target) => judge.selection(access, target),
    originOf: (value) => judge.originOf(value),
    standing: (access, value) => judge.standing(access, value),
    claim: (access, target) => judge.claim(access, target),
    isolatedBy: (access, target, condition) => judge.isolatedBy(access, target, condition),
    libraries: options.adapters.map((a) => a.title),
    tenantPaths: () => judge.tenantPaths(),
    keyHeldTo: (access, target, value) => judge.keyHeldTo(access, target, value),
    resources,
    partsOf: (resource, value) => judge.partsOf(resource, value),
    keptRows: (resource) => judge.keptRows(resource),
    reachOf: (f) => judge.reachOf(f),
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
  // Hosts put further things beside the parts of a model, but never in the place of this one.
  linked.set(model.verdict, parts);
  return model;
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

/** What files set for the whole program. */
const settingsOf = (
  files: Iterable<FileFacts>,
  program: Program,
  options: LinkOptions,
): Readonly<Record<string, unknown>> =>
  Object.assign(
    {},
    ...[...files]
      .filter((f) => f.dialect === 'typescript')
      .flatMap((f) => options.adapters.map((a) => a.settings?.(f, program) ?? {})),
  ) as Readonly<Record<string, unknown>>;

const lowerContext = (program: Program, tables: Tables, hasSchema: boolean, options: LinkOptions): LowerContext =>
  contextOf(program, tables, hasSchema, {
    ...settingsOf(program.files.values(), program, options),
    ...options.libraries,
  });

function contextOf(
  program: Program,
  tables: Tables,
  hasSchema: boolean,
  options: LowerContext['options'],
): LowerContext {
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
    options,
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
