import { describe, expect, it } from 'vitest';
import { factsOf, render } from './render.js';

/** Kind and roles of the entry point, as `0.params input`. */
function entry(text: string, file: string, name?: string): string[] {
  const { facts } = factsOf(text, file);
  const found = facts.functions.filter((f) => f.entry && (name === undefined || f.name === name));
  return found.flatMap((f) => [
    f.entry?.kind ?? '',
    ...(f.entry?.roles ?? []).map((r) => `${[r.index, ...r.path].join('.')} ${r.role}`),
  ]);
}

describe('entry points', () => {
  it('Next.js route handlers', () => {
    const text =
      'export async function GET(req, { params }) {} export const POST = async (req) => {}; export function helper(a) {}';
    expect(entry(text, 'app/x/[id]/route.ts', 'GET')).toEqual([
      'next route handler',
      '0 input',
      '1 context',
      '1.params input',
    ]);
    expect(entry(text, 'app/x/[id]/route.ts', 'POST')[0]).toBe('next route handler');
    expect(entry(text, 'app/x/[id]/route.ts', 'helper')).toEqual([]);
    expect(entry(text, 'lib/methods.ts')).toEqual([]);
  });

  it('a route handler in a wrapper', () => {
    const roles = entry('export const GET = withAuth(async ({ params, session }) => {});', 'app/x/route.ts');
    expect(roles[0]).toBe('next route handler');
    expect(roles).toContain('0 context');
    expect(roles).toContain('0.params input');
  });

  it('pages, pages/api', () => {
    expect(entry('export default async function Page({ params, searchParams }) {}', 'app/x/page.tsx')).toEqual([
      'next page',
      '0 context',
      '0.params input',
      '0.searchParams input',
    ]);
    expect(entry('export default (req, res) => {}', 'src/pages/api/x.ts')).toEqual(
      expect.arrayContaining(['next api handler', '0 context', '0.query input', '0.body input', '1 context']),
    );
    expect(entry('const handler = (req, res) => {}; export default wrap(handler);', 'pages/api/x.ts')[0]).toBe(
      'next api handler',
    );
  });

  it('layouts, and what is called layout elsewhere', () => {
    const text = 'export default async function Layout({ children, params, orgId }) {}';
    expect(entry(text, 'src/app/(main)/layout.tsx')).toEqual(['next layout', '0.children context', '0.params input']);
    expect(entry(text, 'src/components/layout.tsx')).toEqual([]);
    expect(entry('export async function generateMetadata({ params }) {}', 'app/layout.tsx')[0]).toBe('next page');
  });

  it('a page whose props are awaited', () => {
    const text = `export default async function Page(props: { params: Promise<{ id: string }> }) {
      const params = await props.params;
      const { tab } = await props.searchParams;
      db.use(params.id, tab);
    }`;
    const { facts } = factsOf(text, 'app/x/page.tsx');
    expect(entry(text, 'app/x/page.tsx')).toContain('0.params input');
    expect(facts.functions[1]?.parameters[0]?.name).toBe('props');
    expect(facts.chains[0]?.steps[0]?.arguments?.map(render)).toEqual(['$0.params.id', '$0.searchParams.tab']);
  });

  it('parameters that are taken apart have no name, and their parts have paths', () => {
    const text =
      'export default async function Page({ params: { id }, ...rest }, [first]) { db.use(id, rest.tab, first); }';
    const { facts } = factsOf(text, 'app/x/page.tsx');
    expect(facts.functions[1]?.parameters.map((p) => 'name' in p)).toEqual([false, false]);
    expect(facts.chains[0]?.steps[0]?.arguments?.map(render)).toEqual(['$0.params.id', '$0.tab', '$1.0']);
  });

  it('a page in a wrapper', () => {
    const page = 'function Page({ params }) {} export default withAuth(Page);';
    expect(entry(page, 'app/x/page.tsx', 'Page')).toContain('0.params input');
    expect(entry('export default withAuth(async ({ params }) => {});', 'app/x/page.tsx')).toContain('0.params input');
    expect(entry('export default withAuth(memo(function Page({ params }) {}));', 'app/x/page.tsx')).toContain(
      '0.params input',
    );
    expect(entry('export default class Page extends React.Component {}', 'app/x/page.tsx')).toEqual([]);
  });

  it('server actions', () => {
    expect(
      entry("'use server';\nexport async function save(id, data) {}\nfunction local(x) {}", 'app/actions.ts'),
    ).toEqual(['server action', '0 input', '1 input']);
    expect(
      entry("export function P() { async function act(form) { 'use server'; run(form); } }", 'p.tsx', 'act'),
    ).toEqual(['server action', '0 input']);
    expect(entry('export async function save(id) {}', 'app/actions.ts')).toEqual([]);
  });

  it('tRPC procedures', () => {
    const text =
      'export const r = router({ get: procedure.input(z.string()).query(({ ctx, input }) => run(ctx, input)) });';
    expect(entry(text, 'r.ts')).toEqual([
      'trpc procedure',
      '0 context',
      '0.input input',
      '0.rawInput input',
      '0.ctx context',
    ]);
    expect(entry("pool.query('select 1', (err, rows) => {})", 'r.ts')).toEqual([]);
  });

  it('handlers of Express, Hono and Fastify', () => {
    for (const text of [
      "app.get('/x', (req, res) => {})",
      "app.post('/x', auth, async (req, res, next) => {})",
      "app.get('/x', wrap(async (req, res) => {}))",
      "const h = (req, res) => {}; app.get('/x', h)",
      "router.route('/x').get((req, res) => {})",
      "app.route({ method: 'GET', url: '/x', handler: (req, reply) => {} })",
    ]) {
      expect(entry(text, 'r.ts'), text).toEqual(
        expect.arrayContaining(['http handler', '0 context', '0.params input', '0.body input', '1 context']),
      );
    }
    expect(entry("app.get('/x', (c) => c.req.param('id'))", 'r.ts')).toEqual(
      expect.arrayContaining(['http handler', '0.req input']),
    );
    expect(entry('app.use((req, res, next) => {})', 'r.ts')[0]).toBe('http middleware');
    expect(entry('cache.get((key) => {}); list.forEach((x) => {}); map.get(id)', 'r.ts')).toEqual([]);
  });

  it('NestJS controllers', () => {
    const text = `import { Controller, Get, Body, Param, Req } from '@nestjs/common';
      @Controller('x') class C {
        constructor(private s: Service) {}
        @Get(':id') get(@Param('id') id: string, @User() user, @Body() body) {}
        helper(a) {}
      }`;
    expect(entry(text, 'c.ts')).toEqual(['nest handler', '0 input', '1 context', '2 input']);
  });

  it('Remix loaders', () => {
    const text =
      "import { json } from '@remix-run/node'; export async function loader({ request, params, context }) {}";
    expect(entry(text, 'app/x.tsx')).toEqual(['remix loader', '0 context', '0.request input', '0.params input']);
    expect(entry('export async function loader({ params }) {}', 'src/webpack.ts')).toEqual([]);
  });
});

