import { runRules } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { analyze } from '@tenant-lint/rule-tester';
import { describe, expect, it } from 'vitest';

const schema = `
model Organization { id String @id documents Document[] }
model Document {
  id String @id
  organizationId String
  organization Organization @relation(fields: [organizationId], references: [id])
}`;

/** What is said of a handler that reads the documents of the tenant which a parameter decorator gives. */
const saidOf = (decorator: string | undefined, confidence: 'possible' | 'likely' = 'likely'): readonly string[] => {
  const files = {
    'schema.prisma': schema,
    'src/db.ts': "import { PrismaClient } from '@prisma/client';\nexport const db = new PrismaClient();",
    ...(decorator === undefined
      ? {}
      : { 'src/tenant.ts': `import { createParamDecorator, ExecutionContext } from '@nestjs/common';\n${decorator}` }),
    'src/documents.controller.ts': `
import { Controller, Get } from '@nestjs/common';
import { Tenant } from '${decorator === undefined ? '@acme/session' : './tenant'}';
import { db } from './db';
@Controller('documents')
export class DocumentsController {
  @Get()
  all(@Tenant() tenant: any) {
    return db.document.findMany({ where: { organizationId: tenant.id } });
  }
}`,
  };
  return runRules(analyze(files), rules, { confidence })
    .findings.filter((f) => f.span?.file === 'src/documents.controller.ts')
    .map((f) => f.rule);
};

describe('what a parameter decorator gives is trusted', () => {
  it.each([
    ['where its body is not in the program', undefined],
    [
      'where it reads what a guard has put there',
      'export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest().tenant);',
    ],
    [
      'where it falls back to the query, which is possible and no more',
      `export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest();
  return request.tenant ?? request.query;
});`,
    ],
    [
      'where it reads the user in steps',
      `export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest();
  if (!request.user) throw new Error('nobody');
  return request.user;
});`,
    ],
  ])('%s', (_, decorator) => {
    expect(saidOf(decorator)).toEqual([]);
  });
});

describe('what a parameter decorator gives is what the client sends', () => {
  it.each([
    [
      'where it reads the body',
      'export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest().body);',
    ],
    [
      'where it reads a header',
      `export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest();
  return { id: request.headers['x-tenant-id'] };
});`,
    ],
    [
      'where it reads a header by a method',
      `export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest();
  return { id: request.header('x-tenant-id') };
});`,
    ],
  ])('%s', (_, decorator) => {
    expect(saidOf(decorator)).toEqual(['no-untrusted-tenant']);
  });
});

it('says what is possible where only a guard keeps the client from being asked', () => {
  const decorator = `export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest();
  return request.tenant ?? request.query;
});`;
  expect(saidOf(decorator, 'possible')).toEqual(['no-untrusted-tenant']);
});
