import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What each package may import of ours. Whatever is not listed is forbidden. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  analysis: ['model'],
  sql: ['model'],
  typescript: ['model', 'sql'],
  engine: ['model', 'analysis'],
  rules: ['engine', 'model', 'analysis'],
  workspace: ['model', 'analysis', 'sql', 'typescript', 'engine'],
  prove: ['model', 'analysis', 'sql'],
  cli: ['model', 'analysis', 'sql', 'typescript', 'engine', 'rules', 'workspace', 'prove'],
  'eslint-plugin': ['workspace', 'engine', 'rules', 'model'],
  'rule-tester': ['engine', 'workspace', 'model', 'analysis'],
  devkit: [
    'model',
    'analysis',
    'sql',
    'typescript',
    'engine',
    'rules',
    'workspace',
    'prove',
    'cli',
    'eslint-plugin',
    'rule-tester',
  ],
};

/** Forbidden imports between packages, by name, with what to do instead. The first that matches an import explains it. */
const forbidden: readonly {
  readonly name: string;
  readonly from: RegExp;
  readonly to: RegExp;
  readonly instead: string;
}[] = [
  {
    name: 'model-stands-alone',
    from: /^model$/,
    to: /./,
    instead: 'Put the logic where the question is asked; the model holds types, constructors and guards.',
  },
  {
    name: 'analysis-knows-no-front-end',
    from: /^analysis$/,
    to: /^(sql|typescript)$/,
    instead: 'Let link be handed the adapters, and express what the front end found in facts of the model.',
  },
  {
    name: 'sql-stands-below-typescript',
    from: /^sql$/,
    to: /^typescript$/,
    instead:
      'Take text and positions as arguments; the TypeScript front end calls the SQL front end, never the reverse.',
  },
  {
    name: 'front-ends-do-not-judge',
    from: /^(sql|typescript)$/,
    to: /^(analysis|engine|rules)$/,
    instead: 'State the fact in the model; analysis decides what follows from it.',
  },
  {
    name: 'engine-knows-no-rule',
    from: /^engine$/,
    to: /^rules$/,
    instead: 'Take the registry as an argument, as runRules does.',
  },
  {
    name: 'engine-does-no-input',
    from: /^engine$/,
    to: /^(workspace|sql|typescript|prove)$/,
    instead: 'Take the model as an argument; reading and parsing happen before.',
  },
  {
    name: 'rules-do-not-parse',
    from: /^rules$/,
    to: /^(sql|typescript)$/,
    instead: 'Ask the model; if it cannot answer, the hole is in the front end or in analysis.',
  },
  {
    name: 'rules-do-not-read',
    from: /^rules$/,
    to: /^(workspace|prove|cli|eslint-plugin)$/,
    instead: 'Ask the model; a rule is a function from the model to findings.',
  },
  {
    name: 'workspace-takes-the-registry',
    from: /^workspace$/,
    to: /^rules$/,
    instead: 'Let the host hand in the rule registry to validate configuration against.',
  },
  {
    name: 'workspace-knows-no-host',
    from: /^workspace$/,
    to: /^(cli|eslint-plugin|prove)$/,
    instead: 'Return a value; the host decides what becomes of it.',
  },
  {
    name: 'prove-runs-databases-only',
    from: /^prove$/,
    to: /^(engine|rules|workspace|typescript|cli|eslint-plugin)$/,
    instead: 'Take migrations and witnesses as arguments.',
  },
  {
    name: 'eslint-plugin-is-thin',
    from: /^eslint-plugin$/,
    to: /^(analysis|sql|typescript|prove|cli)$/,
    instead: 'Ask the workspace; the plugin turns host input into model input and the report into host output.',
  },
  {
    name: 'cli-is-no-library-of-eslint',
    from: /^cli$/,
    to: /^eslint-plugin$/,
    instead: 'Share through workspace or engine.',
  },
  {
    name: 'nothing-ships-the-tests',
    from: /^(?!devkit$).*/,
    to: /^(rule-tester|devkit)$/,
    instead: 'Keep what only tests and generators need in rule-tester and devkit.',
  },
  {
    name: 'outside-the-table',
    from: /./,
    to: /./,
    instead: 'If the direction is right, add it to the table above with a reason.',
  },
];

/** Packages of others that only one of ours knows, and parts of Node that do input and output. */
const confined: readonly {
  readonly name: string;
  readonly module: RegExp;
  readonly only: RegExp;
  readonly instead: string;
}[] = [
  {
    name: 'one-package-imports-typescript',
    module: /^typescript$/,
    only: /^typescript$/,
    instead: 'Use the facts of @tenant-lint/typescript; the pin of the compiler must be in one place.',
  },
  {
    name: 'one-package-imports-the-sql-parser',
    module: /^(libpg-query|@libpg-query\/.*|pgsql-ast-parser)$/,
    only: /^sql$/,
    instead: 'Use the facts of @tenant-lint/sql.',
  },
  {
    name: 'one-package-imports-postgres',
    module: /^(@electric-sql\/pglite.*|pg)$/,
    only: /^prove$/,
    instead: 'Use @tenant-lint/prove.',
  },
  {
    name: 'files-are-read-by-the-workspace',
    module: /^(node:)?fs(\/promises)?$/,
    only: /^(workspace|cli|devkit|rule-tester|prove)$/,
    instead: 'Let the workspace read, and take text as an argument.',
  },
];

