import path from 'node:path';
import { runRules, type Report } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  checkRuleSettings,
  Failure,
  findConfig,
  folderSource,
  kindOf,
  memoryCache,
  nearest,
  projectRoot,
  rememberedFacts,
  settingsOf,
  stampOf,
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

/** The model of a project, and what rules made of it so far. */
interface Analysis {
  readonly model: Model;
  readonly reports: Map<string, Report>;
}

/** How many analyses were made in this process, for tests of what is done once. */
export const counters = { analyses: 0 };

/**
 * What ESLint's rules know of the project around a file: one analysis of the whole of it for all rules and files, made again when files
 * change. A file whose text in the editor differs from the disk is linked with that text in its place.
 */
export class Project {
  readonly #source: Source;
  readonly #cache: FactsCache;
  #settings: Settings | undefined;
  #stamp = '';
  #looked = 0;
  #saved: Analysis | undefined;
  /** The file that is being edited, as it is in the editor; one at a time, since its neighbours are on disk. */
  #edited: { readonly file: string; readonly text: string; readonly analysis: Analysis } | undefined;

  constructor(readonly root: string) {
    this.#source = folderSource(root);
    this.#cache = memoryCache(rememberedFacts(root));
  }

  /**
   * The report of the project with `text` as the content of `file` (relative to the root), for a rule: that of the rules that are on without
   * configuration, and of this one. Throws an Error with a message for a person where the configuration is not valid.
   */
  reportFor(file: string, text: string, rule: string): Report {
    this.#refresh();
    const settings = this.#configured();
    const analysis = this.#analysisOf(file, text, settings);
    const isDefault = rules.some((r) => r.meta.id === rule && r.meta.recommended);
    const key = isDefault ? '' : rule;
    let report = analysis.reports.get(key);
    if (!report) {
      report = reportOf(analysis.model, settings, isDefault ? undefined : rule);
      analysis.reports.set(key, report);
    }
    return report;
  }

  #analysisOf(file: string, text: string, settings: Settings): Analysis {
    const read = this.#source.read(file);
    if ('text' in read && read.text === text) return (this.#saved ??= this.#analyze(this.#source, settings, true));
    if (this.#edited?.file === file && this.#edited.text === text) return this.#edited.analysis;
    const analysis = this.#analyze(withText(this.#source, file, text), settings, false);
    this.#edited = { file, text, analysis };
    return analysis;
  }

  #analyze(source: Source, settings: Settings, save: boolean): Analysis {
    counters.analyses++;
    const { model } = buildModel(source, { settings, cache: this.#cache });
    if (save) this.#cache.save();
    return { model, reports: new Map() };
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

  /** Forgets what was made of files that have changed since. */
  #refresh(): void {
    const now = Date.now();
    if (now - this.#looked < trustedMilliseconds) return;
    this.#looked = now;
    const config = findConfig(this.root);
    const stamp = stampOf(this.root, [...(config === undefined ? [] : [config]), ...this.#source.list().files.keys()]);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#settings = undefined;
    this.#saved = undefined;
    this.#edited = undefined;
  }
}

function reportOf(model: Model, settings: Settings, besides: string | undefined): Report {
  const configured = settings.config.rules ?? {};
  const asked = rules.find((r) => r.meta.id === besides);
  const named = asked ? [asked.meta.id, ...(asked.meta.aliases ?? [])] : [];
  return runRules(model, model.tenancy.refused ? [] : rules, {
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

/** The project that a file (absolute) belongs to; one for each root, for the life of the process. */
export function projectOf(file: string, cwd: string): Project {
  const root = projectRoot(path.dirname(file), cwd);
  let project = projects.get(root);
  if (!project) {
    project = new Project(root);
    projects.set(root, project);
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
