import { layoutEndings, layoutsAround, Modules } from '@tenant-lint/analysis';
import type { ProjectFacts } from '@tenant-lint/model';
import type { Exported, Passed, ScannedImport } from '@tenant-lint/typescript';
import { Origins } from './origins.js';
import { isHook } from './vocabulary.js';

/** A code file as the cheap text test sees it. */
export interface Scanned {
  readonly file: string;
  /** Holds the vocabulary of a data library. */
  relevant: boolean;
  /** Speaks of requests or of sessions: a helper that a route hands the request to, or asks who is there. */
  readonly request: boolean;
  readonly imports: readonly ScannedImport[];
  /** Exported again from other modules. */
  readonly passed: readonly Passed[];
  /** What it exports itself; undefined where text does not show it. Asked for few files only. */
  exported(): Exported | undefined;
  /** The names it calls. Asked for few files only. */
  called(): ReadonlySet<string>;
  /** Runs in the browser: what it calls of the server's it calls by request. */
  readonly client: boolean;
  /** Holds no part for the server: it runs in the browser if a hook that it imports does. */
  readonly component: boolean;
  /** Holds a suppression, which is judged even where nothing is left to suppress. */
  readonly suppresses: boolean;
  /** Names routes, and so may say which function answers a request: `app.get('/users', show)`. */
  readonly routes?: boolean;
  /** A migration written in code: what it imports says which tables it changes. */
  readonly migration?: boolean;
  /** Describes what a request may hold: which names a body lets through is read there. */
  readonly schemas?: boolean;
}

/** How many steps below the selected files a request is followed. */
const handingSteps = 2;
/** How many steps the imports of schemas are followed: one is made of another. */
const schemaSteps = 2;
/** How many steps the calls of the selected files are followed. */
const callingSteps = 2;
/** How many steps the imports of migrations are followed. */
const migrationSteps = 2;

/**
 * Which code files are worth parsing: those with data vocabulary, and those that import something of them, since callers decide where
 * identifiers come from. A name is followed through re-exports to the file that declares it, so that an index does not bring in everybody
 * who imports another name from it. The files on such a way are taken in too, and do not count as steps.
 */
export function filesInDemand(scanned: readonly Scanned[], project: ProjectFacts, steps: number): ReadonlySet<string> {
  const origins = new Origins(scanned, new Modules(project));
  const client = clientFiles(scanned, origins);
  const importers = new Map<string, Importer[]>();
  for (const { file, imports } of scanned) {
    if (client.has(file)) continue;
    for (const { declaring, name, through } of imports.flatMap((i) => origins.of(file, i))) {
      const list = importers.get(declaring);
      if (list) list.push({ file, name, through });
      else importers.set(declaring, [{ file, name, through }]);
    }
  }
  const selected = new Set(
    scanned.filter((s) => s.suppresses || (s.relevant && !client.has(s.file))).map((s) => s.file),
  );
  let frontier = [...selected];
  for (let step = 0; step < steps && frontier.length > 0; step++) {
    const next: string[] = [];
    const pending = [...frontier];
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      for (const importer of importers.get(file) ?? []) {
        if (origins.isType(file, importer.name)) continue;
        for (const on of importer.through) selected.add(on);
        if (selected.has(importer.file)) continue;
        selected.add(importer.file);
        (isIndex(importer.file) ? pending : next).push(importer.file);
      }
    }
    frontier = next;
  }
  // Where the last of them are registered as handlers of requests.
  for (const file of frontier) {
    for (const importer of importers.get(file) ?? []) {
      if (!origins.scanned(importer.file)?.routes) continue;
      for (const on of importer.through) selected.add(on);
      selected.add(importer.file);
    }
  }
  // The layouts that pages are shown in may be what lets nobody in.
  const layouts = new Set<string>();
  for (const file of selected)
    for (const { path } of layoutsAround(file))
      for (const ending of layoutEndings)
        if (origins.scanned(path + ending) && !client.has(path + ending)) layouts.add(path + ending);
  for (const file of layouts) selected.add(file);
  // What the selected files call: what comes back goes into conditions, and what throws or answers guards them; and the constants they name.
  let calling = [...selected];
  for (let step = 0; step < callingSteps; step++) {
    const reached: string[] = [];
    for (const file of calling) {
      const scan = origins.scanned(file);
      if (!scan) continue;
      const called = scan.called();
      for (const { module, names, locals } of scan.imports) {
        const calls = names?.filter((name) => called.has(locals?.[name] ?? name) || isConstant(name)) ?? [];
        for (const { declaring, through } of origins.of(file, { module, names: calls })) {
          if (client.has(declaring) || !origins.scanned(declaring)) continue;
          for (const on of through) selected.add(on);
          if (!selected.has(declaring)) reached.push(declaring);
          selected.add(declaring);
        }
      }
    }
    calling = reached;
  }
  // Constants and helpers of migrations.
  let needing = scanned.filter((s) => s.migration).map((s) => s.file);
  for (let step = 0; step < migrationSteps; step++) {
    const reached: string[] = [];
    for (const file of needing) {
      for (const { declaring, through } of (origins.scanned(file)?.imports ?? []).flatMap((i) => origins.of(file, i))) {
        if (selected.has(declaring) || !origins.scanned(declaring)) continue;
        for (const on of through) selected.add(on);
        selected.add(declaring);
        reached.push(declaring);
      }
    }
    needing = reached;
  }
  // What the selected files hand the request to (wrappers, parsing and signature checks hold no data vocabulary), and the schemas it has to fit.
  const follow = (steps: number, isWanted: (scan: Scanned) => boolean | undefined): void => {
    let handing = [...selected];
    for (let step = 0; step < steps; step++) {
      const reached: string[] = [];
      for (const file of handing) {
        for (const { declaring, name, through } of (origins.scanned(file)?.imports ?? []).flatMap((i) =>
          origins.of(file, i),
        )) {
          const scan = selected.has(declaring) ? undefined : origins.scanned(declaring);
          if (!scan || !isWanted(scan) || origins.isType(declaring, name)) continue;
          for (const on of through) selected.add(on);
          selected.add(declaring);
          reached.push(declaring);
        }
      }
      handing = reached;
    }
  };
  follow(handingSteps, (scan) => scan.request);
  follow(schemaSteps, (scan) => scan.schemas === true && !client.has(scan.file));
  return selected;
}

/** The files that run in the browser: those that show it, and those that use a hook of such a file. */
function clientFiles(scanned: readonly Scanned[], origins: Origins): ReadonlySet<string> {
  const client = new Set(scanned.filter((s) => s.client).map((s) => s.file));
  const users = new Map<string, string[]>();
  for (const { file, imports, component } of scanned) {
    if (!component || client.has(file)) continue;
    for (const { module, names } of imports) {
      for (const { declaring, name } of origins.of(file, { module, names: names?.filter((n) => isHook(n)) ?? [] })) {
        if (!isHook(name)) continue;
        const list = users.get(declaring);
        if (list) list.push(file);
        else users.set(declaring, [file]);
      }
    }
  }
  // A set is walked in the order of insertion, what is added on the way included.
  for (const file of client) for (const user of users.get(file) ?? []) client.add(user);
  return client;
}

interface Importer {
  readonly file: string;
  /** The name that it imports, as the file calls it that declares it. */
  readonly name: string;
  /** The files that re-export the name, between the importer and the file that declares it. */
  readonly through: readonly string[];
}

/** Written as constants are, so that it may be what a condition compares with. */
const isConstant = (name: string): boolean => /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(name);

const isIndex = (file: string): boolean => /(?:^|\/)index\.[cm]?[jt]sx?$/.test(file);
