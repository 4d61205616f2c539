import { relations } from 'drizzle-orm';
import { foreignKey, index, integer, pgTable, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';

const timestamps = { createdAt: timestamp('created_at', { withTimezone: true }).defaultNow().notNull() };

export const orgs = pgTable('orgs', {
  id: uuid('id').primaryKey().defaultRandom(),
  slug: text('slug').notNull().unique(),
});

export const users = pgTable('users', { id: uuid('id').primaryKey(), email: text().notNull() });

export const members = pgTable(
  'members',
  {
    orgId: uuid('org_id')
      .notNull()
      .references(() => orgs.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
  },
  (t) => [primaryKey({ columns: [t.orgId, t.userId] })],
);

export const invoices = pgTable(
  'invoices',
  {
    id: uuid('id').primaryKey(),
    orgId: uuid('org_id')
      .notNull()
      .references(() => orgs.id),
    total: integer().notNull(),
    number: text('number'),
    authorId: uuid('author_id'),
    ...timestamps,
  },
  (t) => [
    index('invoices_by_org').on(t.orgId, t.createdAt),
    unique().on(t.orgId, t.number),
    foreignKey({ columns: [t.orgId, t.authorId], foreignColumns: [members.orgId, members.userId] }).onDelete('cascade'),
  ],
);

export const lines = pgTable('lines', {
  id: uuid('id').primaryKey(),
  invoiceId: uuid('invoice_id')
    .notNull()
    .references(() => invoices.id),
  text: text('text'),
});

export const orgRelations = relations(orgs, ({ many }) => ({ invoices: many(invoices), members: many(members) }));
export const invoiceRelations = relations(invoices, ({ one, many }) => ({
  org: one(orgs, { fields: [invoices.orgId], references: [orgs.id] }),
  lines: many(lines),
}));
export const lineRelations = relations(lines, ({ one }) => ({
  invoice: one(invoices, { fields: [lines.invoiceId], references: [invoices.id] }),
}));
