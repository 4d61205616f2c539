import { describe, expect, it } from 'vitest';
import { calledNames, exportedNames, extractTypescript, preScan } from '@tenant-lint/typescript';
import { factsOf, render } from './render.js';

describe('modules', () => {
  it('exports and re-exports', () => {
    const { facts } = factsOf(`
      export const a = 1, { b, c: [d] } = x;
      export function f() {} export class K {} export enum E { A }
      const g = 1; export { g, g as h };
      export { m as n } from './m'; export * from './o'; export * as p from './p';
      export default f;
      export type T = string;
    `);
    expect(facts.exports).toEqual([
      { name: 'a', local: 'a' },
      { name: 'b', local: 'b' },
      { name: 'd', local: 'd' },
      { name: 'K', local: 'K' },
      { name: 'E', local: 'E' },
      { name: 'g', local: 'g' },
      { name: 'h', local: 'g' },
      { name: 'n', module: './m', imported: 'm' },
      { name: '*', module: './o', imported: '*' },
      { name: 'p', module: './p', imported: '*' },
      { name: 'default', local: 'f' },
      { name: 'f', local: 'f' },
    ]);
  });

  it.each([
    ['export default function () { return 1; }', '#f1'],
    ['export default async () => 1', '#f1'],
    ['export default { a: 1 }', '{a: 1}'],
    ['module.exports = { a: 1 }', '{a: 1}'],
  ])('default export: %s', (text, value) => {
    const { facts } = factsOf(text, 'x.js');
    const found = facts.exports.find((e) => e.name === 'default');
    expect(render(found && 'local' in found ? facts.bindings[found.local] : undefined)).toBe(value);
  });

  it('CommonJS names', () => {
    const { facts } = factsOf(
      'exports.a = 1; module.exports.b = f; module.exports = { c, d: 2 }; function f() {}',
      'x.cjs',
    );
    expect(facts.exports.map((e) => e.name)).toEqual(['a', 'b', 'default', 'c', 'd']);
    expect(render(facts.bindings['module.exports.d'])).toBe('2');
  });

  it('a module variable set in a function is what any path leaves in it', () => {
    const { facts } = factsOf(
      'let client; export function get() { if (!client) client = new Client(); return client; }',
    );
    expect(render(facts.bindings['client'])).toBe('<<!(@client): new Client() | undefined> | undefined>');
    expect(render(facts.functions[1]?.returns[0]?.value)).toBe('@client');
  });

  it('the scan without parsing names what the parser finds, but for imports of types only', () => {
    const text = `
      import a, { b } from "./a"; import type { T } from './t';
      import './side';
      export { x } from
        './multi';
      export * from "pkg/sub";
      const c = require('c'); const d = await import(/* chunk */ './d'); const e = import(\`./e\`);
    `;
    const { imports, passed } = preScan(text);
    expect(imports).toEqual([
      { module: './a', names: ['default', 'b'], locals: { default: 'a' } },
      { module: './side' },
      { module: 'c' },
      { module: './d' },
      { module: './e' },
    ]);
    expect(passed).toEqual([{ module: './multi', names: { x: 'x' } }, { module: 'pkg/sub' }]);
    expect(preScan(`import type T from './x'; import { type U, v as w } from './x'`).imports).toEqual([
      { module: './x', names: ['v'], locals: { v: 'w' } },
    ]);
    // The modules of types count where it matters which libraries a project knows.
    expect(preScan(`export type { T } from './x'; import type * as N from './y'`)).toEqual({
      imports: [],
      passed: [],
      modules: new Set(['./x', './y']),
    });
    expect(preScan(`import { /* { */ a } from './x'`).imports).toEqual([{ module: './x' }]);
    expect(preScan(`export * as all from './x'`).passed).toEqual([{ module: './x', names: { all: '*' } }]);
    expect(preScan('const x = 1;')).toEqual({ imports: [], passed: [], modules: new Set() });
  });
});

