import { describe, expect, it } from 'vitest';
import { clientDirective, filesInDemand, type Scanned } from '../src/demand.js';

const file = (name: string, imports: readonly string[], what: Partial<Scanned> = {}): Scanned => ({
  file: name,
  imports,
  relevant: false,
  request: false,
  client: false,
  ...what,
});

const demand = (files: readonly Scanned[], steps: number): readonly string[] =>
  [...filesInDemand(files, { packages: [], compilers: [], files: new Set(files.map((f) => f.file)) }, steps)].sort();

describe('files in demand', () => {
  const data = file('src/data.ts', [], { relevant: true });

  it('are those that hold data vocabulary and what imports them, so many steps up', () => {
    const files = [
      data,
      file('src/service.ts', ['./data']),
      file('src/route.ts', ['./service']),
      file('src/far.ts', ['./route']),
    ];
    expect(demand(files, 1)).toEqual(['src/data.ts', 'src/service.ts']);
    expect(demand(files, 2)).toEqual(['src/data.ts', 'src/route.ts', 'src/service.ts']);
  });

  it('pass through an index without counting it as a step', () => {
    const files = [data, file('src/index.ts', ['./data']), file('src/route.ts', ['./index'])];
    expect(demand(files, 1)).toEqual(['src/data.ts', 'src/index.ts', 'src/route.ts']);
  });

  it('leave out browser code that imports a server module', () => {
    expect(demand([data, file('src/widget.tsx', ['./data'], { client: true })], 2)).toEqual(['src/data.ts']);
  });

  it('take in what a selected file hands the request to, two steps down, and nothing else that it imports', () => {
    const files = [
      file('src/route.ts', ['./wrap', './format'], { relevant: true }),
      file('src/wrap.ts', ['./verify'], { request: true }),
      file('src/verify.ts', ['./deeper'], { request: true }),
      file('src/deeper.ts', [], { request: true }),
      file('src/format.ts', []),
    ];
    expect(demand(files, 0)).toEqual(['src/route.ts', 'src/verify.ts', 'src/wrap.ts']);
  });

  it('knows the directive of browser code behind comments, and no mention of it elsewhere', () => {
    expect(clientDirective.test(`// widget\n/* a */\n'use client';\nexport {}`)).toBe(true);
    expect(clientDirective.test(`const x = 'use client';`)).toBe(false);
  });
});
