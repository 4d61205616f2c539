import { describe, expect, it } from 'vitest';
import { factsOf, render, renderChain } from './render.js';

describe('call chains', () => {
  it('a chain is receiver and steps; the id is its index', () => {
    const { facts, chains } = factsOf(
      `import { db } from './db';\nawait db.select().from(users).where(eq(users.id, 1));`,
    );
    expect(chains).toEqual(['./db:db.select().from(users).where(#c1)', 'eq(users.id, 1)']);
    expect(facts.chains.map((c) => c.id)).toEqual(['src/file.ts#c0', 'src/file.ts#c1']);
    expect(facts.chains.map((c) => [c.use, c.awaited])).toEqual([
      ['discarded', true],
      ['argument', false],
    ]);
  });

  it('a chain that goes on through a variable has the result as receiver', () => {
    const { chains } = factsOf('function f() { const q = db.select(); const r = q.from(t); return r; }');
    expect(chains).toEqual(['db.select()', '#c0.from(t)']);
  });

  it('await in parentheses ends a chain', () => {
    const { facts, chains } = factsOf('async function f() { return (await db.find()).map(g); }');
    expect(chains).toEqual(['#c1.map(g)', 'db.find()']);
    expect(facts.chains.map((c) => [c.use, c.awaited])).toEqual([
      ['returned', false],
      ['receiver', true],
    ]);
  });

  it.each([
    ['discarded', 'db.x();'],
    ['assigned', 'const a = db.x();'],
    ['assigned', 'let a; a = db.x();'],
    ['returned', 'return db.x();'],
    ['returned', 'return a ? db.x() : 1;'],
    ['argument', 'g(db.x());'],
    ['argument', 'await Promise.all([db.x()]);'],
    ['other', 'if (db.x()) {}'],
    ['other', 'return { a: db.x() };'],
    ['other', 'const a = db.x().length;'],
    ['discarded', 'a && db.x();'],
    ['discarded', 'void db.x();'],
  ])('use %s: %s', (use, body) => {
    const { facts } = factsOf(`async function f(a) { ${body} }`);
    expect(facts.chains.find((c) => renderChain(c) === 'db.x()')?.use).toBe(use);
  });

  it('an arrow without braces returns', () => {
    expect(factsOf('const f = () => db.x();').facts.chains[0]?.use).toBe('returned');
  });

  it('what Promise.all waits for is awaited', () => {
    expect(factsOf('await Promise.all([db.x(), db.y()]);').facts.chains.map((c) => c.awaited)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('a tagged template is a step with the text', () => {
    const { facts, chains } = factsOf('prisma.$queryRaw<Row[]>`SELECT ${id}`; sql`x`;');
    expect(chains).toEqual(['prisma.$queryRaw`SELECT ${id}`', 'sql`x`']);
    expect(facts.chains[0]?.steps[0]).toMatchObject({ template: true, types: ['Row[]'] });
  });

  it('optional steps are marked, and the result may be missing', () => {
    const { facts, chains } = factsOf('function f(s) { const u = s?.user.load(); return u; }');
    expect(chains).toEqual(['$0?.user.load()']);
    expect(render(facts.functions[1]?.returns[0]?.value)).toBe('?#c0');
  });

  it('spans: from the receiver to the last step; a step from its name', () => {
    const text = '/* a */ db\n  .x(1)\n  .y;';
    const {
      chains: [chain],
    } = factsOf(text).facts;
    expect(text.slice(chain?.span.start, chain?.span.end)).toBe('db\n  .x(1)');
    expect(text.slice(chain?.steps[0]?.span.start, chain?.steps[0]?.span.end)).toBe('x(1)');
    const direct = 'load (1)';
    const step = factsOf(direct).facts.chains[0]?.steps[0];
    expect(direct.slice(step?.span.start, step?.span.end)).toBe('(1)');
  });

  it('this, super and fields of a class', () => {
    const { facts, chains } = factsOf(`
      class A extends Base {
        private readonly limit = 5;
        constructor(private readonly db: Db, @Inject('x') other) { super(db); this.other = other; }
        find() { super.find(); return [1].map(() => this.db.user.findMany({ take: this.limit })); }
        static make() { return new A(1); }
      }
    `);
    expect(chains).toEqual([
      'this<A>.super($0)',
      'this<A>.super.find()',
      '[1].map(#f3)',
      'this<A>.db.user.findMany({take: this<A>.limit})',
    ]);
    const [made] = facts.classes;
    expect(render(made?.extends)).toBe('Base');
    expect(Object.keys(made?.fields ?? {})).toEqual(['limit', 'db', 'other']);
    expect(made?.fields['db']).toMatchObject({ type: { text: 'Db', name: { kind: 'global', name: 'Db' } } });
    expect(render(made?.fields['other']?.value)).toBe('$1');
    expect(Object.keys(made?.methods ?? {})).toEqual(['find', 'make']);
    expect(facts.functions.find((f) => f.id === made?.construct)?.parameters[1]?.decorators).toMatchObject([
      { arguments: [{ value: 'x' }] },
    ]);
  });
});

describe('control flow', () => {
  it.each([
    ['nothing', 'db.use()', []],
    ['if', 'if (a) db.use()', ['$0']],
    ['else', 'if (a) {} else db.use()', ['!($0)']],
    ['after an early exit', 'if (!a) return; db.use()', ['$0']],
    ['after an early exit with else', 'if (!a) throw 1; else log(1); db.use()', ['$0', '$0']],
    ['after if whose else leaves', 'if (a) log(1); else return; db.use()', ['$0', '$0']],
    ['nested', 'if (a) { if (b === 1) db.use() }', ['$0', '($1 === 1)']],
    ['turned comparison', 'if (a.orgId !== b.orgId) throw 1; db.use()', ['($0.orgId === $1.orgId)']],
    ['either of two exits', 'if (!a || a.orgId !== b) return; db.use()', ['($0 && ($0.orgId === $1))']],
    ['&&', 'a && db.use()', ['$0']],
    ['||', 'a || db.use()', ['!($0)']],
    ['??', 'a ?? db.use()', ['($0 == null)']],
    ['ternary', 'a ? 1 : db.use()', ['!($0)']],
    ['while', 'while (a) db.use()', ['$0']],
    ['for', 'for (let i = 0; i < a; i++) db.use()', ['(<0 | unknown(changes in a loop)> < $0)']],
    ['continue', 'for (const x of xs) { if (x.no) continue; db.use() }', ['!(xs.*.no)']],
    ['after a loop with break', 'for (const x of xs) { if (x.no) break; } db.use()', []],
    ['switch', "switch (a) { case 'x': case 'y': db.use() }", ['(($0 === "x") || ($0 === "y"))']],
    ['switch that falls through', "switch (a) { case 'x': log(1); case 'y': db.use() }", []],
    ['after a check in try whose catch leaves', 'try { if (!a) throw 1; } catch { return; } db.use()', ['$0']],
    [
      'after an awaited check in try whose catch leaves',
      'try { check(a); if (!a) throw 1; log(2); } catch { return; } db.use()',
      ['$0'],
    ],
    ['optional values are meant bare', 'if (a?.b) db.use()', ['$0.b']],
  ])('%s', (_, body, holds) => {
    expect(factsOf(`function f(a, b) { ${body} }`).holds('use')).toEqual(holds);
  });

  it('a call that runs on every path is above what comes after it', () => {
    const { facts } = factsOf('function f() { try { check(); } catch (e) { throw e; } run(); }');
    const [check, run] = facts.chains;
    const { blocks } = facts.functions[1] ?? { blocks: [] };
    expect(blocks[run?.block ?? 0]?.parent).toBe(check?.block);
    expect(blocks[check?.block ?? 0]?.because).toBe('try');
  });

  it('a call that may fail silently is beside what comes after it', () => {
    const { facts } = factsOf('function f() { try { check(); } catch (e) { log(e); } run(); }');
    expect(facts.chains.map((c) => c.block)).toEqual([1, 2, 0]);
    expect(facts.functions[1]?.blocks.map((b) => b.because)).toEqual([undefined, 'try', 'catch']);
  });

  it('a function handed over is a function of its own, with the place it is handed to', () => {
    const { facts } = factsOf(
      "const h = () => {}; router.get('/x', { handler: async (req) => { run(req); }, list: [() => 1] }, h);",
    );
    const [, , handler, item] = facts.functions;
    expect(handler).toMatchObject({
      name: 'handler',
      async: true,
      handedTo: { chain: 'src/file.ts#c0', step: 0, argument: 1, path: ['handler'] },
    });
    expect(item?.handedTo?.path).toEqual(['list', '0']);
    expect(facts.chains[1]).toMatchObject({ function: handler?.id, block: 0 });
    expect(handler?.parent).toBe('src/file.ts#f0');
  });

  it('returns with their blocks', () => {
    const { facts } = factsOf('function f(a) { if (!a) return null; const r = load(a); return { r }; }');
    expect(facts.functions[1]?.returns.map((r) => [render(r.value), r.block])).toEqual([
      ['null', 1],
      ['{r: #c0}', 2],
    ]);
  });

  it('parameters with types, defaults, rest and decorators', () => {
    const { facts } = factsOf(`
      import { Db } from './db'; import { Body } from '@nestjs/common';
      interface In { id: string; q?: string | null }
      function f(db: Db, a: In, b = 5, ...rest: string[]) {}
      class C { m(@Body('x') body: In) {} }
    `);
    const [db, a, b, rest] = facts.functions.find((f) => f.name === 'f')?.parameters ?? [];
    expect(db?.type).toMatchObject({ text: 'Db', name: { kind: 'import', module: './db', name: 'Db' } });
    expect(a?.type?.name).toMatchObject({ kind: 'binding', name: 'In' });
    expect(a?.type?.properties?.['q']).toMatchObject({ optional: true, nullable: true });
    expect(render(b?.default)).toBe('5');
    expect(rest?.rest).toBe(true);
    expect(facts.functions.find((f) => f.name === 'm')?.parameters[0]?.decorators).toMatchObject([
      { name: { kind: 'import', name: 'Body' }, arguments: [{ value: 'x' }] },
    ]);
  });
});

describe('elements', () => {
  const imports = "import { Section, Card, List } from './parts';\n";
  const chainsOf = (jsx: string, before = ''): string[] =>
    factsOf(`${before}${imports}export const P = ({ params, rest }) => ${jsx};`, 'p.tsx').chains;

  it.each([
    ['<Section id={params.id} />', ['./parts:Section({id: $0.params.id})']],
    ['<Section id="x" open {...rest}></Section>', ['./parts:Section({id: "x", open: true, ...$0.rest})']],
    ['<Card.Header id={1} data-a="b" />', ['./parts:Card.Header({id: 1, data-a: "b"})']],
    ['<div id={load(1)}><Section>{load(2)}</Section></div>', ['load(1)', './parts:Section({})', 'load(2)']],
    [
      '<Section aside={<Card id={params.id} />} />',
      ['./parts:Section({aside: unknown(jsx)})', './parts:Card({id: $0.params.id})'],
    ],
    ['<><Section />{rest && <Card />}</>', ['./parts:Section({})', './parts:Card({})']],
    ['<Section row={(r) => use(r)} />', ['./parts:Section({row: #f2})', 'use($0)']],
    ['<Unknown id={load(1)} />', ['load(1)']],
    ['<section id={params.id} />', []],
    ['<this.Part />', []],
  ])('%s', (jsx, expected) => expect(chainsOf(jsx)).toEqual(expected));

  it('components of the file and of the function', () => {
    const { chains } = factsOf(
      'function Row({ id }) { db.use(id); } export const P = (props) => { const Part = props.part; return <Part><Row id={props.id} /></Part>; };',
      'p.tsx',
    );
    expect(chains).toEqual(expect.arrayContaining(['$0.part({})', '@Row({id: $0.id})', 'db.use($0.id)']));
  });

  it('no element is a call where components run in a browser', () => {
    expect(chainsOf('<Section id={load(1)}>{load(2)}</Section>', "'use client';\n")).toEqual(['load(1)', 'load(2)']);
  });

  it('where the element and its arguments are', () => {
    const { facts } = factsOf("import { A } from 'a'; const p = <A b={1}>text</A>;", 'p.tsx');
    const [chain] = facts.chains;
    const text = (of: { start: number; end: number } | undefined): string =>
      of ? "import { A } from 'a'; const p = <A b={1}>text</A>;".slice(of.start, of.end) : '';
    expect(text(chain?.span)).toBe('<A b={1}>');
    expect(chain).toMatchObject({ use: 'other', awaited: false, steps: [{ name: '' }] });
    const [argument] = chain?.steps[0]?.arguments ?? [];
    expect(argument?.kind === 'object' && text(argument.entries[0]?.span)).toBe('b={1}');
  });

  it('a function that an element is given knows to whom it was handed', () => {
    const { facts } = factsOf(`${imports}const p = <List row={(r) => r} of={{ each: (r) => r }} />;`, 'p.tsx');
    expect(facts.functions.map((f) => f.handedTo?.path)).toEqual([undefined, ['row'], ['of', 'each']]);
    expect(facts.functions[1]?.handedTo).toMatchObject({ chain: facts.chains[0]?.id, step: 0, argument: 0 });
  });

  it('an element under a condition is in the block of the condition', () => {
    const { facts } = factsOf(`${imports}export const P = ({ user }) => user && <Section id={user.id} />;`, 'p.tsx');
    const chain = facts.chains[0];
    expect(facts.functions[1]?.blocks[chain?.block ?? 0]?.holds).toMatchObject({ kind: 'parameter', path: ['user'] });
  });
});
