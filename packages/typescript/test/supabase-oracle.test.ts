import { PostgrestClient } from '@supabase/postgrest-js';
import { extractSql, lowerEmbedded } from '@tenant-lint/sql';
import { mapPredicate, type Access, type Predicate, type Query, type Target, type Value } from '@tenant-lint/model';
import { describe, expect, test } from 'vitest';
import { supabase } from '../src/adapters/supabase/index.js';
import { fakeContext } from './support/context.js';
import { factsOf, loweredBy } from './support/drizzle.js';
import { showPredicate, showValue } from './support/render.js';

/**
 * The library is the oracle: each request is made by the client itself, and the URL it would send is written as SQL here, by the rules of
 * PostgREST. The adapter's reading of the same source must reach the same tables under the same conditions.
 */
const requests: Readonly<Record<string, string>> = {
  'all rows': `sb.from('invoices').select()`,
  eq: `sb.from('invoices').select('*').eq('org_id', 'o')`,
  'two filters': `sb.from('invoices').select('*').eq('org_id', 'o').neq('number', 'n')`,
  'filters before the operation of a variable': `(() => { const q = sb.from('invoices').select('id'); q.eq('org_id', 'o'); return q; })()`,
  comparisons: `sb.from('invoices').select('*').gt('total', '1').gte('total', '2').lt('total', '9').lte('total', '8')`,
  like: `sb.from('invoices').select('*').like('number', 'a%').ilike('number', '%b')`,
  'regular expressions': `sb.from('invoices').select('*').regexMatch('number', '^a').regexIMatch('number', '^b')`,
  'is null': `sb.from('invoices').select('*').is('number', null)`,
  'is true': `sb.from('invoices').select('*').is('paid', true)`,
  'in a list': `sb.from('invoices').select('*').in('id', ['a', 'b'])`,
  'in an empty list': `sb.from('invoices').select('*').in('id', [])`,
  'not in a list': `sb.from('invoices').select('*').notIn('id', ['a', 'b'])`,
  match: `sb.from('invoices').select('*').match({ org_id: 'o', number: 'n' })`,
  'match drops undefined': `sb.from('invoices').select('*').match({ org_id: undefined, number: 'n' })`,
  'match of nothing': `sb.from('invoices').select('*').match({ org_id: undefined })`,
  'not eq': `sb.from('invoices').select('*').not('number', 'eq', 'n')`,
  'not is null': `sb.from('invoices').select('*').not('number', 'is', null)`,
  'not in': `sb.from('invoices').select('*').not('id', 'in', '(a,b)')`,
  filter: `sb.from('invoices').select('*').filter('org_id', 'eq', 'o')`,
  'filter in': `sb.from('invoices').select('*').filter('id', 'in', '(a,"b,c")')`,
  'filter not': `sb.from('invoices').select('*').filter('number', 'not.eq', 'n')`,
  or: `sb.from('invoices').select('*').or('org_id.eq.o,number.eq.n')`,
  'or beside eq': `sb.from('invoices').select('*').eq('org_id', 'o').or('total.lt.1,number.is.null')`,
  'two or': `sb.from('invoices').select('*').or('org_id.eq.o,org_id.eq.p').or('total.lt.1,total.gt.9')`,
  'and inside or': `sb.from('invoices').select('*').or('and(org_id.eq.o,total.gt.3),number.in.(a,b)')`,
  'negation inside or': `sb.from('invoices').select('*').or('number.not.eq.n,not.and(org_id.eq.o,total.gt.3)')`,
  'quotes inside or': `sb.from('invoices').select('*').or('number.eq."a,b",id.eq.i')`,
  contains: `sb.from('invoices').select('*').contains('tags', '{a}').containedBy('tags', '{a,b}').overlaps('tags', '{c}')`,
  ranges: `sb.from('invoices').select('*').rangeGt('during', '[1,2)').rangeLt('during', '[3,4)').rangeAdjacent('during', '[5,6)')`,
  'order, limit and range filter nothing': `sb.from('invoices').select('*').eq('org_id', 'o').order('id').limit(5).range(0, 4)`,
  single: `sb.from('invoices').select('*').eq('id', 'i').single()`,
  maybeSingle: `sb.from('invoices').select('*').eq('id', 'i').maybeSingle()`,
  'count only': `sb.from('invoices').select('*', { count: 'exact', head: true }).eq('org_id', 'o')`,
  'embedded parent': `sb.from('invoices').select('*, orgs(*)').eq('id', 'i')`,
  'filter on an embedded resource': `sb.from('invoices').select('*, orgs(name)').eq('orgs.id', 'o')`,
  'inner embedded parent': `sb.from('invoices').select('*, orgs!inner(name)').eq('orgs.slug', 's')`,
  'embedded children': `sb.from('orgs').select('id, invoices(id, total)').eq('slug', 's')`,
  'inner embedded children': `sb.from('orgs').select('id, invoices!inner(id)').eq('invoices.number', 'n')`,
  'embedded in embedded': `sb.from('lines').select('id, invoices(id, orgs(name))').eq('invoices.orgs.slug', 's')`,
  'inner all the way': `sb.from('lines').select('id, invoices!inner(id, orgs!inner(name))').eq('invoices.orgs.slug', 's').eq('text', 't')`,
  'an alias': `sb.from('invoices').select('id, owner:orgs!inner(name)').eq('owner.slug', 's')`,
  'the name of a column': `sb.from('invoices').select('id, org_id!inner(name)').eq('org_id.slug', 's')`,
  'the name of a constraint': `sb.from('invoices').select('id, o:orgs!invoices_org_id_fkey(name)').eq('o.slug', 's')`,
  'rows without an embedded resource': `sb.from('invoices').select('id, lines(id)').is('lines', null)`,
  'rows with an embedded resource': `sb.from('invoices').select('id, lines(id)').not('lines', 'is', null)`,
  'or on an embedded resource': `sb.from('orgs').select('id, invoices!inner(id)').or('number.eq.n,total.gt.3', { referencedTable: 'invoices' })`,
  insert: `sb.from('lines').insert({ id: 'l', invoice_id: 'i', text: 't' })`,
  'insert of several rows': `sb.from('lines').insert([{ id: 'l', text: 't' }, { id: 'm', text: 'u' }])`,
  upsert: `sb.from('lines').upsert({ id: 'l', invoice_id: 'i', text: 't' }, { onConflict: 'invoice_id,text' })`,
  update: `sb.from('invoices').update({ number: 'n' }).eq('id', 'i').eq('org_id', 'o')`,
  'update of everything': `sb.from('invoices').update({ number: 'n' })`,
  'update with match': `sb.from('invoices').update({ number: 'n' }).match({ id: 'i' }).select('id')`,
  delete: `sb.from('invoices').delete().eq('id', 'i')`,
  'delete of a list': `sb.from('invoices').delete().in('id', ['a', 'b'])`,
};

