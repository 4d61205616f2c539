import path from 'node:path';
import { runRules, type Report, type Rule } from '@tenant-lint/engine';
import type { Finding, Fix } from '@tenant-lint/model';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  checkRuleSettings,
  defaultThreads,
  edited,
  Failure,
  findConfig,
  folderSource,
  kindOf,
  liveModel,
  mends,
  memoryCache,
  nearest,
  projectRoot,
  rememberedFacts,
  settingsOf,
  stampOf,
  suggestionFor,
  type Built,
  type FactsCache,
  type Read,
  type Settings,
  type Source,
} from '@tenant-lint/workspace';
import { loadConfig } from '@tenant-lint/workspace/config';

type Model = Built['model'];

/** How long a look at the files of a project is trusted before they are looked at again. */
const trustedMilliseconds = 2_000;

/** Looking at the files of a project may take one part of so many of the time. */
const lookingShare = 20;

/** With more files changed than this, linking all anew costs less than to go on with what was linked before. */
const mostChanged = 8;

/** The model of a project, and what rules made of it so far. */
interface Analysis {
  readonly model: Model;
  /** The rules that are asked: all of them, or those that find something in the code files of a part. */
  readonly rules: readonly Rule[];
  readonly reports: Map<string, Report>;
}

interface Whole {
  readonly built: Built;
  readonly analysis: Analysis;
}

/** How many analyses were made in this process, of whole projects and of single files, for tests of what is done once. */
export const counters = { analyses: 0, parts: 0 };

/**
 * What ESLint's rules know of the project around a file: one analysis of the whole of it for all rules and files. A code file that has
 * changed since, on disk or in the editor, is linked anew with that analysis in its back; what changes more than that, such as a
 * migration, has the whole analysed again.
 */
export class Project {
  readonly #source: Source;
  readonly #cache: FactsCache;
  #settings: Settings | undefined;
  #trustedUntil = 0;
  #stamps: ReadonlyMap<string, string> = new Map();
  /** Files that were asked for and that the project may not count among its own. */
  readonly #unlisted = new Map<string, string>();
  #whole: Whole | undefined;
  /** Code files that have changed on disk since. */
  readonly #changed = new Set<string>();
  /** The file that is looked at, as it is in the editor; one at a time, since its neighbours are on disk. */
  #current: { readonly file: string; readonly text: string; readonly analysis: Analysis } | undefined;

  constructor(readonly root: string) {
    this.#source = folderSource(root);
    this.#cache = memoryCache(rememberedFacts(root));
  }

  /**
   * The report of the project with `text` as the content of `file` (relative to the root), for a rule: that of the rules that are on without
   * configuration, and of this one. Only what it says of the file is sure to be whole. Throws an Error with a message for a person where
   * the configuration is not valid.
   */
  reportFor(file: string, text: string, rule: string): Report {
    this.#refresh(file, text);
    const settings = this.#configured();
    return this.#report(this.#analysisOf(file, text, settings), settings, rule);
  }

  /**
   * The edit of `file` that mends a finding of the report for the same arguments, where there is one after which the finding is gone and no other
   * has come.
   */
  suggestionFor(file: string, text: string, rule: string, finding: Finding): Fix | undefined {
    const settings = this.#configured();
    const analysis = this.#analysisOf(file, text, settings);
    const fix = suggestionFor(analysis.model, finding, text);
    const after = fix && this.#part(file, edited(text, fix.edits), settings);
    if (!after) return undefined;
    const inFile = (a: Analysis): readonly Finding[] =>
      this.#report(a, settings, rule).findings.filter((f) => f.span?.file === file);
    return mends([finding], inFile(analysis), inFile(after)) ? fix : undefined;
  }

