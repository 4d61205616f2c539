import { runRules } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { analyze } from '@tenant-lint/rule-tester';
import { describe, expect, it } from 'vitest';

const shared = {
  'schema.prisma': `
model Organization { id String @id documents Document[] }
model Document {
  id String @id
  organizationId String
  title String
  organization Organization @relation(fields: [organizationId], references: [id])
}`,
  'src/db.ts': `
import { PrismaClient } from '@prisma/client';
export const db = new PrismaClient();`,
};

const route = 'src/app/documents/[id]/route.ts';
const imports = `
import { NextResponse } from 'next/server';
import { auth } from '@clerk/nextjs/server';
import { db } from '../../../db';`;

/** A route that reads a document by the id of its path: what stands before the read, and behind it. */
const handler = (before: string, after = '', more = ''): string => `${imports}${more}
export async function GET(request: Request, { params }: { params: { id: string } }) {
  const { userId } = await auth();
  ${before}
  const document = await db.document.findUnique({ where: { id: params.id } });
  ${after}
  return NextResponse.json(document);
}`;

const confidenceOf = (files: Readonly<Record<string, string>>): readonly string[] =>
  runRules(analyze({ ...shared, ...files }), rules, { confidence: 'possible' })
    .findings.filter((f) => f.rule === 'no-unscoped-get')
    .map((f) => f.confidence);

describe('a leak is certain where everything on the way was read', () => {
  it.each([
    ['nothing else is called', handler('')],
    ['what is called is of the platform', handler('console.log(params.id); if (!params.id.trim()) throw new Error();')],
    ['the id is only parsed', handler('z.string().uuid().parse(params.id);', '', "\nimport { z } from 'zod';")],
    ['what is called has nothing of it', handler('await limit();', '', "\nimport { limit } from 'limiter';")],
    ['the row is sent', handler('', 'if (!document) return NextResponse.json({ error: params.id }, { status: 404 });')],
    [
      'the function that is called was read',
      handler('note(params.id);', '', '\nconst note = (id: string) => { if (id.length > 40) throw new Error(); };'),
    ],
  ])('%s', (_, source) => {
    expect(confidenceOf({ [route]: source })).toEqual(['certain']);
  });
});

describe('a leak is likely where what may check it was not read', () => {
  const permissions = "\nimport { permissions } from '@acme/permissions';";
  it.each([
    ['a package is handed the id', handler('await permissions.assert(params.id);', '', permissions)],
    [
      'a package is asked about the id',
      handler('if (!(await permissions.allows(params.id))) throw new Error();', '', permissions),
    ],
    ['a package is handed the identity', handler('await permissions.assert({ userId });', '', permissions)],
    [
      'a package is handed the id around a callback',
      `${imports}${permissions}
export async function GET(request: Request, { params }: { params: { id: string } }) {
  await permissions.assert(params.id);
  const document = await db.$transaction(async (tx) => tx.document.findUnique({ where: { id: params.id } }));
  return NextResponse.json(document);
}`,
    ],
    [
      'a function of the program hands it to a package',
      handler(
        'await check(params.id);',
        '',
        `${permissions}\nasync function check(id: string) { await permissions.assert(id); }`,
      ),
    ],
    [
      'a function of the program hands the row to rules that are registered elsewhere',
      handler(
        '',
        "authorize('read', document);",
        `
const rulesOf: any[] = [];
export const allow = (rule: any) => rulesOf.push(rule);
class Abilities {
  can(action: string, row: any) {
    for (const rule of rulesOf) if (rule.holds(action, row)) return true;
    return false;
  }
  authorize = (action: string, row: any) => { if (!this.can(action, row)) throw new Error('no'); };
}
const abilities = new Abilities();
const authorize = abilities.authorize;`,
      ),
    ],
    ['a package is handed the row', handler('', 'await permissions.assert(document);', permissions)],
    [
      'a package is asked about the row',
      handler('', "if (!permissions.can('read', document)) throw new Error();", permissions),
    ],
    [
      'a package is asked about what the same id found',
      handler(
        '',
        'const again = await db.document.findFirst({ where: { id: params.id } }); await permissions.assert(again);',
        permissions,
      ),
    ],
    [
      'a wrapper is of a package',
      `${imports}
import { protect } from '@acme/permissions';
export const GET = protect(async (request: Request, { params }: { params: { id: string } }) =>
  NextResponse.json(await db.document.findUnique({ where: { id: params.id } })));`,
    ],
  ])('%s', (_, source) => {
    expect(new Set(confidenceOf({ [route]: source }))).toEqual(new Set(['likely']));
  });

  const nest = (decorators: string, more: string): string => `
import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { db } from './db';
${more}
@Controller('documents')
export class DocumentsController {
  ${decorators}
  @Get(':id')
  one(@Param('id') id: string) {
    return db.document.findUnique({ where: { id } });
  }
}`;
  it.each([
    ['no decorator', '', '', 'certain'],
    ['a decorator of a package', "@Permission('read')", "import { Permission } from '@acme/permissions';", 'likely'],
    ['a guard of a package', '@UseGuards(RowGuard)', "import { RowGuard } from '@acme/permissions';", 'likely'],
  ])('a handler of a controller with %s', (_, decorators, more, expected) => {
    expect(confidenceOf({ 'src/documents.controller.ts': nest(decorators, more) })).toEqual([expected]);
  });

  it.each([
    ['is handed nothing of it', 'await this.permissions.refresh();', 'certain'],
    ['is handed the id', 'await this.permissions.assert(id);', 'likely'],
    ['is asked about the id', 'if (!(await this.permissions.allows(id))) throw new Error();', 'likely'],
  ])('an injected service that nobody knows %s', (_, call, expected) => {
    const source = `
import { Controller, Get, Param } from '@nestjs/common';
import type { Permissions } from '@acme/permissions';
import { db } from './db';
@Controller('documents')
export class DocumentsController {
  constructor(private readonly permissions: Permissions) {}
  @Get(':id')
  async one(@Param('id') id: string) {
    ${call}
    return db.document.findUnique({ where: { id } });
  }
}`;
    expect(confidenceOf({ 'src/documents.controller.ts': source })).toEqual([expected]);
  });

  const express = (before: string): string => `
import express from 'express';
import { requireAccess } from '@acme/permissions';
import { db } from './db';
const app = express();
app.get('/documents/:id', ${before} async (req, res) => {
  const document = await db.document.findUnique({ where: { id: req.params.id } });
  res.json(document);
});`;
  it.each([
    ['nothing', '', 'certain'],
    ['a parser of the framework', 'express.json(),', 'certain'],
    ['middleware of a package', "requireAccess('read'),", 'likely'],
  ])('a route with %s before its handler', (_, before, expected) => {
    expect(confidenceOf({ 'src/app.ts': express(before) })).toEqual([expected]);
  });
});