const migration = extractSql(
  `create table orgs (id text primary key, slug text, name text);
   create table invoices (id text primary key, org_id text references orgs (id), number text, total int, paid bool, tags text[], during int4range);
   create table lines (id text primary key, invoice_id text references invoices (id), text text);`,
  { file: 'migrations/1.sql', role: 'migration' },
);
/** What ties the rows of two tables, as the migration has it. */
const ties: Readonly<Record<string, string>> = {
  'invoices orgs': 'orgs.id = invoices.org_id',
  'orgs invoices': 'invoices.org_id = orgs.id',
  'lines invoices': 'invoices.id = lines.invoice_id',
  'invoices lines': 'lines.invoice_id = invoices.id',
};

interface Sent {
  readonly method: string;
  readonly table: string;
  readonly parameters: readonly (readonly [string, string])[];
  readonly body: unknown;
}

/** What the library sends for a request. */
async function sent(source: string): Promise<Sent> {
  let found: Sent | undefined;
  const sb = new PostgrestClient('http://api', {
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : String(input));
      const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
      found = { method: init?.method ?? 'GET', table: url.pathname.slice(1), parameters: [...url.searchParams], body };
      return Promise.resolve(new Response('[]', { status: 200, headers: { 'content-type': 'application/json' } }));
    },
  });
  const run = new Function('sb', `return (${source});`) as (client: unknown) => PromiseLike<unknown>;
  await run(sb);
  return found!;
}

interface Node {
  readonly name: string;
  readonly table: string;
  readonly inner: boolean;
  readonly children: readonly Node[];
}

const split = (text: string): string[] => {
  const parts: string[] = [''];
  let depth = 0;
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (!quoted && '({'.includes(c)) depth++;
    if (!quoted && ')}'.includes(c)) depth--;
    if (c === ',' && depth === 0 && !quoted) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts;
};

function nodes(select: string): Node[] {
  return split(select).flatMap((item): Node[] => {
    const found = /^(?:(\w+):)?(\w+)((?:!\w+)*)\((.*)\)$/.exec(item);
    if (!found) return [];
    const target = found[2]!;
    const table = target === 'org_id' ? 'orgs' : target;
    return [{ name: found[1] ?? target, table, inner: found[3]!.includes('!inner'), children: nodes(found[4]!) }];
  });
}