  #report(analysis: Analysis, settings: Settings, rule: string): Report {
    const isDefault = rule === '' || rules.some((r) => r.meta.id === rule && r.meta.recommended);
    const key = isDefault ? '' : rule;
    let report = analysis.reports.get(key);
    if (!report) {
      report = reportOf(analysis, settings, isDefault ? undefined : rule);
      analysis.reports.set(key, report);
    }
    return report;
  }

  #analysisOf(file: string, text: string, settings: Settings): Analysis {
    if (this.#current?.file === file && this.#current.text === text) return this.#current.analysis;
    const read = this.#source.read(file);
    const isSaved = 'text' in read && read.text === text;
    const analysis =
      isSaved && this.#changed.size === 0
        ? this.#analyzed(settings).analysis
        : (this.#sufficient(file, isSaved, this.#part(file, text, settings), settings) ??
          this.#anew(file, text, isSaved, settings));
    this.#current = { file, text, analysis };
    return analysis;
  }

  /** The whole project, as it was when it was last looked at as a whole. */
  #analyzed(settings: Settings): Whole {
    if (!this.#whole) {
      const built = this.#build(this.#source, settings);
      this.#cache.save();
      this.#changed.clear();
      this.#whole = { built, analysis: { model: built.model, rules, reports: new Map() } };
    }
    return this.#whole;
  }

  /** One file with this text, and the others that changed, in the project as it was; undefined where that is not enough. */
  #part(file: string, text: string, settings: Settings): Analysis | undefined {
    const { built, analysis } = this.#analyzed(settings);
    const others = [...this.#changed].flatMap((name) => {
      const read = name === file ? undefined : this.#source.read(name);
      return read && 'text' in read ? [{ file: name, text: read.text }] : [];
    });
    counters.parts++;
    const model = liveModel(built, [...others, { file, text }], settings, this.#cache);
    if (model === built.model) return analysis;
    return model && { model, rules: rulesOfParts, reports: new Map() };
  }

  /** Of a saved file, a part that lacks what was found before may have left out what only all of the project shows. */
  #sufficient(file: string, isSaved: boolean, part: Analysis | undefined, settings: Settings): Analysis | undefined {
    if (!isSaved || !part) return part;
    const projectRules = new Set(part.rules.filter((r) => r.subject === 'project').map((r) => r.meta.id));
    const count = (analysis: Analysis): number =>
      this.#report(analysis, settings, '').findings.filter((f) => f.span?.file === file && projectRules.has(f.rule))
        .length;
    return count(part) < count(this.#analyzed(settings).analysis) ? undefined : part;
  }

  #anew(file: string, text: string, isSaved: boolean, settings: Settings): Analysis {
    if (isSaved) {
      this.#whole = undefined;
      return this.#analyzed(settings).analysis;
    }
    const { model } = this.#build(withText(this.#source, file, text), settings);
    return { model, rules, reports: new Map() };
  }

  #build(source: Source, settings: Settings): Built {
    counters.analyses++;
    return buildModel(source, { settings, cache: this.#cache, threads: defaultThreads() });
  }

  #configured(): Settings {
    if (this.#settings) return this.#settings;
    const file = findConfig(this.root);
    try {
      const { config } = file === undefined ? { config: {} } : loadConfig({ cwd: this.root, file, allowCode: true });
      checkRuleSettings(config, rules, file);
      return (this.#settings = settingsOf(config));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const lines = [error.message, error.where === undefined ? '' : `  at ${error.where}`, error.advice ?? ''];
      throw new Error(`tenant-lint: ${lines.filter((line) => line !== '').join('\n')}`, { cause: error });
    }
  }

  /** Forgets what was made of files that have changed since: looked at now and then, and when the file at hand is another one than it was. */
  #refresh(file: string, text: string): void {
    const now = Date.now();
    const isCurrent = this.#current?.file === file && this.#current.text === text;
    const stamp = isCurrent ? undefined : stampOf(this.root, file);
    const isKnown = stamp === undefined || stamp === (this.#stamps.get(file) ?? this.#unlisted.get(file) ?? '');
    if (now < this.#trustedUntil && isKnown) return;
    if (stamp !== undefined) this.#unlisted.set(file, stamp);
    const before = this.#stamps;
    const config = findConfig(this.root);
    const names = [...(config === undefined ? [] : [config]), ...this.#source.list().files.keys()];
    this.#stamps = new Map(names.map((name) => [name, stampOf(this.root, name)]));
    const changed = new Set(names.filter((name) => this.#stamps.get(name) !== before.get(name)));
    for (const name of before.keys()) if (!this.#stamps.has(name)) changed.add(name);
    // Where looking takes long, it is done less often.
    this.#trustedUntil = now + Math.max(trustedMilliseconds, (Date.now() - now) * lookingShare);
    if (changed.size === 0) return;
    this.#current = undefined;
    for (const name of changed) this.#changed.add(name);
    const isPart = [...this.#changed].every((name) => before.has(name) && kindOf(name) === 'code' && name !== config);
    if (isPart && this.#changed.size <= mostChanged) return;
    this.#settings = undefined;
    this.#whole = undefined;
    this.#changed.clear();
  }
}

/** Rules that find something in code without looking at all of it. */
const rulesOfParts = rules.filter(
  ({ meta, subject }) => meta.hosts.includes('typescript') && /^(?:target|access|project)$/.test(subject),
);

function reportOf(analysis: Analysis, settings: Settings, besides: string | undefined): Report {
  const { model } = analysis;
  const configured = settings.config.rules ?? {};
  const asked = rules.find((r) => r.meta.id === besides);
  const named = asked ? [asked.meta.id, ...(asked.meta.aliases ?? [])] : [];
  return runRules(model, model.tenancy.refused ? [] : analysis.rules, {
    // Which rules are on is for ESLint to say, unless the project's own configuration turns one off.
    settings:
      asked && !named.some((name) => name in configured)
        ? { ...configured, [asked.meta.id]: asked.meta.severity }
        : configured,
    overrides: settings.overrides,
    intended: (name) => settings.intended(name),
    nearest,
    confidence: 'likely',
  });
}

const projects = new Map<string, Project>();

/** The roots of folders, and when they were looked for. */
const roots = new Map<string, { readonly root: string; readonly at: number }>();

/** The project that a file (absolute) belongs to; one for each root, for the life of the process. */
export function projectOf(file: string, cwd: string): Project {
  const folder = path.dirname(file);
  const key = `${folder}\0${cwd}`;
  const now = Date.now();
  let known = roots.get(key);
  if (!known || now - known.at >= trustedMilliseconds)
    roots.set(key, (known = { root: projectRoot(folder, cwd), at: now }));
  let project = projects.get(known.root);
  if (!project) {
    project = new Project(known.root);
    projects.set(known.root, project);
  }
  return project;
}

const withText = (source: Source, file: string, text: string): Source => ({
  list: () => {
    const listed = source.list();
    return listed.files.has(file)
      ? listed
      : { ...listed, files: new Map([...listed.files, [file, kindOf(file) ?? 'code']]) };
  },
  read: (name): Read => (name === file ? { text } : source.read(name)),
});
