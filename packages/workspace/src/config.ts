import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Jiti from 'jiti';
import { parse as parseJson, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { z } from 'zod';
import { defineConfig } from './define-config.js';
import { codeOf } from './discover.js';
import { Failure } from './failure.js';
import { findConfig } from './find-config.js';
import { hint } from './nearest.js';
import { configSchema, type Config } from './schema.js';

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
}

/**
 * Finds the configuration upwards from a folder, loads and validates it. Throws Failure, naming file, key and the nearest valid name,
 * where it cannot be read, does not run, or does not fit the schema.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const file = options.file === undefined ? findConfig(options.cwd) : path.resolve(options.cwd, options.file);
  if (file === undefined) return { config: {}, file: undefined };
  const raw = read(file, options);
  return { config: validated(raw, file), file };
}

function read(file: string, options: LoadOptions): unknown {
  if (file.endsWith('.json')) {
    const value = readJson(file);
    if (path.basename(file) !== 'package.json') return value;
    const key = typeof value === 'object' && value !== null && 'tenantLint' in value ? value.tenantLint : undefined;
    if (key !== undefined) return key;
    throw new Failure('This manifest has no key tenantLint.', { where: file, advice: 'Check --config.' });
  }
  if (!options.allowCode) {
    throw new Failure('The configuration is code, and --no-config-code allows JSON only.', {
      where: file,
      advice: 'Write it as tenant-lint.config.json, or run without --no-config-code.',
    });
  }
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new Failure('There is no configuration at this path.', { where: file, advice: 'Check --config.' });
  const { createJiti } = createRequire(import.meta.url)('jiti') as typeof Jiti;
  const jiti = createJiti(file, {
    // `import { defineConfig } from 'tenant-lint'` means what is running, wherever it is installed.
    virtualModules: { 'tenant-lint': { defineConfig } },
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
  });
  let module: { readonly default?: unknown; readonly __esModule?: boolean };
  try {
    // Synchronous, because rules of ESLint are; a configuration with a top-level await does not load.
    module = jiti(file) as typeof module;
  } catch (error) {
    throw new Failure(`The configuration does not load: ${firstLine(error)}`, {
      where: file,
      advice: 'Mend the configuration file.',
      cause: error,
    });
  }
  if (module.default !== undefined) return module.default;
  // CommonJS: what it exports is the configuration.
  if (module.__esModule !== true) return module;
  throw new Failure('The configuration has no default export.', {
    where: file,
    advice: 'Write `export default defineConfig({ ... })`.',
  });
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

function validated(raw: unknown, file: string): Config {
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

/** The JSON schema of a configuration, for editors and for the documentation. */
export const configJsonSchema = (): Record<string, unknown> =>
  z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }) as Record<string, unknown>;

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
