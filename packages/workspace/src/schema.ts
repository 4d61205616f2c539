import { z } from 'zod';

/** The configuration, a comment on every key; its JSON schema is generated from this, and `defineConfig` has its type. */
const reasoned = z.union([z.string(), z.strictObject({ table: z.string(), reason: z.string() })]);

const strategy = z.enum(['row', 'rls', 'schema', 'database', 'hybrid']);

const tenancy = z.strictObject({
  strategy: strategy.optional().describe('How tenants are kept apart. Inferred where absent.'),
  keys: z.array(z.string()).optional().describe('Column names that identify the tenant: tenant_id.'),
  roots: z.array(z.string()).optional().describe('The tables of tenants: tenants, organizations.'),
  shared: z
    .array(reasoned)
    .optional()
    .describe('Tables that all tenants share: plans, countries. Each may carry a reason.'),
  tables: z
    .record(
      z.string(),
      z.strictObject({
        keys: z.array(z.string()).optional().describe('The tenant keys of this table.'),
        append: z.boolean().optional().describe('Rows are only added: an audit log.'),
        shared: z.boolean().optional().describe('All tenants share the rows of this table.'),
      }),
    )
    .optional()
    .describe('What holds for single tables.'),
  settings: z.array(z.string()).optional().describe('Postgres settings that carry the tenant: app.current_tenant_id.'),
  roles: z
    .strictObject({
      app: z.array(z.string()).optional().describe('Database roles that the application runs as.'),
      admin: z.array(z.string()).optional().describe('Database roles that may see every tenant: the migrator.'),
    })
    .optional()
    .describe('Database roles.'),
  schemas: z.string().optional().describe('A pattern of the schemas that each belong to one tenant: tenant_*.'),
});

const sources = z.strictObject({
  code: z.array(z.string()).optional().describe('Patterns of code files; all product code where absent.'),
  migrations: z
    .array(z.string())
    .optional()
    .describe('Folders or patterns of migrations; recognised by layout where absent.'),
  schema: z.array(z.string()).optional().describe('Schema files: prisma/schema.prisma; found where absent.'),
  ignore: z.array(z.string()).optional().describe('Patterns of files that are not looked at.'),
});

const trust = z.strictObject({
  tenant: z
    .array(z.string())
    .optional()
    .describe("Trusted sources of the current tenant: 'ctx.session.orgId', 'getTenant()'."),
  input: z.array(z.string()).optional().describe("Further untrusted sources: 'ctx.input'."),
  guards: z
    .record(
      z.string(),
      z.strictObject({
        tenant: z.number().int().min(0).optional(),
        user: z.number().int().min(0).optional(),
        id: z.number().int().min(0).optional(),
      }),
    )
    .optional()
    .describe('Functions that throw unless the arguments at these positions belong together.'),
  clients: z
    .record(z.string(), z.enum(['bypass', 'scoped']))
    .optional()
    .describe('Database clients that bypass isolation, or are bound to a tenant.'),
});

const severity = z.enum(['off', 'info', 'warning', 'error']);
const ruleSetting = z.union([severity, z.tuple([severity]), z.tuple([severity, z.record(z.string(), z.unknown())])], {
  error: 'write off, info, warning or error, or [severity, options]',
});

export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('The JSON schema of this file, for editors.'),
  tenancy: tenancy.optional().describe('Who owns what. Everything here is inferred where absent.'),
  sources: sources.optional().describe('Where code, migrations and schema are.'),
  trust: trust.optional().describe('Where trusted and untrusted values come from.'),
  intended: z
    .array(z.strictObject({ files: z.array(z.string()).min(1), reason: z.string().min(1) }))
    .optional()
    .describe('Declared cross-tenant code, each area with a reason.'),
  overrides: z
    .array(
      z.strictObject({
        files: z.array(z.string()).min(1),
        tenancy: tenancy.optional(),
        rules: z.record(z.string(), ruleSetting).optional(),
      }),
    )
    .optional()
    .describe('What differs in parts of the repository.'),
  rules: z.record(z.string(), ruleSetting).optional().describe('Severity and options of rules.'),
  sqlParser: z
    .enum(['libpg-query', 'pgsql-ast-parser'])
    .optional()
    .describe('The SQL parser; libpg-query where absent.'),
  libraries: z
    .strictObject({
      strictUndefinedChecks: z
        .boolean()
        .optional()
        .describe('Prisma throws on undefined instead of dropping the filter.'),
    })
    .optional()
    .describe('Options of data libraries that change what they do.'),
});

/** The configuration as a user writes it. */
export type Config = z.input<typeof configSchema>;