/** Files that may break a confinement, each with the reason. */
const exceptions: Readonly<Record<string, { readonly confinement: string; readonly reason: string }>> = {
  'packages/sql/src/parser/instance.ts': {
    confinement: 'files-are-read-by-the-workspace',
    reason:
      'It reads the WebAssembly file of its own dependency, to instantiate it synchronously; no file of a project.',
  },
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly specifier: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['dist', 'node_modules', 'test'].includes(entry.name) ? [] : sourceFiles(path);
    return /\.[cm]?tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

/** Import specifiers of a text: static, dynamic, re-exports, require and import types. */
export function specifiersOf(text: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require(?:\.resolve)?)\s*\(\s*['"]([^'"]+)['"]/g,
    // A require made by createRequire under any name ending so: loadModule('x') is not recognised, requireFrom('x') is.
    /\brequire\w*\s*\(\s*['"]([^'"]+)['"]/g,
  ];
  return [...new Set(patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')))];
}

const packages = readdirSync(join(root, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const imports: Import[] = [
  ...packages.map((name) => ({ name, folder: join(root, 'packages', name, 'src') })),
  { name: 'rules', folder: join(root, 'rules') },
].flatMap(({ name, folder }) =>
  sourceFiles(folder).flatMap((path) =>
    specifiersOf(readFileSync(path, 'utf8')).map((specifier) => ({
      file: relative(root, path).replaceAll('\\', '/'),
      from: name,
      specifier,
    })),
  ),
);

/** The package of ours that a specifier names, relative ways out of a package included. */
function ours({ file, from, specifier }: Import): string | undefined {
  const scoped = /^@tenant-lint\/([\w-]+)/.exec(specifier)?.[1];
  if (scoped !== undefined) return scoped;
  if (/^tenant-lint($|\/)/.test(specifier)) return 'cli';
  if (/^eslint-plugin-tenant-lint($|\/)/.test(specifier)) return 'eslint-plugin';
  if (!specifier.startsWith('.')) return undefined;
  const target = relative(root, join(root, file, '..', specifier)).replaceAll('\\', '/');
  const inside = /^packages\/([\w-]+)/.exec(target)?.[1] ?? (target.startsWith('rules/') ? 'rules' : undefined);
  return inside === from ? undefined : inside;
}

describe('layers', () => {
  it('reads the imports of every package', () => {
    const withImports = new Set(imports.map((i) => i.from));
    expect([...packages, 'rules'].filter((name) => !(name in allowed))).toEqual([]);
    expect(withImports.has('analysis') && withImports.has('rules') && withImports.has('engine')).toBe(true);
  });

  it('finds every kind of import', () => {
    const text = [
      "import a from 'a';",
      "import type { B } from 'b';",
      "export * from 'c';",
      "import 'd';",
      "const e = await import('e');",
      "const f = require('f');",
      'import {',
      '  g,',
      "} from 'g';",
      "const h = createRequire(import.meta.url)('not seen');",
    ].join('\n');
    expect(specifiersOf(text).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  for (const rule of forbidden) {
    it(`${rule.name}`, () => {
      const broken = imports.flatMap((i) => {
        const to = ours(i);
        if (to === undefined || allowed[i.from]?.includes(to)) return [];
        const explained = forbidden.find((f) => f.from.test(i.from) && f.to.test(to));
        return explained === rule ? [`${i.file} imports ${i.specifier}. ${rule.instead}`] : [];
      });
      expect(broken).toEqual([]);
    });
  }

  for (const rule of confined) {
    it(`${rule.name}`, () => {
      const broken = imports
        .filter((i) => rule.module.test(i.specifier) && !rule.only.test(i.from))
        .filter((i) => exceptions[i.file]?.confinement !== rule.name)
        .map((i) => `${i.file} imports ${i.specifier}. ${rule.instead}`);
      expect(broken).toEqual([]);
    });
  }

  it('keeps no exception that nothing needs', () => {
    const needed = new Set(
      confined.flatMap((rule) =>
        imports
          .filter((i) => rule.module.test(i.specifier) && !rule.only.test(i.from))
          .map((i) => `${i.file} ${rule.name}`),
      ),
    );
    const dead = Object.entries(exceptions).filter(([file, e]) => !needed.has(`${file} ${e.confinement}`));
    expect(dead).toEqual([]);
  });
});