describe('the scan of exports', () => {
  it('names values and types apart, and gives up where text does not show them', () => {
    const found = exportedNames(
      'export const a = 1; export async function b() {} export default class C {} export type T = 1; export interface I {} const x = 1; export { x as y, type Z }; export type { Q };',
    );
    expect([...(found?.values ?? [])]).toEqual(['a', 'b', 'default', 'y']);
    expect([...(found?.types ?? [])]).toEqual(['T', 'I', 'Q']);
    expect(exportedNames('export const { a } = make();')).toBeUndefined();
    expect(exportedNames('exports.a = 1;')).toBeUndefined();
  });

  it('knows what is called by its bare name', () => {
    expect([...calledNames('a(1); b<T>(2); new C(); d.e(); f;')]).toEqual(['a', 'b', 'C']);
  });
});

describe('suppressions', () => {
  it('are read from comments only', () => {
    const text = `
      // tenant-lint-disable-next-line no-a, no-b -- admin page
      db.use(); // tenant-lint-disable-line
      /* tenant-lint-disable no-c */
      const s = '// tenant-lint-disable no-d';
      const t = \`\n// tenant-lint-disable no-e \${x}\n// tenant-lint-disable no-f\`;
      /* tenant-lint-enable no-c */
      function f() { /* tenant-lint-disable -- empty block */ }
    `;
    const { facts } = factsOf(text);
    expect(facts.directives.map(({ kind, rules, reason }) => [kind, rules, reason])).toEqual([
      ['disable-next-line', ['no-a', 'no-b'], 'admin page'],
      ['disable-line', [], undefined],
      ['disable', ['no-c'], undefined],
      ['enable', ['no-c'], undefined],
      ['disable', [], 'empty block'],
    ]);
    const [first] = facts.directives;
    expect(text.slice(first?.span.start, first?.span.end)).toBe(
      '// tenant-lint-disable-next-line no-a, no-b -- admin page',
    );
  });
});

