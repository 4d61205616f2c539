import { describe, expect, it } from 'vitest';
import { runRules } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { buildModel, memorySource, settingsOf } from '../src/index.js';
import { unmatchedTrust, type TrustOptions } from '@tenant-lint/analysis';

const schema = `
model Organization { id String @id
  documents Document[] }
model Document { id String @id
  organizationId String
  organization Organization @relation(fields: [organizationId], references: [id]) }
`;

/** The findings of a handler under a declaration of trust, as rule and line. */
function findings(handler: string, trust: TrustOptions): string[] {
  const files = {
    'schema.prisma': schema,
    'src/db.ts': "import { PrismaClient } from '@prisma/client';\nexport const db = new PrismaClient();\n",
    'src/app/api/x/route.ts': handler,
  };
  const { model } = buildModel(memorySource(files), { settings: settingsOf({ trust: trust as never }) });
  const found = runRules(model, rules, { settings: {}, confidence: 'likely' }).findings;
  return found.filter((f) => f.span?.file.endsWith('route.ts')).map((f) => f.rule);
}

const guarded = (checked: string): string => `
import { assertMember } from '@acme/guards';
import { db } from '../../../db';
export async function DELETE(req: Request) {
  const { id, other } = await req.json();
  await assertMember('member', ${checked});
  await db.document.delete({ where: { id } });
}
`;

describe('declared trust', () => {
  it('a guard checks the argument at its position', () => {
    expect(findings(guarded('id'), {})).toEqual(['no-unscoped-get']);
    expect(findings(guarded('id'), { guards: { assertMember: { id: 1 } } })).toEqual([]);
    expect(findings(guarded('other'), { guards: { assertMember: { id: 1 } } })).toEqual(['no-unscoped-get']);
    expect(findings(guarded('id'), { guards: { assertMember: { id: 0 } } })).toEqual(['no-unscoped-get']);
  });

  it('a declared source decides whether a comparison counts', () => {
    const handler = (tenant: string): string => `
import { getTenant } from '@acme/tenant';
import { db } from '../../../db';
export async function DELETE(req: Request) {
  const { id } = await req.json();
  const document = await db.document.findUniqueOrThrow({ where: { id } });
  if (document.organizationId !== ${tenant}) throw new Error();
  await db.document.delete({ where: { id } });
}
`;
    expect(findings(handler('getTenant().id'), { tenant: ['getTenant()'] })).toEqual([]);
    expect(findings(handler('getTenant().id'), { input: ['getTenant()'] })).toContain('no-unscoped-get');
    expect(findings(handler('getTenant().id'), { input: ['getTenant().name'] })).toEqual([]);
  });

  it('a client that is bound to the tenant needs no filter', () => {
    const handler = `
import { db as tenantDb } from '../../../db';
export async function GET() { return Response.json(await tenantDb.document.findMany()); }
`;
    expect(findings(handler, {})).toEqual(['require-tenant-filter']);
    expect(findings(handler, { clients: { db: 'scoped' } })).toEqual([]);
    expect(findings(handler, { clients: { other: 'scoped' } })).toEqual(['require-tenant-filter']);
  });

  it('names that nothing uses are told', () => {
    const { model } = buildModel(
      memorySource({ 'schema.prisma': schema, 'src/app/api/x/route.ts': guarded('id'), 'src/db.ts': '' }),
      {
        settings: settingsOf({}),
      },
    );
    const trust = { guards: { assertMembr: {} }, tenant: ['getTenant()'], clients: { nowhere: 'bypass' } } as const;
    expect(unmatchedTrust(model.files, trust).unmatched).toEqual([
      { option: 'trust.guards', name: 'assertMembr' },
      { option: 'trust.clients', name: 'nowhere' },
      { option: 'trust.tenant', name: 'getTenant' },
    ]);
    expect(unmatchedTrust(model.files, trust).names).toContain('assertMember');
  });
});