/** The names that the file says are entry points of functions of other files. */
const elsewhere = (text: string, file: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(factsOf(text, file).facts.entries ?? {}).map(([name, { kind, roles }]) => [
      name,
      [kind, ...roles.map((r) => `${[r.index, ...r.path].join('.')} ${r.role}`)].join(', '),
    ]),
  );

describe('entry points whose function another file declares', () => {
  const route = 'next route handler, 0 input, 1 context, 1.params input';
  const page = 'next page, 0 context, 0.params input, 0.searchParams input';

  it.each([
    [
      "export { SomePage as default, generateMetadata } from '@/modules/some';",
      { default: page, generateMetadata: page },
    ],
    ["import { SomePage } from '@/modules/some'; export default SomePage;", { default: page }],
    ["import SomePage from '@/modules/some'; export { SomePage as default };", { default: page }],
    ["import { SomePage } from '@/modules/some'; const Page = SomePage; export default Page;", { default: page }],
    ["import { withAuth, SomePage } from '@/modules/some'; export default withAuth(SomePage);", { default: page }],
    [
      "export * from '@/modules/some';",
      { generateMetadata: page, getServerSideProps: expect.stringMatching(/^next page/) as string },
    ],
    ["export { revalidate } from '@/modules/some';", {}],
    ['export default function Page() {}', {}],
    ["import type { Page } from './types'; export { Page as default };", {}],
  ])('page.tsx: %s', (text, expected) => expect(elsewhere(text, 'app/x/page.tsx')).toEqual(expected));

  it.each([
    ["export { GET, POST } from '@/modules/api';", { GET: route, POST: route }],
    ["import { handler } from './handler'; export const GET = handler;", { GET: route }],
    ["import { handler } from './handler'; export { handler as PUT, handler as other };", { PUT: route }],
    ["import * as api from './handler'; export const GET = api.list;", { GET: route }],
    ['const handler = (req) => {}; export { handler as GET };', {}],
    ['export const GET = 1;', {}],
  ])('route.ts: %s', (text, expected) => expect(elsewhere(text, 'app/x/route.ts')).toEqual(expected));

  it('export * of a route', () => {
    expect(Object.keys(elsewhere("export * from './handler';", 'app/x/route.ts'))).toEqual(
      expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    );
    expect(elsewhere("export * from './handler';", 'lib/index.ts')).not.toHaveProperty('GET');
  });

  it('a handler in a wrapper', () => {
    const { GET } = elsewhere("import { list } from './list'; export const GET = withAuth(list);", 'app/x/route.ts');
    expect(GET).toMatch(/^next route handler, 0 context, .*0\.params input.*, 1 context, 1\.params input$/);
  });

  it('pages/api', () => {
    expect(elsewhere("export { default } from '@/modules/api';", 'pages/api/x.ts')['default']).toMatch(
      /^next api handler, .*0\.query input/,
    );
  });

  it('server actions', () => {
    expect(elsewhere("'use server';\nexport { save } from './save';", 'app/actions.ts')['save']).toMatch(
      /^server action, 0 input, 1 input/,
    );
  });

  it('registered handlers', () => {
    const registered = (text: string): string[] =>
      (factsOf(text, 'routes.ts').facts.registered ?? []).map(
        ({ value, entry: { kind } }) => `${render(value)} ${kind}`,
      );
    const imports =
      "import { show, guard } from './users'; import * as users from './users'; import { appRouter, Users } from './x';";
    expect(registered(`${imports} app.get('/users/:id', guard, show);`)).toEqual([
      './users:guard http handler',
      './users:show http handler',
    ]);
    expect(registered(`${imports} app.post('/users', users.create);`)).toEqual(['./users:create http handler']);
    expect(registered(`${imports} const made = new Users(); app.post('/users', made.create);`)).toEqual([
      '@made.create http handler',
    ]);
    expect(registered(`${imports} export const router = t.router({ a: t.procedure.query(show) });`)).toEqual([
      './users:show trpc procedure',
    ]);
    expect(registered("const list = (req, res) => {}; app.get('/users', list);")).toEqual([]);
    expect(registered(`${imports} cache.get(show);`)).toEqual([]);
  });
});
