import type { Model } from '@tenant-lint/analysis';
import { lineStartsOf, type Directive, type FileFacts } from '@tenant-lint/model';

/** The facts of a file that holds nothing but a text and suppression comments. */
export function factsOf(file: string, text: string, directives: readonly Directive[] = []): FileFacts {
  return {
    file,
    hash: '',
    dialect: file.endsWith('.sql') ? 'postgres' : 'typescript',
    lineStarts: lineStartsOf(text),
    directives,
    imports: [],
    exports: [],
    bindings: {},
    classes: [],
    functions: [],
    chains: [],
    schema: [],
    queries: [],
    unchecked: [],
  };
}

/** A model of some files without any table or access. */
export function modelOf(files: readonly FileFacts[], overrides: Partial<Model> = {}): Model {
  return {
    files: new Map(files.map((facts) => [facts.file, facts])),
    schema: {
      tables: new Map(),
      views: new Map(),
      functions: new Map(),
      roles: new Map(),
      grants: [],
      defaultPrivileges: [],
      enums: new Map(),
      settings: [],
      extensions: new Set(),
      sources: [],
      dangling: [],
    },
    tenancy: {
      strategy: 'row',
      strategyReason: '',
      roots: [],
      keys: [],
      tables: new Map(),
      settings: [],
      appRoles: [],
    },
    accesses: [],
    unchecked: [],
    tableOf: () => undefined,
    tenancyOf: () => ({ kind: 'unknown', why: '' }),
    databaseIsolates: () => false,
    verdict: () => ({ kind: 'unknown', evidence: 'unknown', hangsOn: [] }),
    selection: () => ({ pinnedBy: [] }),
    originOf: () => 'unknown',
    standing: () => ({ kind: 'unknown' }),
    claim: () => undefined,
    isolatedBy: () => false,
    tenantPaths: () => [[]],
    keyHeldTo: () => undefined,
    resources: [],
    libraries: [],
    keptRows: () => undefined,
    reachOf: () => 'unknown' as const,
    sessionOf: () => [],
    answers: () => undefined,
    openRoutes: () => [],
    sessionMistakes: () => [],
    partsOf: () => [],
    openCheck: () => undefined,
    exposedKeys: () => [],
    bypass: () => undefined,
    stopgap: () => undefined,
    sharedTenants: () => [],
    policyLeaks: () => [],
    accessOf: () => ({ tables: [], leaks: [], unknown: [] }),
    functionAccess: () => ({ tables: [], leaks: [], unknown: [] }),
    policyWeakenings: () => [],
    viewReaches: () => [],
    policyUnknowns: () => [],
    lookups: () => [],
    ...overrides,
  };
}

/** Suppression comments of a text, one per line that holds `name` of a kind: `disable-next-line rule -- reason`. */
export function directivesOf(file: string, text: string): Directive[] {
  return [
    ...text.matchAll(
      /\/\/ tenant-lint-(disable-next-line|disable-line|disable|enable)( (?!--)[\w, -]*?)?(?: -- (.*))?$/gm,
    ),
  ].map((match) => ({
    kind: match[1] as Directive['kind'],
    rules: (match[2] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    ...(match[3] === undefined ? {} : { reason: match[3] }),
    span: { file, start: match.index, end: match.index + match[0].length },
  }));
}
