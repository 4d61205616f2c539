import type { Access } from '@tenant-lint/model';
import { extractTypescript } from '../../src/extract/index.js';
import { extractPrisma, prisma } from '../../src/adapters/prisma/index.js';
import { accessesOf, type ContextSettings } from './context.js';
import { showAccess } from './render.js';

/** Invoices of organizations: to-one, to-many, many-to-many and self relations, mapped columns, compound keys. */
export const invoicing = extractPrisma(
  `
model Organization {
  id       String    @id
  slug     String    @unique
  invoices Invoice[]
  members  Member[]
}

model Member {
  orgId  String
  userId String
  org    Organization @relation(fields: [orgId], references: [id])

  @@id([orgId, userId])
}

model Invoice {
  id         String       @id
  orgId      String       @map("organization_id")
  number     String
  total      Int
  tags       String[]
  meta       Json?
  customerId String?
  org        Organization @relation(fields: [orgId], references: [id])
  customer   Customer?    @relation(fields: [customerId], references: [id])
  lines      Line[]
  labels     Label[]

  @@unique([orgId, number])
  @@unique([orgId, total], name: "byTotal")
}

model Customer {
  id       String    @id
  email    String
  invoices Invoice[]
}

model Line {
  id        String  @id
  invoiceId String
  invoice   Invoice @relation(fields: [invoiceId], references: [id])
}

model Label {
  id       String    @id
  orgId    String
  invoices Invoice[]
}
`,
  { file: 'schema.prisma' },
);

/** Facts of a function with every parameter that the tests use, around one expression. */
export const around = (code: string, parameters: string): ReturnType<typeof extractTypescript> =>
  extractTypescript(
    `import { PrismaClient, Prisma } from '@prisma/client';
const prisma = new PrismaClient();
export async function f(${parameters}) { return ${code}; }
`,
    { file: 'app.ts' },
  );

/** The accesses of an expression over `prisma`, whose function has the given parameters. */
export const lowered = (code: string, parameters = '', settings: ContextSettings = {}): readonly Access[] =>
  accessesOf(prisma, [invoicing, around(code, parameters)], settings);

/** The targets of the only access of an expression, in one line each. */
export function targets(code: string, parameters = '', settings: ContextSettings = {}): string[] {
  const accesses = lowered(code, parameters, settings);
  if (accesses.length !== 1) throw new Error(`${accesses.length} accesses in: ${code}`);
  return showAccess(accesses[0]!);
}

/** The condition on the root of `prisma.invoice.findMany({ where: ... })`. */
export function where(condition: string, parameters = '', settings: ContextSettings = {}): string {
  const [root] = targets(`prisma.invoice.findMany({ where: ${condition} })`, parameters, settings);
  return root!.slice('root read Invoice t0 many: '.length);
}
