import { link, type LinkOptions, type Model } from '@tenant-lint/analysis';
import type { Adapter, FileFacts, ProjectFacts, Unchecked } from '@tenant-lint/model';
import { withSqlParser } from '@tenant-lint/sql';
import { adapters, calledNames, exportedNames, extractTypescript, preScan } from '@tenant-lint/typescript';
import type { FactsCache } from './cache.js';
import type { Settings } from './settings.js';
import { filesInDemand, type Scanned } from './demand.js';
import type { SourceKind } from './discover.js';
import { filesToRead, frontEndOf, type FrontEnd } from './front-ends.js';
import type { Source } from './memory.js';
import { decodeFacts } from './codec.js';
import { Threads } from './threads.js';
import { Libraries } from './libraries.js';
import { projectFacts } from './project.js';
import { typedFacts, typeSources } from './types.js';
import {
  clientOf,
  contextVocabulary,
  isMigrationText,
  requestVocabulary,
  routeVocabulary,
  schemaVocabulary,
  trustVocabulary,
} from './vocabulary.js';

/** How many import steps above a file with data vocabulary are read: its callers, and theirs. */
const demandSteps = 2;

export interface BuildOptions {
  readonly settings: Settings;
  /** Called now and then with what is being done, for a progress line. */
  readonly progress?: (phase: string, done: number, total: number) => void;
  /** Facts of earlier runs; none where absent. */
  readonly cache?: FactsCache;
  /** Facts of a database, beside those of files. */
  readonly live?: FileFacts;
  /** How many threads may extract code; one where absent. What comes out does not depend on it. */
  readonly threads?: number;
  /** The folder of the project on disk: what syntax does not show is asked of the type checker, which reads installed packages there. */
  readonly types?: string;
}

export interface Built {
  readonly model: Model;
  readonly project: ProjectFacts;
  /** Every file that was found, by kind; what the patterns of the configuration are held against. */
  readonly listed: ReadonlyMap<string, SourceKind>;
  /** Files that were looked at, by what became of them. */
  readonly counted: {
    readonly found: number;
    readonly read: number;
    readonly parsed: number;
    /** Of those parsed: taken from the cache, and extracted by other threads. */
    readonly remembered: number;
    readonly elsewhere: number;
  };
  /** How long each phase took, in milliseconds, in order. */
  readonly times: Readonly<Record<'list' | 'read' | 'choose' | 'extract' | 'link', number>> & {
    readonly types?: number;
  };
  /** The model as it is without types, where types were asked for. */
  readonly bySyntax?: Model;
}

/**
 * The whole pipeline: list, read, choose, extract, link. Synchronous and pure but for reading through `source`. Never throws for what
 * the files say; that is in `model.unchecked`.
 */
export function buildModel(source: Source, options: BuildOptions): Built {
  return withSqlParser(options.settings.sqlParser, () => build(source, options));
}

