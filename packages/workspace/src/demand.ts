import { Modules } from '@tenant-lint/analysis';
import type { ProjectFacts } from '@tenant-lint/model';

/** A code file as the cheap text test sees it. */
export interface Scanned {
  readonly file: string;
  /** Holds the vocabulary of a data library. */
  readonly relevant: boolean;
  /** Speaks of requests or of sessions: a helper that a route hands the request to, or asks who is there. */
  readonly request: boolean;
  readonly imports: readonly string[];
  /** Runs in the browser: what it calls of the server's it calls by request. */
  readonly client: boolean;
}

/** How many steps below the selected files a request is followed. */
const handingSteps = 2;

/**
 * Which code files are worth parsing: those with data vocabulary, and those that import them, since callers decide where identifiers come
 * from. A file that only re-exports (an index) is passed through without counting as a step.
 */
export function filesInDemand(scanned: readonly Scanned[], project: ProjectFacts, steps: number): ReadonlySet<string> {
  const modules = new Modules(project);
  const importers = new Map<string, string[]>();
  for (const { file, imports, client } of scanned) {
    if (client) continue;
    for (const specifier of imports) {
      const target = modules.resolve(file, specifier);
      if (target === undefined) continue;
      const list = importers.get(target);
      if (list) list.push(file);
      else importers.set(target, [file]);
    }
  }
  const selected = new Set(scanned.filter((s) => s.relevant).map((s) => s.file));
  let frontier = [...selected];
  for (let step = 0; step < steps && frontier.length > 0; step++) {
    const next: string[] = [];
    const pending = [...frontier];
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      for (const importer of importers.get(file) ?? []) {
        if (selected.has(importer)) continue;
        selected.add(importer);
        (isIndex(importer) ? pending : next).push(importer);
      }
    }
    frontier = next;
  }
  // What the selected files hand the request to: wrappers, parsing and signature checks hold no data vocabulary.
  const byFile = new Map(scanned.map((s) => [s.file, s]));
  let handing = [...selected];
  for (let step = 0; step < handingSteps; step++) {
    const reached: string[] = [];
    for (const file of handing) {
      for (const specifier of byFile.get(file)?.imports ?? []) {
        const target = modules.resolve(file, specifier);
        if (target === undefined || selected.has(target) || !byFile.get(target)?.request) continue;
        selected.add(target);
        reached.push(target);
      }
    }
    handing = reached;
  }
  return selected;
}

const isIndex = (file: string): boolean => /(?:^|\/)index\.[cm]?[jt]sx?$/.test(file);

/** Code that runs in tests, stories and mocks: it crosses tenants on purpose and reaches no customer. */
export const isTestCode = (file: string): boolean =>
  /(?:^|\/)(?:__\w+__|tests?|e2e|cypress|playwright|mocks?|test-utils|testing|stories)\//.test(file) ||
  /\.(?:[\w-]*test|[\w-]*spec|e2e|bench|stories|story|mock|cy)\.[cm]?[jt]sx?$/.test(file);

/** Code that fills a database with example data. */
export const isSeedCode = (file: string): boolean =>
  /(?:^|\/)seeds?(?:ers?|ing)?(?:\/|[.-][^/]*$|\.[cm]?[jt]sx?$)/.test(file);

/** The directive by which React's frameworks keep a module out of the server. */
export const clientDirective = /^(?:\s|\/\/[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*['"]use client['"]/;

/** Text that takes a request apart. */
export const requestVocabulary =
  /\b(?:NextRequest|IncomingMessage|NextApiRequest)\b|\breq(?:uest)?\b\??\.(?:json|body|headers|query|params|nextUrl|formData|text|url)\b|\breq(?:uest)?\s*:\s*(?:Request|NextRequest)\b/;

/** Sources of trust are read even where they hold no data vocabulary: the session helper decides what is verified. */
export const trustVocabulary =
  /next-auth|@auth\/|@clerk\/|better-auth|\blucia\b|iron-session|createCookieSessionStorage|createSessionStorage|@auth0\/|authkit|@kinde-oss|jwtVerify|jsonwebtoken|AsyncLocalStorage|nestjs-cls|verifyIdToken|@upstash\/qstash|\bsvix\b|standardwebhooks|constructEvent/;