describe('input of any kind', () => {
  it('empty', () => {
    const { facts } = factsOf('');
    expect(facts).toMatchObject({ chains: [], unchecked: [], lineStarts: [0] });
    expect(facts.functions).toHaveLength(1);
  });

  it('a syntax error costs what it breaks, and is said', () => {
    const { facts, chains } = factsOf('db.a(1);\nfunction ( { \ndb.b(2);');
    expect(chains[0]).toBe('db.a(1)');
    expect(facts.unchecked).toMatchObject([{ reason: 'syntax', span: { file: 'src/file.ts' } }]);
    expect(facts.unchecked[0]?.detail).toMatch(/expected/);
  });

  it('a byte order mark and CRLF shift nothing', () => {
    const text = '\uFEFFconst a = 1;\r\ndb.use(a);\r\n';
    const { facts } = factsOf(text);
    const [chain] = facts.chains;
    expect(text.slice(chain?.span.start, chain?.span.end)).toBe('db.use(a)');
    expect(facts.lineStarts).toEqual([0, 15, 27]);
  });

  it('the hash is that of the text', () => {
    expect(factsOf('a').facts.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(factsOf('a').facts.hash).not.toBe(factsOf('b').facts.hash);
  });

  it('facts are plain JSON', () => {
    const { facts } = factsOf('class A { x = 1 } export const f = (a?: string) => db.use({ a, ...(a && { a }) });');
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    expect(extractTypescript('db.use()', { file: 'a.ts' })).toEqual(extractTypescript('db.use()', { file: 'a.ts' }));
  });

  it.each([
    ['parentheses', `db.a(1);\nx = ${'('.repeat(10_000)}1${')'.repeat(10_000)};\ndb.b(2);`],
    ['calls', `db.a(1);\n${'f('.repeat(10_000)}1${')'.repeat(10_000)};\ndb.b(2);`],
    ['blocks', `db.a(1);\n${'{'.repeat(10_000)}${'}'.repeat(10_000)}\ndb.b(2);`],
    ['arrays', `db.a(1);\nx = ${'['.repeat(10_000)}${']'.repeat(10_000)};\ndb.b(2);`],
    ['arrows', `db.a(1);\nx = ${'() => '.repeat(10_000)}1;\ndb.b(2);`],
    ['conditions', `db.a(1);\nif (a) {} ${'else if (a) {} '.repeat(10_000)}\ndb.b(2);`],
    ['&&', `db.a(1);\nx = ${'a && '.repeat(20_000)}a;\ndb.b(2);`],
  ])('nesting of 10,000 %s ends in facts or in an entry of unchecked', (_, text) => {
    const { facts, chains } = factsOf(text);
    const complete = chains.includes('db.a(1)') && chains.includes('db.b(2)');
    expect(complete || facts.unchecked.some((u) => u.reason === 'too-deep' || u.reason === 'syntax')).toBe(true);
    // What is there is whole.
    for (const chain of facts.chains) expect(chain.steps.length).toBeGreaterThan(0);
  });

  it('long chains and long sums are read', () => {
    const { facts } = factsOf(`x${'.a()'.repeat(5_000)};\nq('a' ${"+ 'b'".repeat(5_000)});`);
    expect(facts.chains[0]?.steps).toHaveLength(5_000);
    expect(facts.unchecked).toEqual([]);
  });

  it.each([
    ['binary', 'a\0b', 'unreadable'],
    ['too large', 'x;\n'.repeat(700_000), 'too-large'],
    ['one long line', `const a = '${'x'.repeat(300_000)}'`, 'too-large'],
  ])('%s', (_, text, reason) => {
    const { facts } = factsOf(text);
    expect(facts.unchecked).toMatchObject([{ reason }]);
    expect(facts.chains).toEqual([]);
  });

  it('big files take time in proportion to their size', () => {
    const time = (count: number): number => {
      const body = Array.from(
        { length: count },
        (_, i) => `if (a.x${i}) { w.p${i} = a.y${i}; l.push(a.z${i}); s += \`$\{a.q${i}}\`; }`,
      );
      const text = `function f(a) { const w = {}; const l = []; let s = 'x'; ${body.join('\n')} db.use(w, l, s); }`;
      const start = performance.now();
      factsOf(text);
      return performance.now() - start;
    };
    time(200);
    const [small, large] = [Math.min(time(500), time(500)), time(4_000)];
    expect(large).toBeLessThan(Math.max(small, 5) * 8 * 8);
  });

  it('every beginning of a file has facts', () => {
    const text = `import { db } from './db';
      @Controller('x') export class A extends B { constructor(private a: T) { super(); this.b = a; } @Get() get({ x, ...r }: P = {}) { return this.a?.b[x]\`q\${r}\`; } }
      export const f = async (o?: { a?: string }) => { for (const x of xs) { if (!x) continue; try { w.a.b = await g(x); } catch { break; } finally { h(); } } switch (o?.a) { case 1: default: return <A {...o} b={c()} />; } };
      label: while (a) { ({ a, b: [c = 1] } = d); a ??= b || (c && e()); break label; } export default f; enum E { A = 1, B } namespace N { export const x = 1; }`;
    for (let end = 0; end <= text.length; end += 3) {
      const { facts } = factsOf(text.slice(0, end), 'x.tsx');
      for (const chain of facts.chains) expect(chain.steps.length, text.slice(0, end)).toBeGreaterThan(0);
      expect(facts.unchecked.length).toBeLessThan(2);
    }
  });

  it('names of Object.prototype are names like any other', () => {
    const { facts, chains } = factsOf(
      'const constructor = 1; function toString(hasOwnProperty) { db.use(hasOwnProperty, constructor, __proto__); }',
    );
    expect(chains).toEqual(['db.use($0, @constructor, __proto__)']);
    expect(render(facts.bindings['toString'])).toBe('#f1');
  });
});