const quote = (text: string): string => `'${text.replace(/^"(.*)"$/, '$1').replaceAll("'", "''")}'`;
const symbols: Readonly<Record<string, string>> = {
  ...{
    eq: '=',
    neq: '<>',
    gt: '>',
    gte: '>=',
    lt: '<',
    lte: '<=',
    like: 'like',
    ilike: 'ilike',
    match: '~',
    imatch: '~*',
  },
  ...{ cs: '@>', cd: '<@', ov: '&&', sl: '<<', sr: '>>', adj: '-|-' },
};

/** One condition of the URL as SQL. */
function test1(table: string, column: string, value: string, exists: (name: string) => string | undefined): string {
  if (value.startsWith('not.')) return `not (${test1(table, column, value.slice(4), exists)})`;
  const [op = '', ...more] = value.split('.');
  const rest = more.join('.');
  if (op === 'is' && rest === 'null' && exists(column) !== undefined) return `not ${exists(column)!}`;
  if (op === 'is') return `${table}.${column} is ${rest}`;
  if (op === 'in')
    return rest === '()' ? 'false' : `${table}.${column} in (${split(rest.slice(1, -1)).map(quote).join(', ')})`;
  return `${table}.${column} ${symbols[op]!} ${quote(rest)}`;
}

function logic(table: string, text: string): string {
  const group = /^(not\.)?(and|or)\((.*)\)$/.exec(text);
  if (group) {
    const inner = split(group[3]!)
      .map((p) => logic(table, p))
      .join(` ${group[2]!} `);
    return `${group[1] === undefined ? '' : 'not '}(${inner})`;
  }
  const dot = text.indexOf('.');
  return test1(table, text.slice(0, dot), text.slice(dot + 1), () => undefined);
}

const reserved = new Set(['select', 'order', 'limit', 'offset', 'on_conflict', 'columns']);

/** The conditions on a table and on what is embedded in it, by the name of the table. */
function conditions(
  table: string,
  children: readonly Node[],
  parameters: readonly (readonly [string, string])[],
  into: Map<string, string>,
): string {
  const found: string[] = [];
  const existing = new Map<string, string>();
  for (const child of children) {
    const own = parameters.flatMap(([key, value]): [string, string][] =>
      key.startsWith(`${child.name}.`) ? [[key.slice(child.name.length + 1), value]] : [],
    );
    const inside = [ties[`${table} ${child.table}`]!, conditions(child.table, child.children, own, into)].filter(
      Boolean,
    );
    into.set(child.table, inside.join(' and '));
    existing.set(child.name, `exists (select 1 from ${child.table} where ${inside.join(' and ')})`);
    if (child.inner) found.push(existing.get(child.name)!);
  }
  for (const [key, value] of parameters) {
    if (reserved.has(key) || (key.includes('.') && !key.endsWith('.or'))) continue;
    if (key === 'or') found.push(logic(table, `or${value}`));
    else if (!key.includes('.')) found.push(test1(table, key, value, (name) => existing.get(name)));
  }
  return found.join(' and ');
}

function lowered(sql: string): Access {
  const { accesses, unchecked } = lowerEmbedded({
    file: 'sent.sql',
    text: sql,
    idPrefix: 'q',
    library: 'sql',
    span: { file: 'sent.sql', start: 0, end: sql.length },
    position: (n) => n,
  });
  expect(unchecked).toEqual([]);
  return accesses[0]!;
}

