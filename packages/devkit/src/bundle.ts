import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown, type OutputChunk } from 'rolldown';

/** What stays outside: large, and loaded by `require` when it is needed. */
const external = ['typescript', 'libpg-query', 'pgsql-ast-parser', 'jiti', 'pg', '@electric-sql/pglite'];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Bundles the command, as `tsc --build` left it, into `packages/cli/bundle`: six hundred modules take a quarter of a second to load, a dozen
 * a tenth of that. Throws where the bundle would ask for a package that the command does not depend on.
 */
export async function bundle(root: string): Promise<void> {
  const cli = path.join(root, 'packages', 'cli');
  const out = path.join(cli, 'bundle');
  const build = await rolldown({
    input: {
      'compile-cache': path.join(cli, 'dist', 'compile-cache.js'),
      main: path.join(cli, 'dist', 'main.js'),
      extract: path.join(root, 'packages', 'workspace', 'dist', 'extract-worker.js'),
    },
    platform: 'node',
    external,
    // The other entry of some packages requires its parts in a way that nothing can follow.
    resolve: { mainFields: ['module', 'main'] },
  });
  rmSync(out, { recursive: true, force: true });
  const { output } = await build.write({ dir: out, format: 'cjs', entryFileNames: '[name].js' });
  await build.close();
  const chunks = output.filter((o): o is OutputChunk => o.type === 'chunk');
  const declared = manifestIn(cli).dependencies ?? {};
  const asked = [...new Set([...external, ...chunks.flatMap((c) => [...c.imports, ...c.dynamicImports])])];
  const missing = asked.filter((id) => isPackage(id) && id !== '@electric-sql/pglite' && !(id in declared));
  if (missing.length > 0)
    throw new Error(`the command has to depend on ${missing.join(', ')}, which stay outside of its bundle`);
  writeFileSync(path.join(out, 'package.json'), '{ "type": "commonjs" }\n');
  writeFileSync(
    path.join(out, 'extract-worker.js'),
    "require('./compile-cache.js').keepCompiled();\nrequire('./extract.js');\n",
  );
  writeFileSync(path.join(out, 'LICENSES.txt'), licences(chunks));
}

const isPackage = (id: string): boolean => !isBuiltin(id) && !id.endsWith('.js');

/** The licences of the packages of others whose code is in the bundle, as they ask for. */
function licences(chunks: readonly OutputChunk[]): string {
  const folders = new Set<string>();
  for (const module of chunks.flatMap((c) => c.moduleIds)) {
    const folder = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(module)?.[0];
    if (folder !== undefined) folders.add(folder);
  }
  return [...folders]
    .map((folder) => {
      const { name, version, license } = manifestIn(folder);
      const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
      const text = file === undefined ? '' : `\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
      return `${name} ${version} (${license ?? 'no licence named'})\n${text}`;
    })
    .sort()
    .join('\n----\n\n');
}

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;

const root = fileURLToPath(new URL('../../../', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(root);
