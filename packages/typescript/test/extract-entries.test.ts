import { describe, expect, it } from 'vitest';
import { factsOf } from './render.js';

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
