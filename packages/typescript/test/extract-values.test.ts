import { describe, expect, it } from 'vitest';
import { factsOf, render } from './render.js';

/** The argument of the only call of `use` in a function with the given parameters and body. */
const used = (body: string, parameters = 'a, b, c'): string =>
  factsOf(`export function f(${parameters}) { ${body} }`).argument('use');

describe('values of expressions', () => {
  it.each([
    ['db.use(1)', '1'],
    ["db.use('x')", '"x"'],
    ['db.use(-3)', '-3'],
    ['db.use(null)', 'null'],
    ['db.use(undefined)', 'undefined'],
    ['db.use(a)', '$0'],
    ['db.use(a.b.c)', '$0.b.c'],
    ["db.use(a['b'][0])", '$0.b.0'],
    ['db.use(a[b])', '$0.*'],
    ['db.use(a?.b)', '?$0.b'],
    ['db.use(a?.b.c)', '?$0.b.c'],
    ['db.use(a?.b!)', '$0.b'],
    ['db.use((a as any).b satisfies T)', '$0.b'],
    ['db.use({ a, b: c, ...b, [c]: 1 })', '{a: $0, b: $2, ...$1, [$2]: 1}'],
    ['db.use([a, ...b, , 1])', '[$0, ...$1, undefined, 1]'],
    ['db.use(a ? b : c)', '<$0: $1 | $2>'],
    ['db.use(a && b)', '($0 && $1)'],
    ['db.use(a ?? b ?? c)', '(($0 ?? $1) ?? $2)'],
    ['db.use(a === b)', '($0 === $1)'],
    ['db.use(!a)', '!($0)'],
    ['db.use(typeof a)', 'typeof($0)'],
    ['db.use(a + b)', '($0 + $1)'],
    ["db.use('x' + a + 'y')", '`x${$0}y`'],
    ['db.use(`x${a}y${b}`)', '`x${$0}y${$1}`'],
    ['db.use(`x`)', '`x`'],
    ['db.use(new Date(a))', 'new Date($0)'],
    ['db.use(process.env.URL)', 'process.env.URL'],
    ['db.use(import.meta.env.URL)', 'import.meta.env.URL'],
    ['db.use(load(a))', '#c1'],
    ['db.use((await load(a)).id)', '#c1.id'],
    ['db.use(...a)', '...($0)'],
    ['db.use(() => a)', '#f2'],
    ['db.use(/x/g)', 'regexp("/x/g")'],
    ['db.use(<any>a)', '$0'],
    ['db.use((b, a))', '$0'],
  ])('%s', (body, value) => expect(used(body)).toBe(value));

  it('JSX is walked for the calls in it', () => {
    const { chains } = factsOf(
      'export const P = () => <A b={load(1)} {...more(2)}>{rows.map((r) => r.id)}</A>;',
      'p.tsx',
    );
    expect(chains).toEqual(['load(1)', 'more(2)', 'rows.map(#f2)']);
  });

  it('text knows where its parts are, and whether they stand in the file as they are', () => {
    const text = 'q(`SELECT\\n ${id} FROM t`); q("a b c d e f" + x + "\\u0041");';
    const [first, second] = factsOf(text).facts.chains.map((c) => c.steps[0]?.arguments?.[0]);
    if (first?.kind !== 'text' || second?.kind !== 'text') throw new Error('not text');
    expect(first.parts).toMatchObject([
      { text: 'SELECT\n ', start: text.indexOf('SELECT'), exact: false },
      { hole: { kind: 'global', name: 'id' }, span: { start: text.indexOf('id}'), end: text.indexOf('}') } },
      { text: ' FROM t', start: text.indexOf(' FROM'), exact: true },
    ]);
    expect(second.parts).toMatchObject([
      { text: 'a b c d e f', start: text.indexOf('a b'), exact: true },
      { hole: { name: 'x' } },
      { text: 'A', start: text.indexOf('\\u0041'), exact: false },
    ]);
  });

  it('a long string keeps its place, quotes included', () => {
    const text = "q('select * from t')";
    const value = factsOf(text).facts.chains[0]?.steps[0]?.arguments?.[0];
    expect(value).toEqual({
      kind: 'constant',
      value: 'select * from t',
      span: { file: 'src/file.ts', start: 2, end: 19 },
    });
  });
});

