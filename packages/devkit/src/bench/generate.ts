import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mulberry32 } from './random.js';

/** Shares of the generated repository: a tenth touches data, two fifths import those, directly or through others. */
const dataShare = 0.1;
const importingShare = 0.4;

/**
 * Writes a repository of `count` code files below `folder`: a Prisma schema, data modules, services and routes that use them, components
 * and helpers that do not. The same arguments give the same bytes.
 */
export function generateRepository(folder: string, count: number): void {
  const random = mulberry32(20_261);
  const data = Math.round(count * dataShare);
  const direct = Math.round(count * importingShare * 0.5);
  const through = Math.round(count * importingShare * 0.5);
  const models = Math.max(8, Math.round(data / 10));
  const write = (file: string, text: string): void => {
    const target = path.join(folder, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  };
  write(
    'package.json',
    `${JSON.stringify({ name: 'generated', private: true, dependencies: { '@prisma/client': '^6.0.0', next: '^15.0.0', react: '^19.0.0', zod: '^3.0.0' } }, undefined, 2)}\n`,
  );
  write(
    'tsconfig.json',
    `${JSON.stringify({ compilerOptions: { strict: true, jsx: 'preserve', baseUrl: '.', paths: { '@/*': ['src/*'] } } }, undefined, 2)}\n`,
  );
  write('prisma/schema.prisma', schema(models));
  write('src/lib/db.ts', "import { PrismaClient } from '@prisma/client';\n\nexport const db = new PrismaClient();\n");
  for (let i = 0; i < data; i++) write(`src/data/${moduleName(i)}.ts`, dataModule(i, models, random));
  for (let i = 0; i < direct; i++) write(`src/services/area${i % 20}/${moduleName(i)}.ts`, service(i, data, random));
  for (let i = 0; i < through; i++) write(`src/app/api/area${i % 20}/${moduleName(i)}/route.ts`, route(i, direct));
  const rest = count - data - direct - through - 1;
  for (let i = 0; i < rest; i++) {
    if (i % 3 === 0) write(`src/utils/group${i % 25}/${moduleName(i)}.ts`, helper(i, random));
    else write(`src/components/group${i % 25}/Widget${i}.tsx`, component(i, random));
  }
}

const moduleName = (i: number): string => `module${String(i).padStart(4, '0')}`;

function schema(models: number): string {
  const lines = [
    'datasource db {',
    '  provider = "postgresql"',
    '  url      = env("DATABASE_URL")',
    '}',
    '',
    'generator client {',
    '  provider = "prisma-client-js"',
    '}',
    '',
  ];
  const names = Array.from({ length: models }, (_, i) => `Record${i}`);
  lines.push(
    'model Organization {',
    '  id   String @id @default(uuid())',
    '  name String',
    ...names.map((n) => `  ${n.toLowerCase()}s ${n}[]`),
    '}',
    '',
  );
  for (const name of names) {
    lines.push(
      `model ${name} {`,
      '  id             String       @id @default(uuid())',
      '  organizationId String',
      '  title          String',
      '  status         String       @default("open")',
      '  amount         Int          @default(0)',
      '  createdAt      DateTime     @default(now())',
      '  organization   Organization @relation(fields: [organizationId], references: [id])',
      '',
      '  @@index([organizationId, createdAt])',
      '}',
      '',
    );
  }
  return `${lines.join('\n')}\n`;
}

function dataModule(i: number, models: number, random: () => number): string {
  const model = `record${Math.floor(random() * models)}`;
  const functions = Array.from({ length: 2 + Math.floor(random() * 2) }, (_, k) => {
    const scoped = random() > 0.05;
    const filter = scoped ? 'organizationId, ' : '';
    return [
      `export async function find${i}x${k}(organizationId: string, id: string) {`,
      `  const row = await db.${model}.findFirst({ where: { ${filter}id }, select: { id: true, title: true, status: true } });`,
      '  if (!row) {',
      `    throw new Error('not found');`,
      '  }',
      '  return row;',
      '}',
      '',
      `export async function list${i}x${k}(organizationId: string, options: { status?: string; take: number }) {`,
      '  const where = { organizationId, ...(options.status ? { status: options.status } : {}) };',
      `  const [rows, total] = await Promise.all([db.${model}.findMany({ where, take: options.take, orderBy: { createdAt: 'desc' } }), db.${model}.count({ where })]);`,
      '  return { rows: rows.map((row) => ({ ...row, label: `${row.title} (${row.status})` })), total };',
      '}',
    ].join('\n');
  });
  return `import { db } from '@/lib/db';\n\n${functions.join('\n\n')}\n${filler(i, random)}`;
}

function service(i: number, data: number, random: () => number): string {
  const target = i % data;
  return `import { z } from 'zod';
import { find${target}x0, list${target}x1 } from '@/data/${moduleName(target)}';

const input = z.object({ id: z.string().uuid(), take: z.number().max(100).default(20) });

export async function service${i}(session: { organizationId: string }, raw: unknown) {
  const { id, take } = input.parse(raw);
  const one = await find${target}x0(session.organizationId, id);
  const many = await list${target}x1(session.organizationId, { take });
  return { one, many: many.rows, total: many.total };
}
${filler(i, random)}`;
}

function route(i: number, services: number): string {
  const target = i % services;
  return `import { NextResponse } from 'next/server';
import { service${target} } from '@/services/area${target % 20}/${moduleName(target)}';

export async function GET(request: Request, { params }: { params: { id: string } }) {
  const session = { organizationId: request.headers.get('x-organization') ?? '' };
  const result = await service${target}(session, { id: params.id });
  return NextResponse.json(result);
}
`;
}

function helper(i: number, random: () => number): string {
  return `export interface Options${i} {\n  readonly limit: number;\n  readonly label?: string;\n}\n${filler(i, random)}${filler(i + 7, random)}`;
}

function component(i: number, random: () => number): string {
  return `import { useMemo, useState } from 'react';

interface Props {
  readonly items: readonly { id: string; name: string; count: number }[];
  readonly onSelect: (id: string) => void;
}

export function Widget${i}({ items, onSelect }: Props) {
  const [query, setQuery] = useState('');
  const visible = useMemo(() => items.filter((item) => item.name.toLowerCase().includes(query.toLowerCase())), [items, query]);
  const total = visible.reduce((sum, item) => sum + item.count, 0);
  return (
    <section className="rounded border p-4">
      <input value={query} onChange={(event) => setQuery(event.target.value)} placeholder="Search" />
      <p>{visible.length} of {items.length}, {total} in all</p>
      <ul>
        {visible.map((item) => (
          <li key={item.id}>
            <button type="button" onClick={() => onSelect(item.id)}>{item.name}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
${filler(i, random)}`;
}

/** Ordinary code that has nothing to do with data; length varies as it does in real repositories. */
function filler(i: number, random: () => number): string {
  const blocks = 2 + Math.floor(random() * 12);
  return Array.from(
    { length: blocks },
    (_, k) => `
export function compute${i}n${k}(values: readonly number[], options: { scale?: number; floor?: number } = {}): { sum: number; peak: number; label: string } {
  const { scale = 1, floor = 0 } = options;
  let sum = 0;
  let peak = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    const scaled = Math.max(value * scale, floor);
    sum += scaled;
    if (scaled > peak) peak = scaled;
  }
  const label = values.length === 0 ? 'empty' : \`\${values.length} values, \${sum.toFixed(2)} in all\`;
  return { sum, peak: values.length === 0 ? 0 : peak, label };
}
`,
  ).join('');
}
