import type { FunctionId } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

/** An exported function that has to come back before what a page shows is sent. */
export interface Around {
  /** The file that may declare it, without its ending. */
  readonly path: string;
  readonly name: 'default' | 'loader';
}

export const layoutEndings: readonly string[] = ['.tsx', '.ts', '.jsx', '.js'];

/**
 * Where the layouts stand that the pages of a file are shown in: those of its folder and of the ones above (Next.js), and the routes that it is
 * nested in by its name (Remix, React Router). They say nothing of actions and route handlers, which run without them.
 */
export function layoutsAround(file: string): readonly Around[] {
  const path = file.replace(/\.[cm]?[jt]sx?$/, '');
  if (/(?:^|\/)page$/.test(path))
    return foldersOf(path, '/app/').map(({ dir }): Around => ({ path: `${dir}layout`, name: 'default' }));
  const base = path.replace(/\/route$/, '');
  const found = foldersOf(base, '/routes/').flatMap(({ dir, isRoot }) => [
    `${dir}_layout`,
    `${dir}_layout/route`,
    // `routes/admin.tsx` beside the folder `routes/admin/`.
    ...(isRoot ? [] : [dir.slice(0, -1)]),
  ]);
  if (found.length === 0) return [];
  // `routes/admin.users.tsx` lies in `routes/admin.tsx`; `admin_.users` does not.
  const dir = base.slice(0, base.lastIndexOf('/') + 1);
  const parts = base.slice(dir.length).split('.');
  for (let i = 1; i < parts.length; i++) {
    if (parts[i - 1]!.endsWith('_')) continue;
    const above = `${dir}${parts.slice(0, i).join('.')}`;
    found.push(above, `${above}/route`);
  }
  return found.filter((one) => one !== path && one !== base).map((one): Around => ({ path: one, name: 'loader' }));
}

/** The folders that a path lies in, up to the one that frameworks look for routes in. */
function foldersOf(path: string, root: string): readonly { readonly dir: string; readonly isRoot: boolean }[] {
  const whole = `/${path}`;
  const end = whole.lastIndexOf(root) + root.length - 1;
  if (end < root.length - 1) return [];
  const found: { dir: string; isRoot: boolean }[] = [];
  for (let at = whole.lastIndexOf('/'); at >= end; at = whole.lastIndexOf('/', at - 1))
    found.push({ dir: whole.slice(1, at + 1), isRoot: at === end });
  return found;
}

/** The functions that come back before what a page, or the loader of one, gives is sent. */
export function layoutsOf(id: FunctionId, program: Program): readonly FunctionId[] {
  const f = program.function(id);
  const kind = program.entryOf(id)?.kind;
  if (!f || (kind !== 'next page' && kind !== 'remix loader')) return [];
  const own = f.span.file.replace(/\.[cm]?[jt]sx?$/, '');
  if (kind === 'remix loader' && !exportedBy({ path: own, name: 'loader' }, program).includes(id)) return [];
  return layoutsAround(f.span.file).flatMap((around) => exportedBy(around, program));
}

function exportedBy({ path, name }: Around, program: Program): readonly FunctionId[] {
  const file = layoutEndings.map((e) => `${path}${e}`).find((p) => program.facts(p));
  const found = file === undefined ? undefined : program.exported(file, name);
  if (!found || !('file' in found)) return [];
  const value = program.resolve({ kind: 'binding', file: found.file, name: found.local, path: [] });
  return value.kind === 'function' ? [value.function] : [];
}