/** What the URL says, in comparable form. */
function bySql({ method, table, parameters, body }: Sent): string[] {
  const select = parameters.find(([key]) => key === 'select')?.[1] ?? '';
  const embedded = new Map<string, string>();
  const where = conditions(table, nodes(select), parameters, embedded);
  const clause = (text: string): string => (text === '' ? '' : ` where ${text}`);
  const conflict = parameters.find(([key]) => key === 'on_conflict')?.[1];
  const rows = [body].flat() as Record<string, string>[];
  const own = (): string[] => {
    if (method === 'GET' || method === 'HEAD')
      return [line('root', 'read', table, lowered(`select 1 from ${table}${clause(where)}`))];
    if (method === 'DELETE') return [line('root', 'delete', table, lowered(`delete from ${table}${clause(where)}`))];
    if (method === 'PATCH') {
      const set = Object.entries(rows[0]!).map(([k, v]) => `${k} = ${quote(v)}`);
      return [line('root', 'update', table, lowered(`update ${table} set ${set.join(', ')}${clause(where)}`))];
    }
    return rows.map((row) => {
      const update = Object.keys(row).map((k) => `${k} = excluded.${k}`);
      const over = conflict === undefined ? '' : ` on conflict (${conflict}) do update set ${update.join(', ')}`;
      return line(
        'root',
        conflict === undefined ? 'create' : 'upsert',
        table,
        lowered(
          `insert into ${table} (${Object.keys(row).join()}) values (${Object.values(row).map(quote).join()})${over}`,
        ),
      );
    });
  };
  const included = [...embedded].map(([name, on]) => {
    const outer = Object.keys(ties)
      .filter((t) => t.endsWith(` ${name}`) && on.includes(ties[t]!))[0]!
      .split(' ')[0]!;
    const access = lowered(`select 1 from ${outer} where exists (select 1 from ${name} where ${on})`);
    const { predicate } = access.targets.find((t) => t.role === 'root')!;
    const query: Query | undefined = predicate.kind === 'exists' ? predicate.query : undefined;
    return `include read ${name} [|]: ${sorted(query!.condition, access)}`;
  });
  return [...own(), ...included].sort();
}

const line = (role: string, operation: string, table: string, access: Access): string => {
  const target = access.targets.find((t) => t.role === 'root')!;
  return `${role} ${operation} ${table} ${writes(target)}: ${operation === 'create' ? 'new' : sorted(target.predicate, access)}`;
};

const writes = (t: Target): string =>
  `[${[t.writes, t.updates]
    .map((w) =>
      Object.entries(w?.set ?? {})
        .map(([k, v]) => `${k}=${showValue(v)}`)
        .sort()
        .join(),
    )
    .join('|')}]`;

/** The tables of all targets of an access, those of sub-queries included, by reference. */
function tablesIn(access: Access): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  JSON.parse(JSON.stringify(access), (_key, v: unknown) => {
    const target = v as Partial<Target> | null;
    if (typeof v === 'object' && target?.ref !== undefined && target.table?.known)
      found.set(target.ref, target.table.value.name);
    return v;
  });
  return found;
}

/** A condition in one line, its operands in order, columns by the names of their tables. */
function sorted(p: Predicate, access: Access): string {
  const tables = tablesIn(access);
  const plain = (v: Value): Value => {
    if (v.kind === 'apply' && v.function.startsWith('cast:')) return v.to[0]!;
    return v.kind === 'column' ? { kind: 'column', target: tables.get(v.target ?? '') ?? '?', column: v.column } : v;
  };
  const go = (q: Predicate): string => {
    if (q.kind === 'and' || q.kind === 'or') return `(${q.of.map(go).sort().join(` ${q.kind} `)})`;
    if (q.kind === 'not') return `not ${go(q.of)}`;
    if (q.kind === 'compare' && q.operator === '=') return [q.left, q.right].map(showValue).sort().join(' = ');
    if (q.kind === 'exists')
      return `exists ${q.query.targets.map((t) => (t.table.known ? t.table.value.name : '?')).join()} ${go(q.query.condition)}`;
    if (q.kind === 'value' && q.of.kind === 'constant') return q.of.value === false ? 'never' : 'always';
    return showPredicate(q);
  };
  return go(mapPredicate(p, plain));
}

function byAdapter(source: string): string[] {
  const code = `
import { createClient } from '@supabase/supabase-js';
const sb = createClient('http://api', process.env.SUPABASE_SERVICE_ROLE_KEY);
export async function run() {
  ${source.startsWith('(()') ? source.replace(/^\(\(\) => \{|return q; \}\)\(\)$/g, '').replace(/$/, 'return await q;') : `return await ${source};`}
}`;
  const facts = factsOf({ 'query.ts': code });
  const { accesses, unknown } = loweredBy(supabase, facts, fakeContext([...facts, migration]));
  expect(unknown).toEqual([]);
  expect(accesses).toHaveLength(1);
  expect(accesses[0]!.unchecked).toBeUndefined();
  expect(accesses[0]!.client.kind).toBe('bypass');
  return accesses[0]!.targets
    .map((t) => {
      const name = t.table.known ? t.table.value.name : '?';
      return `${t.role} ${t.operation} ${name} ${writes(t)}: ${t.operation === 'create' ? 'new' : sorted(t.predicate, accesses[0]!)}`;
    })
    .sort();
}

describe('what the adapter reads is what supabase-js sends', () => {
  test.each(Object.entries(requests))('%s', async (_name, source) => {
    expect(byAdapter(source)).toEqual(bySql(await sent(source)));
  });
});
