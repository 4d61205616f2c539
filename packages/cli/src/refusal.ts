import { Failure, type Built } from '@tenant-lint/workspace';

const shownUnchecked = 5;

/** Where inference found nothing convincing: the failure that names the candidates, so that one line of configuration settles it. */
export function refusal({ model, counted }: Built): Failure | undefined {
  const { refused } = model.tenancy;
  if (!refused) return undefined;
  if (counted.found === 0)
    return new Failure('There is nothing to check here: no TypeScript, JavaScript, SQL or Prisma file was found.', {
      advice: 'Run it in the folder of the project, or give that folder as a path.',
    });
  if (model.schema.tables.size === 0)
    return new Failure(
      [
        `No table was found in ${counted.found} ${counted.found === 1 ? 'file' : 'files'}, so nothing says which rows belong to which tenant.`,
        ...unread(model.unchecked),
      ].join('\n'),
      {
        advice:
          'Run it where the migrations or the Prisma or Drizzle schema are, or name the migrations in tenant-lint.config.ts: sources: { migrations: [...] }.',
      },
    );
  const candidates = refused.candidates
    .slice(0, 5)
    .map((c) => `  ${c.key}${c.root === undefined ? '' : ` (tenants in ${c.root})`}: on ${c.tables} tables; ${c.why}`);
  const [first] = refused.candidates;
  return new Failure(
    [
      `Which column says whose row it is could not be inferred: ${refused.reason}.`,
      ...(candidates.length > 0 ? ['Candidates:', ...candidates] : []),
      ...unread(model.unchecked),
    ].join('\n'),
    {
      advice: `Name it in tenant-lint.config.ts: tenancy: { keys: ['${first?.key ?? 'tenant_id'}'], roots: ['${first?.root ?? 'tenants'}'] }.`,
    },
  );
}

/** What could not be read may be what is missing. */
function unread(unchecked: Built['model']['unchecked']): string[] {
  if (unchecked.length === 0) return [];
  const lines = [
    ...new Set(
      unchecked.map((u) => `  ${u.file}: ${u.reason}${u.detail === undefined ? '' : ` (${u.detail.split('\n')[0]})`}`),
    ),
  ];
  const more = lines.length - shownUnchecked;
  return ['Not checked:', ...lines.slice(0, shownUnchecked), ...(more > 0 ? [`  ... and ${more} more`] : [])];
}