function build(source: Source, options: BuildOptions): Built {
  const { settings } = options;
  let since = performance.now();
  const lap = (): number => -(since - (since = performance.now()));
  const listed = source.list();
  const list = lap();
  const unchecked: Unchecked[] = [...listed.unchecked];
  const read = reader(source, unchecked);
  const project = projectFacts(listed.files, read, (file, detail) =>
    unchecked.push({ file, reason: 'syntax', detail }),
  );

  const wanted = filesToRead(listed.files, settings);
  const scanned: Scanned[] = [];
  const libraries = new Libraries(adapters, project);
  const facts: FileFacts[] = [];
  const texts = new Map<string, string>();
  const failed = (file: string, error: unknown): void => {
    // A front end never throws; if one does, the rest of the project is still worth its findings, and this file is named.
    unchecked.push({ file, reason: 'failed', detail: error instanceof Error ? error.message : String(error) });
  };
  const extract = (file: string, text: string, run: () => FileFacts, variant = ''): void => {
    const before = options.cache?.remembered(file, text, variant);
    if (before) {
      remembered++;
      return void facts.push(before);
    }
    try {
      const made = run();
      options.cache?.remember(made, text, variant);
      facts.push(made);
    } catch (error) {
      failed(file, error);
    }
  };
  let remembered = 0;
  let elsewhere = 0;
  const threads = new Threads(options.threads ?? 1, wanted.length, settings.sqlParser);
  const inSql = new Map<string, FrontEnd>();
  const given = new Set<string>();
  const known = new Map<string, FileFacts>();
  /** Looks a file up, and has it extracted where nothing is known of it. */
  const prepare = (file: string, text: string, other?: FrontEnd): void => {
    if (given.has(file)) return;
    given.add(file);
    const before = options.cache?.remembered(file, text, other?.variant);
    if (before) known.set(file, before);
    else threads.give(file, text, other?.sql);
  };
  const lookFor = (late: readonly Adapter[]): void => {
    if (late.length === 0) return;
    for (const scan of scanned) scan.relevant ||= late.some((a) => a.vocabulary.test(texts.get(scan.file)!));
  };
  let done = 0;
  for (const [file, kind] of wanted) {
    options.progress?.('reading', ++done, wanted.length);
    if (kind === 'code' && !settings.isCode(file)) continue;
    const text = read(file);
    if (text === undefined) continue;
    const other = frontEndOf(file, kind, text, settings);
    if (other?.sql) {
      inSql.set(file, other);
      prepare(file, text, other);
    } else if (other) extract(file, text, () => other.run(), other.variant);
    else {
      const found = preScan(text);
      // Files before this one did not know of the library yet.
      lookFor(libraries.imported(found.modules));
      const scan: Scanned = {
        file,
        relevant: libraries.used.some((a) => a.vocabulary.test(text)) || contextVocabulary.test(text),
        request: requestVocabulary.test(text) || trustVocabulary.test(text),
        suppresses: text.includes('tenant-lint-') && suppression.test(text),
        ...clientOf(text, found.imports),
        ...found,
        exported: () => exportedNames(text),
        called: () => calledNames(text),
        migration: isMigrationText(text),
        routes: routeVocabulary.test(text),
        schemas: schemaVocabulary.test(text),
      };
      scanned.push(scan);
      texts.set(file, text);
      // Surely in demand, or nearly: others begin with it while this thread still reads.
      if (scan.suppresses || (scan.relevant && !scan.client)) prepare(file, text);
    }
  }
  lookFor(libraries.others);
  const reading = lap();
  const demanded = new Set(filesInDemand(scanned, project, demandSteps));
  // A route that knows its service by an interface alone imports nothing that leads to data.
  if (options.types !== undefined)
    for (const s of scanned) if ((s.request || s.routes) && !s.client) demanded.add(s.file);
  const choose = lap();
  for (const file of [...demanded].sort()) prepare(file, texts.get(file)!);
  const needed = new Set([...demanded, ...inSql.keys()]);
  for (const [file, before] of known) {
    if (!needed.has(file)) continue;
    remembered++;
    facts.push(before);
  }
  done = known.size;
  const made = threads.collect(
    needed,
    ({ file, text }) => {
      options.progress?.('parsing', ++done, needed.size);
      const other = inSql.get(file);
      try {
        const own = other ? other.run() : extractTypescript(text, { file });
        options.cache?.remember(own, text, other?.variant);
        return own;
      } catch (error) {
        failed(file, error);
        return undefined;
      }
    },
    (bytes, { file, text }) => {
      options.progress?.('parsing', ++done, needed.size);
      const theirs = decodeFacts(bytes);
      elsewhere++;
      options.cache?.remember(theirs, text, inSql.get(file)?.variant, bytes);
      return theirs;
    },
  );
  for (const own of made) if (own) facts.push(own);
  const files = facts.length;
  if (options.live) facts.push(options.live);
  const extracting = lap();
  options.progress?.('linking', 1, 1);
  facts.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const extracted = (file: string): FileFacts | undefined => {
    const text = texts.get(file);
    try {
      return text === undefined ? undefined : extractTypescript(text, { file });
    } catch (error) {
      failed(file, error);
      return undefined;
    }
  };
  const linking: LinkOptions = {
    adapters: libraries.others.length > 0 ? adapters : libraries.used,
    project,
    tenancy: settings.tenancy,
    areas: settings.areas,
    libraries: settings.libraries,
    trust: settings.trust,
  };
  const bySyntax = link(facts, linking);
  const linkingTook = lap();
  let model = bySyntax;
  let typing: number | undefined;
  if (options.types !== undefined) {
    options.progress?.('types', 1, 1);
    const sources = typeSources(options.types, project, (file) => texts.get(file), texts);
    const checked = typedFacts({ model, facts, linking, sources, extract: (file) => extracted(file) });
    unchecked.push(...checked.unchecked);
    model = link(checked.facts, linking);
    typing = lap();
  }
  return {
    model: { ...model, unchecked: sorted([...model.unchecked, ...unchecked]) },
    ...(options.types === undefined ? {} : { bySyntax }),
    project,
    listed: listed.files,
    counted: {
      found: wanted.length,
      read: texts.size + files - demanded.size,
      parsed: files,
      remembered,
      elsewhere,
    },
    times: {
      list,
      read: reading,
      choose,
      extract: extracting,
      link: linkingTook,
      ...(typing === undefined ? {} : { types: typing }),
    },
  };
}

function reader(source: Source, unchecked: Unchecked[]): (file: string) => string | undefined {
  return (file) => {
    const read = source.read(file);
    if ('text' in read) return read.text;
    if ('gone' in read) return undefined;
    unchecked.push({ file, reason: read.unchecked, ...(read.detail !== undefined ? { detail: read.detail } : {}) });
    return undefined;
  };
}

const suppression = /tenant-lint-(?:disable|enable)/;

function sorted(unchecked: readonly Unchecked[]): readonly Unchecked[] {
  return [...unchecked].sort(
    (a, b) => compare(a.file, b.file) || (a.span?.start ?? -1) - (b.span?.start ?? -1) || compare(a.reason, b.reason),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
