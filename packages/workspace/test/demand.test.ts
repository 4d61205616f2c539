import { describe, expect, it } from 'vitest';
import { calledNames, exportedNames, preScan } from '@tenant-lint/typescript';
import { filesInDemand, type Scanned } from '../src/demand.js';
import { clientOf } from '../src/vocabulary.js';

/** A file as the pipeline scans it. */
const file = (name: string, text: string, what: Partial<Scanned> = {}): Scanned => {
  const found = preScan(text);
  return {
    file: name,
    relevant: false,
    request: false,
    suppresses: false,
    ...clientOf(text, found.imports),
    ...found,
    exported: () => exportedNames(text),
    called: () => calledNames(text),
    ...what,
  };
};

const demand = (files: readonly Scanned[], steps: number): readonly string[] =>
  [...filesInDemand(files, { packages: [], compilers: [], files: new Set(files.map((f) => f.file)) }, steps)].sort();

describe('files in demand', () => {
  const data = file('src/data.ts', 'export const load = 1; export type Row = 2', { relevant: true });
  const names = ['src/data.ts', 'src/index.ts'];

  it('are those that hold data vocabulary and what imports them, so many steps up', () => {
    const files = [
      data,
      file('src/service.ts', `import { load } from './data'; export const serve = load`),
      file('src/route.ts', `import { serve } from './service'; export const GET = serve`),
      file('src/far.ts', `import { GET } from './route'`),
    ];
    expect(demand(files, 1)).toEqual(['src/data.ts', 'src/service.ts']);
    expect(demand(files, 2)).toEqual(['src/data.ts', 'src/route.ts', 'src/service.ts']);
  });

  it('pass through an index without counting it as a step, to those that import the name', () => {
    const files = [
      data,
      file('src/format.ts', 'export const format = 1'),
      file('src/index.ts', `export * from './data'; export { format as print } from './format'`),
      file('src/route.ts', `import { load } from './index'`),
      file('src/page.ts', `import { print } from './index'`),
      file('src/types.ts', `import { Row } from './index'`),
      file('src/all.ts', `import * as everything from './index'`),
    ];
    expect(demand(files, 1)).toEqual(['src/all.ts', ...names, 'src/route.ts']);
  });

  it('take in every file behind an index where the name does not show', () => {
    const files = [
      file('src/data.ts', 'export const { load } = make()', { relevant: true }),
      file('src/index.ts', `export * from './data'; export * from './format'`),
      file('src/format.ts', 'export const format = 1'),
      file('src/route.ts', `import { load } from './index'`),
    ];
    expect(demand(files, 1)).toEqual([...names, 'src/route.ts']);
  });

  it('end where an index leads in a circle', () => {
    const files = [
      data,
      file('src/index.ts', `export * from './other'; export * from './data'`),
      file('src/other.ts', `export * from './index'`),
      file('src/route.ts', `import { load } from './other'`),
    ];
    expect(demand(files, 1)).toEqual(['src/data.ts', 'src/index.ts', 'src/other.ts', 'src/route.ts']);
  });

  it('leave out browser code that imports a server module', () => {
    const widget = (text: string): readonly string[] =>
      demand([data, file('src/widget.tsx', `${text}\nimport { load } from './data'`)], 2);
    expect(widget(`'use client'`)).toEqual(['src/data.ts']);
    expect(widget(`import { useState } from 'react'`)).toEqual(['src/data.ts']);
    expect(widget(`import { cache } from 'react'`)).toEqual(['src/data.ts', 'src/widget.tsx']);
    expect(widget(`import { useState } from 'react'; export async function loader() {}`)).toEqual([
      'src/data.ts',
      'src/widget.tsx',
    ]);
  });

  it('leave out browser code that looks like data code', () => {
    const text = (hook: string): string => `import { useCart } from './cart'; ${hook}; cart.delete(id)`;
    const files = (hook: string): readonly Scanned[] => [
      file('src/cart.ts', `import { useState } from 'react'; export function useCart() {}`),
      file('src/widget.tsx', text(hook), { relevant: true }),
    ];
    expect(demand(files('useCart()'), 0)).toEqual([]);
    expect(demand(files(`'use server'`), 0)).toContain('src/widget.tsx');
  });

  it('take in what a selected file calls, two steps down, and nothing else that it imports', () => {
    const files = [
      file(
        'src/route.ts',
        `import { own, label as text, print } from './guard'; own(id); db.find(text(1)); log(print)`,
        {
          relevant: true,
        },
      ),
      file('src/guard.ts', `export { label } from './label'; export { print } from './print'; export const own = 1`),
      file('src/label.ts', `import { deep } from './deep'; export const label = deep()`),
      file('src/print.ts', 'export const print = 1'),
      file('src/deep.ts', `import { deeper } from './deeper'; export const deep = () => deeper()`),
      file('src/deeper.ts', 'export const deeper = () => 1'),
    ];
    expect(demand(files, 0)).toEqual(['src/deep.ts', 'src/guard.ts', 'src/label.ts', 'src/route.ts']);
  });

  it('take in what a selected file hands the request to, two steps down, and nothing else that it imports', () => {
    const files = [
      file('src/route.ts', `import { wrap } from './wrap'; import './format'`, { relevant: true }),
      file('src/wrap.ts', `import { verify } from './verify'`, { request: true }),
      file('src/verify.ts', `import { deeper } from './deeper'`, { request: true }),
      file('src/deeper.ts', '', { request: true }),
      file('src/format.ts', ''),
    ];
    expect(demand(files, 0)).toEqual(['src/route.ts', 'src/verify.ts', 'src/wrap.ts']);
  });

  it('keep a file with a suppression, whatever it is', () => {
    expect(demand([file('src/widget.tsx', `'use client'`, { suppresses: true })], 0)).toEqual(['src/widget.tsx']);
  });

  it('knows the directive of browser code behind comments, and no mention of it elsewhere', () => {
    expect(clientOf(`// widget\n/* a */\n'use client';\nexport {}`, []).client).toBe(true);
    expect(clientOf(`const x = 'use client';`, []).client).toBe(false);
  });
});
