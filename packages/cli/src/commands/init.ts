import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Model } from '@tenant-lint/analysis';
import { adapters } from '@tenant-lint/typescript';
import {
  buildModel,
  configIn,
  Failure,
  folderSource,
  librariesOf,
  settingsOf,
  type Built,
} from '@tenant-lint/workspace';
import type { Io } from '../main.js';
import { progressLine } from '../progress.js';
import { oneLine } from '../report/printable.js';
import { writeFile } from '../write-file.js';

export interface InitFlags {
  readonly force?: boolean;
}

const name = 'tenant-lint.config.ts';

/**
 * `tenant-lint init`: looks at the project, writes a configuration in which what was inferred stands as comments, ready to be said instead,
 * and prints what was found and what to do next. Throws Failure where there is a configuration already.
 */
export function init(flags: InitFlags, io: Io): number {
  const file = path.join(io.cwd, name);
  const there = configIn(io.cwd);
  if (there !== undefined && !(flags.force && there === file)) {
    throw new Failure('There is a configuration already.', {
      where: there,
      advice: there === file ? 'Say --force to write it anew.' : 'Remove it first, or edit it.',
    });
  }
  const progress = progressLine(io);
  const built = buildModel(folderSource(io.cwd), { settings: settingsOf({}), progress: progress.update });
  progress.end();
  writeFile(file, configText(built), 'The configuration', 'Check the folder.');
  io.stdout.write(`${[...found(built), '', ...next(built, existsSync(path.join(io.cwd, '.git')))].join('\n')}\n`);
  return 0;
}

function found({ model, project, counted }: Built): string[] {
  const { tenancy } = model;
  const libraries = librariesOf(adapters, project);
  const owned = [...model.schema.tables.keys()].filter((id) => ownedKinds.has(model.tenancyOf(id).kind));
  return [
    `Looked at ${counted.found} files.`,
    `  libraries   ${libraries.map((a) => a.title).join(', ') || 'none that is known'}`,
    `  schema      ${[...model.schema.tables.keys()].length} tables, from ${model.schema.sources.join(', ') || 'nowhere'}`,
    tenancy.refused
      ? `  tenancy     undecided: ${oneLine(tenancy.refused.reason)}`
      : `  tenancy     ${tenancy.strategy}, by ${tenancy.keys.join(', ')}; tenants in ${tenancy.roots.join(', ') || 'no table'}; ${owned.length} tables belong to tenants`,
    `Wrote ${name}.`,
  ].map(oneLine);
}

const ownedKinds = new Set(['keyed', 'child', 'root']);

function next({ model }: Built, inGit: boolean): string[] {
  const steps = [
    ...(model.tenancy.refused
      ? [`Say in ${name} which column identifies the tenant: the candidates stand there.`]
      : ['tenant-lint inspect shows each table, whose it is, and why. What is wrong there, say in the configuration.']),
    'tenant-lint check reports what leaks.',
    'tenant-lint baseline accepts what is there today, so that only new findings fail a build.',
    ...(inGit ? ['tenant-lint check --since main, in a pull request, reports what that branch brings.'] : []),
  ];
  return ['Next', ...steps.map((step, i) => `  ${i + 1}. ${step}`)];
}

/** The text of the configuration. Names from the project are written as JSON strings, so that none can be more than a string. */
function configText({ model, listed }: Built): string {
  const { tenancy } = model;
  const list = (names: readonly string[]): string => `[${names.map((n) => quote(n)).join(', ')}]`;
  const shared = [...model.schema.tables.values()].filter((t) => model.tenancyOf(t.id).kind === 'shared');
  const unknown = [...model.schema.tables.values()].filter((t) => model.tenancyOf(t.id).kind === 'unknown');
  const refused = tenancy.refused;
  const [best] = refused?.candidates ?? [];
  const tenancyLines = refused
    ? [
        '    // Which column says whose row it is could not be inferred. The candidates:',
        ...refused.candidates
          .slice(0, 5)
          .map(
            (c) =>
              `    //   ${comment(`${c.key}${c.root === undefined ? '' : ` of ${c.root}`}: on ${c.tables} tables`)}`,
          ),
        `    // keys: ${list([best?.key ?? 'tenant_id'])},`,
        `    // roots: ${list([best?.root ?? 'tenants'])},`,
      ]
    : [
        `    // strategy: ${quote(tenancy.strategy)}, // ${comment(tenancy.strategyReason)}`,
        `    // keys: ${list(tenancy.keys)},`,
        `    // roots: ${list(tenancy.roots.map(plainName))},`,
        ...(tenancy.settings.length > 0 ? [`    // settings: ${list(tenancy.settings)},`] : []),
        ...(tenancy.appRoles.length > 0 ? [`    // roles: { app: ${list(tenancy.appRoles)} },`] : []),
        ...(shared.length > 0 ? [`    // shared: ${list(shared.slice(0, 20).map((t) => t.name.name))},`] : []),
      ];
  const migrations = foldersOf(model, listed);
  return `import { defineConfig } from 'tenant-lint';

// Everything here is optional. What stands behind // was inferred; say it where it is wrong.
export default defineConfig({
  tenancy: {
${tenancyLines.join('\n')}
${
  unknown.length > 0
    ? `    // Nothing says whose rows these are. Where all tenants share them, say so:\n    // shared: ${list(unknown.slice(0, 20).map((t) => t.name.name))},\n`
    : ''
}  },
  sources: {
${migrations.length > 0 ? `    // migrations: ${list(migrations)},\n` : ''}    // ignore: ['**/seed/**'],
  },
  intended: [
    // Code that is meant to see every tenant, each area with its reason.
    // { files: ['apps/admin/**'], reason: 'Platform staff only' },
  ],
  rules: {
    // 'require-tenant-first-index': 'off',
  },
});
`;
}

const quote = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'")}'`;
const comment = (text: string): string => oneLine(text);
const plainName = (id: string): string => id.replace(/^public\./, '');

/** Folders that hold migrations, the topmost of each. */
function foldersOf(model: Model, listed: Built['listed']): string[] {
  const folders = [...model.files.values()]
    .filter((facts) => facts.sql?.role === 'migration' && listed.has(facts.file) && facts.file.includes('/'))
    .map((facts) => facts.file.slice(0, facts.file.lastIndexOf('/')));
  const parents = [...new Set(folders)].sort();
  const common = new Map<string, number>();
  for (const folder of parents) {
    const parent = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : folder;
    common.set(parent, (common.get(parent) ?? 0) + 1);
  }
  // Prisma keeps each migration in a folder of its own.
  return [
    ...new Set(
      parents.map((folder) => {
        const parent = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : folder;
        return (common.get(parent) ?? 0) > 2 ? parent : folder;
      }),
    ),
  ];
}