describe('names', () => {
  it('imports, module bindings, constants of the function and globals are told apart', () => {
    const { facts, chains } = factsOf(`
      import d, { x as y, type T } from 'm';
      import * as ns from 'n';
      const limit = 10;
      export const f = (p) => { const local = p.id; db.use(d, y, ns.z.w, limit, local, unseen); };
    `);
    expect(chains).toEqual(['db.use(m:default, m:x, n:z.w, @limit, $0.id, unseen)']);
    expect(render(facts.bindings['limit'])).toBe('10');
    expect(facts.imports).toEqual([
      { module: 'm', name: 'default', local: 'd', typeOnly: false },
      { module: 'm', name: 'x', local: 'y', typeOnly: false },
      { module: 'm', name: 'T', local: 'T', typeOnly: true },
      { module: 'n', name: '*', local: 'ns', typeOnly: false },
    ]);
  });

  it('a parameter hides an import of the same name', () => {
    expect(factsOf(`import { db } from './db'; export const f = (db) => db.use(1);`).chains).toEqual(['$0.use(1)']);
  });

  it.each([
    ['const { x } = a; db.use(x)', '$0.x'],
    ['const { x: { y } } = a; db.use(y)', '$0.x.y'],
    ['const { x = 5 } = a; db.use(x)', '$0.x'],
    ['const { x = 5 } = {}; db.use(x)', '5'],
    ['const [x, , y] = a; db.use({ x, y })', '{x: $0.0, y: $0.2}'],
    ['const { x, ...rest } = a; db.use(rest)', '{...$0, x: undefined}'],
    ['const { [b]: x } = a; db.use(x)', '$0.*'],
    ['let x; ({ x } = a); db.use(x)', '$0.x'],
    ['let x; [x] = [b]; db.use(x)', '$1'],
    ['const [x, y] = await Promise.all([load(a), load(b)]); db.use({ x, y })', '{x: #c1, y: #c2}'],
    ['for (const x of a) db.use(x.id)', '$0.*.id'],
  ])('destructuring: %s', (body, value) => expect(used(body)).toBe(value));

  it('parameters are taken apart with defaults and rest', () => {
    expect(used('db.use(x, y, rest)', '{ x, n: { y = 1 } }, ...rest')).toBe('$0.x');
    expect(factsOf('function f({ x, n: { y = 1 } }, [z], ...rest) { db.use(x, y, z, rest); }').chains).toEqual([
      'db.use($0.x, $0.n.y, $1.0, $2)',
    ]);
  });

  it('an enum and an `as const` object are constants', () => {
    const { chains } = factsOf(`
      enum Role { Admin = 'ADMIN', Member = 'MEMBER' }
      enum Level { Low, High = 5, Higher }
      const kinds = { one: 1, two: 'b' } as const;
      const loose = { one: 1 };
      function f() { db.use(Role.Admin, Level.Low, Level.Higher, kinds.two, loose.one); }
    `);
    expect(chains).toEqual(['db.use("ADMIN", 0, 6, "b", @loose.one)']);
  });

  it('require and import() are imports', () => {
    const { chains, facts } = factsOf(
      `
      const { a } = require('m');
      const n = require('n');
      async function f() { const { b } = await import('o'); db.use(a, n.x, b, require('p').y); }
    `,
      'x.js',
    );
    expect(chains).toEqual(['db.use(m:a, n:x, o:b, p:y)']);
    expect([...new Set(facts.imports.map((i) => i.module))]).toEqual(['m', 'n', 'o', 'p']);
    expect(facts.imports.filter((i) => i.local !== '').map((i) => `${i.module}:${i.name} ${i.local}`)).toEqual([
      'm:a a',
      'n:* n',
    ]);
  });

  it('what createRequire makes is require, under any name', () => {
    const { chains } = factsOf(`
      import { createRequire } from 'node:module';
      import * as module from 'module';
      const require = createRequire(import.meta.url);
      const load = module.createRequire(import.meta.url);
      const { a } = require('m');
      function f() { db.use(a, load('n').x, createRequire(import.meta.url)('p').y, other('q')); }
    `);
    expect(chains.find((c) => c.startsWith('db.use'))).toMatch(/^db\.use\(m:a, n:x, p:y, /);
  });

  it('a conversion of the same is the same', () => {
    const { chains } = factsOf(`
      function f(req) { db.use(Number(req.id), Number(req.id), String(req.id), Number(req.other), Number(g()), Number(g())); }
    `);
    const [, first, second, text, other, one, two] = /use\((.*?), (.*?), (.*?), (.*?), (.*?), (.*?)\)$/.exec(
      chains.find((c) => c.startsWith('db.use'))!,
    )!;
    expect(second).toBe(first);
    expect(new Set([first, text, other, one, two]).size).toBe(5);
  });
});

describe('variables that change', () => {
  it.each([
    ['the last assignment wins', 'let x = 1; x = 2; db.use(x)', '2'],
    ['an assignment on one path', 'let x = 1; if (a) x = 2; db.use(x)', '<$0: 2 | 1>'],
    ['assignments on both paths', 'let x; if (a) x = 1; else x = 2; db.use(x)', '<$0: 1 | 2>'],
    ['a path that leaves does not count', 'let x = 1; if (a) { x = 2; return; } db.use(x)', '1'],
    ['a property set later', 'const w = { a: 1 }; w.b = b; db.use(w)', '{a: 1, b: $1}'],
    ['a property set on one path', 'const w = {}; if (a) w.a = a; db.use(w)', '{~a: $0}'],
    ['a property set on both paths', 'const w = {}; if (a) w.a = 1; else w.a = 2; db.use(w)', '{a: <$0: 1 | 2>}'],
    ['a property of a property', 'const w = { n: { a: 1 } }; w.n.b = 2; db.use(w)', '{n: {a: 1}, n: {a: 1, b: 2}}'],
    ['a computed property', 'const w = {}; w[a] = 1; db.use(w)', '{[unknown(computed)]: 1}'],
    ['pushes', 'const l = [a]; l.push(b); if (c) l.push(c); db.use(l)', '[$0, $1, ~$2]'],
    ['a push into a property', 'const w = { AND: [] }; if (a) w.AND.push(b); db.use(w.AND)', '<$0: [$1] | []>'],
    ['Object.assign', 'const w = { a: 1 }; Object.assign(w, b); db.use(w)', '{a: 1, ...$1}'],
    ['a property of a parameter', 'a.user = b; db.use(a.user)', '$1'],
    ['another property of it stays itself', 'a.user = b; db.use(a.id)', '$0.id'],
    ['the whole of it carries the property', 'a.user = b; db.use(a)', '{...$0, user: $1}'],
    [
      'text that grows',
      "let s = 'select 1'; if (a) s += ' where ' + b; db.use(s)",
      '`select 1${<$0: ` where ${$1}` | "">}`',
    ],
    ['??=', 'let x = a; x ??= b; db.use(x)', '($0 ?? $1)'],
    ['a loop', 'let x = 1; for (const y of a) { x = y; } db.use(x)', '<$0.* | <1 | unknown(changes in a loop)>>'],
    [
      'a loop that reads what it writes',
      'let x; while (a) { db.use(x); x = b; }',
      '<undefined | unknown(changes in a loop)>',
    ],
    [
      'a break carries its value out',
      'let x = 1; while (a) { if (b) { x = 2; break; } } db.use(x)',
      '<<1 | unknown(changes in a loop)> | 2>',
    ],
    ['a callback may run', 'const l = []; a.forEach((y) => l.push(y)); db.use(l)', '[~$0]'],
    [
      'switch',
      "let x = 0; switch (a) { case 'p': x = 1; break; case 'q': x = 2; break; default: return; } db.use(x)",
      '<1 | 2>',
    ],
    ['try', 'let x = 1; try { x = load(a); } catch { x = 3; } db.use(x)', '<#c0 | 3>'],
    ['catch that leaves', 'let x; try { x = load(a); } catch (e) { throw e; } db.use(x)', '#c0'],
    ['var in a block', 'if (a) { var x = 1; } db.use(x)', '<$0: 1 | unknown(used before its declaration was read)>'],
  ])('%s', (_, body, value) => expect(used(body)).toBe(value));

  it.each([
    ['if (a) where.id = b;', '$0'],
    ['if (!a) {} else where.id = b;', '$0'],
    ['if (a) { if (c) where.id = b; }', undefined],
    ['for (const y of a) where.id = b;', undefined],
  ])('what decides about an entry: %s', (statement, test) => {
    const { facts } = factsOf(`export function f(a, b, c) { const where = {}; ${statement} db.use(where); }`);
    const value = facts.chains.at(-1)?.steps[0]?.arguments?.[0];
    const entry = value?.kind === 'object' ? value.entries[0] : undefined;
    expect(entry).toMatchObject({ set: 'id', maybe: true });
    expect(entry?.test && render(entry.test)).toBe(test);
  });

  it('a builder that is extended on one path', () => {
    const { chains } = factsOf('function f(q) { let s = db.select(); if (q) s = s.where(q); return s.limit(1); }');
    expect(chains).toEqual(['db.select()', '#c0.where($0)', '<$0: #c1 | #c0>.limit(1)']);
  });

  it('a nested function declared below sees the variables above it', () => {
    expect(factsOf('function f(a) { const id = a.id; run(); function run() { db.use(id); } }').argument('use')).toBe(
      '$0.id',
    );
  });
});

describe('values that may be missing', () => {
  const optional = 'orgId?: string';
  it.each([
    ['an optional parameter', optional, 'db.use(orgId)', '?$0'],
    ['| undefined', 'orgId: string | undefined', 'db.use(orgId)', '?$0'],
    ['a default makes it present', "orgId: string | undefined = 'x'", 'db.use(orgId)', '$0'],
    ['a plain parameter', 'orgId: string', 'db.use(orgId)', '$0'],
    [
      'an optional property',
      'o: { orgId?: string; id: string }',
      'db.use({ o: o.orgId, i: o.id })',
      '{o: ?$0.orgId, i: $0.id}',
    ],
    [
      'a destructured optional property',
      '{ orgId, id }: { orgId?: string; id: string }',
      'db.use({ orgId, id })',
      '{orgId: ?$0.orgId, id: $0.id}',
    ],
    ['with a default', "{ orgId = 'x' }: { orgId?: string }", 'db.use(orgId)', '$0.orgId'],
    ['Partial', 'o: Partial<{ orgId: string }>', 'db.use(o.orgId)', '?$0.orgId'],
    ['non-null', optional, 'db.use(orgId!)', '$0'],
    ['after a check', optional, 'if (!orgId) throw new Error(); db.use(orgId)', '$0'],
    ['within a check', optional, 'if (orgId) db.use(orgId)', '$0'],
    ['in the other branch', optional, 'if (orgId) return; db.use(orgId)', '?$0'],
    ['!== undefined', optional, 'if (orgId !== undefined) db.use(orgId)', '$0'],
    ['=== undefined and out', optional, 'if (orgId === undefined) return; db.use(orgId)', '$0'],
    ['!= null', optional, 'if (orgId != null) db.use(orgId)', '$0'],
    ['!== null says nothing about undefined', optional, 'if (orgId !== null) db.use(orgId)', '?$0'],
    ['typeof', optional, "if (typeof orgId !== 'string') return; db.use(orgId)", '$0'],
    ['&&', optional, 'if (orgId && other) db.use(orgId)', '$0'],
    ['|| in an early exit', optional, 'if (!orgId || other) return; db.use(orgId)', '$0'],
    ['|| alone', optional, 'if (orgId || other) db.use(orgId)', '?$0'],
    ['a ternary', optional, 'db.use(orgId ? { orgId } : {})', '<?$0: {orgId: $0} | {}>'],
    ['a short circuit', optional, 'db.use({ ...(orgId && { orgId }) })', '{...(?$0 && {orgId: $0})}'],
    [
      'a condition built before the check',
      optional,
      'const where = { orgId }; if (!orgId) throw new Error(); db.use(where)',
      '{orgId: $0}',
    ],
    ['after the branch it is forgotten', optional, 'if (orgId) log(1); db.use(orgId)', '?$0'],
    ['a loop that skips', optional, 'for (const x of xs) { if (!orgId) continue; db.use(orgId); }', '$0'],
    ['a call that never returns', optional, 'if (!orgId) process.exit(1); db.use(orgId)', '$0'],
    ['?. after a check of the same', 's: any', 'if (!s?.user?.orgId) return; db.use(s?.user?.orgId)', '$0.user.orgId'],
    ['?. after a check of what is before it', 's: any', 'if (!s.user) return; db.use(s.user?.orgId)', '$0.user.orgId'],
    [
      'a check within a callback does not reach outside',
      optional,
      'xs.map(() => { if (!orgId) return; }); db.use(orgId)',
      '?$0',
    ],
    [
      'what a property is read from is there, or reading it throws',
      'u: { orgId: string } | undefined',
      'db.use({ o: u.orgId, u })',
      '{o: $0.orgId, u: ?$0}',
    ],
    [
      'a property of a checked value that is optional itself',
      'u: { orgId?: string } | undefined',
      'if (!u) return; db.use(u.orgId)',
      '?$0.orgId',
    ],
    [
      'a pattern takes apart what is there',
      'u: { orgId: string } | null | undefined',
      'if (!u) throw 1; const { orgId } = u; db.use(orgId)',
      '$0.orgId',
    ],
    ['?. reaches to the end of its chain', 's: any', 'db.use(s?.user.orgId)', '?$0.user.orgId'],
    [
      'a variable that was read with ?.',
      's: any',
      'const u = s?.user; db.use({ a: u.id, b: u?.id })',
      '{a: $0.user.id, b: ?$0.user.id}',
    ],
    [
      'a variable that was read with ?. and checked, in a closure',
      's: any',
      'const id = s?.user?.orgId; if (!id) throw 1; const load = () => db.use(id); function other() { return load(); }',
      '$0.user.orgId',
    ],
    [
      'a closure made before the check',
      's: any',
      'const id = s?.orgId; const load = () => db.use(id); if (!id) throw 1',
      '?$0.orgId',
    ],
    [
      'a literal in place of what is missing',
      's: any',
      'const { orgId } = s?.user ?? {}; db.use(orgId)',
      '?$0.user.orgId',
    ],
    [
      'a literal with the property in place of what is missing',
      's: any',
      "const { orgId } = s ?? { orgId: 'x' }; db.use(orgId)",
      '<$0: $0.orgId | "x">',
    ],
    ['a default set where it is missing', optional, "if (!orgId) orgId = 'x'; db.use(orgId)", '<!(?$0): "x" | $0>'],
    [
      'another value set where it is not asked for',
      optional,
      "if (other) orgId = 'x'; db.use(orgId)",
      '<other: "x" | ?$0>',
    ],
    [
      'one of several values, checked',
      's: any, t: any',
      'let id; if (t) id = s.orgId; if (!id) return; db.use(id)',
      '$0.orgId',
    ],
    [
      'one of several values, checked on another path',
      's: any, t: any',
      'let id; if (t) id = s.orgId; if (!id) log(1); db.use(id)',
      '<$1: $0.orgId | undefined>',
    ],
    [
      'one of several values, checked and then changed',
      's: any, t: any',
      'let id; if (t) id = s.orgId; if (!id) return; if (s.out) id = undefined; db.use(id)',
      '<$0.out: undefined | $0.orgId>',
    ],
    [
      'a conditional value, checked',
      's: any',
      'const id = s ? s.orgId : null; if (id == null) return; db.use(id)',
      '$0.orgId',
    ],
    ['a value behind &&, checked', 's: any', 'const id = s && s.orgId; if (!id) return; db.use(id)', '$0.orgId'],
    ['a value behind &&', 's: any', 'const id = s && s.orgId; db.use(id)', '($0 && $0.orgId)'],
    ['a test that is decided already', optional, 'if (!orgId) return; db.use(orgId ? { orgId } : {})', '{orgId: $0}'],
    [
      'a test for undefined that is decided already',
      optional,
      'if (!orgId) return; db.use(orgId === undefined ? {} : { orgId })',
      '{orgId: $0}',
    ],
    [
      'a test that a check for undefined does not decide',
      optional,
      'if (orgId === undefined) return; db.use(orgId ? { orgId } : {})',
      '<$0: {orgId: $0} | {}>',
    ],
    ['a check reaches into a callback', optional, 'if (!orgId) return; xs.map(() => db.use(orgId))', '$0'],
    ['a try block that fails leaves it open', optional, 'try { if (!orgId) throw 1; } catch {} db.use(orgId)', '?$0'],
  ])('%s', (_, parameters, body, value) => expect(used(body, parameters)).toBe(value));

  it.each([
    ['interface', 'interface O { orgId?: string }'],
    ['type alias', 'type O = { orgId?: string }'],
    ['Pick', "type P = { orgId?: string; x: 1 }; type O = Pick<P, 'orgId'>"],
    ['an interface that extends', 'interface B { orgId?: string } interface O extends B { x: 1 }'],
    ['an intersection', 'type B = { orgId?: string }; type O = B & { x: 1 }'],
  ])('a property that is optional by an %s of the file', (_, declaration) => {
    expect(factsOf(`${declaration}\nfunction f(o: O) { db.use(o.orgId); }`).argument('use')).toBe('?$0.orgId');
  });

  it('redirect and notFound of next/navigation end the path; functions of the same name do not', () => {
    const body = 'export function f(orgId?: string) { if (!orgId) notFound(); db.use(orgId); }';
    expect(factsOf(`import { notFound } from 'next/navigation'; ${body}`).argument('use')).toBe('$0');
    expect(factsOf(`import { notFound } from './mine'; ${body}`).argument('use')).toBe('?$0');
    expect(factsOf(`${body} function notFound(): never { throw new Error(); }`).argument('use')).toBe('$0');
    expect(factsOf(`${body} function notFound() { throw new Error(); }`).argument('use')).toBe('$0');
    expect(factsOf(`${body} function notFound() { if (x) return; throw new Error(); }`).argument('use')).toBe('?$0');
  });

  it.each([
    ['assert of Node', "import assert from 'node:assert';", 'assert(orgId)', '$0'],
    ['assert.ok', "import assert from 'node:assert';", 'assert.ok(orgId)', '$0'],
    ['another function of assert', "import assert from 'node:assert';", 'assert.equal(orgId)', '?$0'],
    ['a function named assert', "import assert from './assert';", 'assert(orgId)', '?$0'],
    ['asserts', 'function must(x: unknown): asserts x {}', 'must(orgId)', '$0'],
    ['asserts ... is', 'function must(a: any, x: unknown): asserts x is string {}', 'must(1, orgId)', '$0'],
    ['a function that asserts nothing', 'function must(x: unknown) {}', 'must(orgId)', '?$0'],
  ])('assertions: %s', (_, head, call, value) => {
    expect(factsOf(`${head} export function f(orgId?: string) { ${call}; db.use(orgId); }`).argument('use')).toBe(
      value,
    );
  });

  it('an accessor is not the function behind it', () => {
    expect(used('db.use({ get x() { return 1; }, m() {} })')).toBe('{x: unknown(accessor), m: #f3}');
  });
});
