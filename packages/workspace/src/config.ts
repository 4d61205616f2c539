import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { closest, distance } from 'fastest-levenshtein';
import { parse as parseJson, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { Failure } from './failure.js';
import type { Config } from './schema.js';
import { codeOf } from './discover.js';

const names = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `tenant-lint.config.${extension}`);

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path; undefined where nothing is configured. */
  readonly file: string | undefined;
}

export interface LoadOptions {
  readonly cwd: string;
  /** --config */
  readonly file?: string;
  /** False with --no-config-code: JSON only. */
  readonly allowCode: boolean;
  /** What `import 'tenant-lint'` in a configuration resolves to: the running command, wherever it is installed. */
  readonly self: string;
}

/**
 * Finds the configuration upwards from a folder, loads and validates it. Throws Failure, naming file, key and the nearest valid name,
 * where it cannot be read, does not run, or does not fit the schema.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const file = options.file === undefined ? find(options.cwd) : path.resolve(options.cwd, options.file);
  if (file === undefined) return { config: {}, file: undefined };
  const raw = await read(file, options);
  return { config: await validated(raw, file), file };
}

function find(cwd: string): string | undefined {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    for (const name of names) if (existsSync(path.join(folder, name))) return path.join(folder, name);
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest) && /"tenantLint"\s*:/.test(safeText(manifest))) return manifest;
    if (existsSync(path.join(folder, '.git')) || path.dirname(folder) === folder) return undefined;
  }
}

function safeText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function read(file: string, options: LoadOptions): Promise<unknown> {
  if (file.endsWith('.json')) {
    const value = readJson(file);
    return path.basename(file) === 'package.json' ? (value as Record<string, unknown>)['tenantLint'] : value;
  }
  if (!options.allowCode) {
    throw new Failure('The configuration is code, and --no-config-code allows JSON only.', {
      where: file,
      advice: 'Write it as tenant-lint.config.json, or run without --no-config-code.',
    });
  }
  if (!existsSync(file))
    throw new Failure('There is no configuration at this path.', { where: file, advice: 'Check --config.' });
  const { createJiti } = await import('jiti');
  const jiti = createJiti(file, { alias: { 'tenant-lint': options.self }, fsCache: false, moduleCache: false });
  try {
    const module = await jiti.import<{ default?: unknown }>(file);
    if (module.default === undefined)
      throw new Failure('The configuration has no default export.', {
        where: file,
        advice: 'Write `export default defineConfig({ ... })`.',
      });
    return module.default;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`The configuration does not load: ${firstLine(error)}`, {
      where: file,
      advice: 'Mend the configuration file.',
      cause: error,
    });
  }
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`The configuration cannot be read (${codeOf(error)}).`, {
      where: file,
      advice: 'Check --config.',
      cause: error,
    });
  }
  const errors: ParseError[] = [];
  const value: unknown = parseJson(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) {
    const before = text.slice(0, first.offset).split('\n');
    throw new Failure(`The configuration is not valid JSON: ${printParseErrorCode(first.error)}.`, {
      where: `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`,
      advice: 'Mend the configuration file.',
    });
  }
  return value;
}

async function validated(raw: unknown, file: string): Promise<Config> {
  const { configSchema } = await import('./schema.js');
  const result = configSchema.safeParse(raw);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const at = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      const valid = keysAt(configSchema, issue.path.map(String));
      return issue.keys.map((key) => `${at === '' ? '' : `${at}.`}${key}: no such key${hint(key, valid)}`).join('\n');
    }
    return `${at === '' ? 'the configuration' : at}: ${issue.message}`;
  });
  throw new Failure(
    `The configuration is not valid:\n${lines.map((l) => `  ${l.replaceAll('\n', '\n  ')}`).join('\n')}`,
    {
      where: file,
      advice: 'See the configuration section of the documentation for the keys there are.',
    },
  );
}

/** The keys that the schema allows at a path. */
function keysAt(schema: unknown, at: readonly string[]): string[] {
  let current: unknown = schema;
  for (const part of at) {
    const shape = unwrapped(current);
    current =
      'shape' in shape
        ? (shape.shape as Record<string, unknown>)[part]
        : 'element' in shape
          ? shape.element
          : 'valueType' in shape
            ? shape.valueType
            : undefined;
    if (current === undefined) return [];
  }
  const shape = unwrapped(current);
  return 'shape' in shape ? Object.keys(shape.shape as object) : [];
}

function unwrapped(schema: unknown): Record<string, unknown> {
  let current = schema as { unwrap?: () => unknown };
  while (typeof current?.unwrap === 'function' && !('element' in current)) current = current.unwrap() as typeof current;
  return (current ?? {}) as Record<string, unknown>;
}

/** ", did you mean ...?" with the nearest of some names, if one is near. */
export function hint(name: string, among: readonly string[]): string {
  const near = nearest(name, among);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** The nearest of some names to a misspelt one, if it is near at all. */
export function nearest(name: string, among: readonly string[]): string | undefined {
  if (among.length === 0) return undefined;
  const near = closest(name, [...among]);
  return distance(name, near) <= Math.max(2, Math.floor(name.length / 3)) ? near : undefined;
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
