import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ESLint as Eslint, Linter } from 'eslint';

/**
 * What the plugin costs in ESLint. Whole runs: `eslint` with the typescript-eslint parser alone, and with `recommended` besides, facts cached and not.
 * In an open process: parsing a file, linting it without rules, and linting it again with `recommended`, as it is and after an edit; medians
 * over 200 files.
 */
const require = createRequire(import.meta.url);
const plugin = fileURLToPath(new URL('../../../eslint-plugin/dist/index.js', import.meta.url));
const sample = 200;
const pattern = '**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}';

interface Run {
  readonly name: string;
  readonly rounds: number;
  readonly command: readonly string[];
  readonly prepare?: () => void;
}

/** The runs of ESLint over a folder that are compared with each other; the first is the one without the plugin. */
export function editorRuns(folder: string, work: string, rounds: number, eslint: string): readonly Run[] {
  const cache = path.join(folder, 'node_modules/.cache/tenant-lint');
  const command = (recommended: boolean): readonly string[] => [
    process.execPath,
    '--max-old-space-size=8192',
    eslint,
    '--no-config-lookup',
    '-c',
    configuration(work, recommended),
    '--no-warn-ignored',
    folder,
  ];
  return [
    { name: 'eslint', rounds, command: command(false) },
    {
      name: 'recommended, first',
      rounds,
      command: command(true),
      prepare: () => rmSync(cache, { recursive: true, force: true }),
    },
    { name: 'recommended, again', rounds, command: command(true) },
  ];
}

function configuration(work: string, recommended: boolean): string {
  const file = path.join(work, recommended ? 'recommended.config.mjs' : 'parser.config.mjs');
  const parser = pathToFileURL(require.resolve('@typescript-eslint/parser')).href;
  writeFileSync(
    file,
    `import parser from ${JSON.stringify(parser)};
${recommended ? `import tenant from ${JSON.stringify(pathToFileURL(plugin).href)};` : ''}
export default [
  { ignores: ['**/node_modules/**', '**/dist/**'] },
  { files: ['${pattern}'], languageOptions: { parser, parserOptions: { ecmaFeatures: { jsx: true } } }, linterOptions: { reportUnusedDisableDirectives: 'off' } },
  ${recommended ? 'tenant.configs.recommended,' : ''}
];
`,
  );
  return file;
}

/** Medians, in milliseconds, of what is done with a file in an open process. */
export async function editedFiles(folder: string): Promise<Readonly<Record<string, number>>> {
  const { ESLint } = require('eslint') as { ESLint: typeof Eslint };
  const parser = require('@typescript-eslint/parser') as Linter.Parser & {
    parseForESLint(text: string, options: object): unknown;
  };
  const { default: tenant } = (await import(pathToFileURL(plugin).href)) as {
    default: { configs: { recommended: Linter.Config } };
  };
  const parserOptions = { ecmaFeatures: { jsx: true } };
  const base: Linter.Config = {
    files: [pattern],
    languageOptions: { parser, parserOptions },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
  };
  const open = (more: readonly Linter.Config[]): Eslint =>
    new ESLint({ cwd: folder, overrideConfigFile: true, overrideConfig: [base, ...more], allowInlineConfig: false });
  const plain = open([]);
  const ours = open([tenant.configs.recommended]);
  const times: Record<string, number[]> = { parse: [], 'no rules': [], 'as it is': [], edited: [] };
  const files = chosen(folder);
  const first = files[0]!;
  const begun = performance.now();
  await ours.lintText(readFileSync(first, 'utf8'), { filePath: first });
  const opening = performance.now() - begun;
  for (const filePath of files) {
    const text = readFileSync(filePath, 'utf8');
    // The change that an editor sends: a line more, within the file.
    const edit = `${text}\nexport const benchEdited = 1;\n`;
    const timed = async (name: string, run: () => unknown): Promise<void> => {
      const from = performance.now();
      await run();
      times[name]!.push(performance.now() - from);
    };
    await plain.lintText(text, { filePath });
    await ours.lintText(text, { filePath });
    await timed('parse', () => {
      try {
        parser.parseForESLint(text, {
          ...parserOptions,
          filePath,
          range: true,
          loc: true,
          tokens: true,
          comment: true,
        });
      } catch {
        // What does not parse is as quick for all.
      }
    });
    await timed('no rules', () => plain.lintText(text, { filePath }));
    await timed('as it is', () => ours.lintText(text, { filePath }));
    await timed('edited', () => ours.lintText(edit, { filePath }));
  }
  return {
    opening,
    ...Object.fromEntries(
      Object.entries(times).map(([name, all]) => [name, all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0]),
    ),
  };
}

/** Files evenly spread over a folder. */
function chosen(folder: string): readonly string[] {
  const all: string[] = [];
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (['node_modules', 'dist', '.git'].includes(entry.name)) continue;
      const full = path.join(at, entry.name);
      if (entry.isDirectory()) visit(full);
      else if (/(?<!\.d)\.[cm]?tsx?$/.test(entry.name)) all.push(full);
    }
  };
  visit(folder);
  all.sort();
  const step = Math.max(1, Math.floor(all.length / sample));
  return all.filter((_, i) => i % step === 0).slice(0, sample);
}

/** The folder where facts are kept; ESLint's plugin keeps none without. */
export function withModules(folder: string): () => void {
  const modules = path.join(folder, 'node_modules');
  const had = existsSync(modules);
  mkdirSync(modules, { recursive: true });
  return () => {
    if (!had) rmSync(modules, { recursive: true, force: true });
  };
}
