import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runRules, type Report } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import {
  buildModel,
  folderSource,
  rememberedFacts,
  settingsOf,
  type Read,
  type Settings,
  type Source,
} from '@tenant-lint/workspace';
import { findConfig } from '@tenant-lint/workspace';
import { loadConfig } from '@tenant-lint/workspace/config';

/** How long a look at the files of a project is trusted before they are looked at again. */
const trustedMilliseconds = 2_000;

/**
 * What ESLint's rules know of the project around a file: the report of the whole of it, made once and again when files change. A file whose
 * text in the editor differs from the disk is linked with that text in its place.
 */
export class Project {
  readonly #settings: Settings;
  readonly #source: Source;
  #stamp = '';
  #looked = 0;
  #report: Report | undefined;
  /** The reports with one file as it is in the editor; only the newest text of each file is kept. */
  readonly #edited = new Map<string, { text: string; report: Report }>();

  constructor(readonly root: string) {
    const file = findConfig(root);
    const self = fileURLToPath(new URL('./index.js', import.meta.url));
    this.#settings = settingsOf(
      file === undefined ? {} : loadConfig({ cwd: root, file, allowCode: true, self }).config,
    );
    this.#source = folderSource(root);
  }

  /** The report of the project with `text` as the content of `file` (relative to the root). */
  reportFor(file: string, text: string): Report {
    this.#refresh();
    const read = this.#source.read(file);
    if ('text' in read && sameText(read.text, text)) return (this.#report ??= this.#analyze(this.#source, true));
    const known = this.#edited.get(file);
    if (known?.text === text) return known.report;
    const report = this.#analyze(withText(this.#source, file, text), false);
    this.#edited.set(file, { text, report });
    return report;
  }

  #analyze(source: Source, save: boolean): Report {
    const cache = rememberedFacts(this.root, true);
    const { model } = buildModel(source, { settings: this.#settings, ...cache });
    if (save) cache.save();
    // What tenants are is for the command to refuse or to ask; a rule without an answer reports nothing.
    return runRules(model, model.tenancy.refused ? [] : rules, {
      settings: this.#settings.config.rules ?? {},
      intended: (name) => this.#settings.intended(name),
      // Presets and ESLint's own configuration decide severities and comments.
      confidence: 'likely',
    });
  }

  /** Forgets what was made of files that have changed since. */
  #refresh(): void {
    const now = Date.now();
    if (now - this.#looked < trustedMilliseconds) return;
    this.#looked = now;
    const stamp = [...this.#source.list().files.keys()]
      .map((file) => `${file}:${modified(path.join(this.root, file))}`)
      .join('\n');
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#report = undefined;
    this.#edited.clear();
  }
}

const projects = new Map<string, Project>();

/** The project that a file (absolute) belongs to; one for each root, for the life of the process. */
export function projectOf(file: string, cwd: string): Project {
  const root = rootOf(path.dirname(file), cwd);
  let project = projects.get(root);
  if (!project) {
    project = new Project(root);
    projects.set(root, project);
  }
  return project;
}

/** The folder of the configuration, else the working directory of ESLint where the file is below it, else the nearest manifest. */
function rootOf(folder: string, cwd: string): string {
  const config = findConfig(folder);
  if (config !== undefined) return path.dirname(config);
  const relative = path.relative(cwd, folder);
  if (!relative.startsWith('..') && !path.isAbsolute(relative)) return cwd;
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, 'package.json')) || path.dirname(at) === at) return at;
  }
}

const withText = (source: Source, file: string, text: string): Source => ({
  list: () => {
    const listed = source.list();
    return listed.files.has(file) ? listed : { ...listed, files: new Map([...listed.files, [file, 'code' as const]]) };
  },
  read: (name): Read => (name === file ? { text } : source.read(name)),
});

/** ESLint strips the byte order mark. */
const sameText = (onDisk: string, linted: string): boolean => onDisk === linted || onDisk === `\uFEFF${linted}`;

function modified(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
