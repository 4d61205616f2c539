/** Names of tables and columns as words: what `org_id`, `orgId` and `organisation_id` have in common. */

const synonyms: ReadonlyMap<string, string> = new Map(
  Object.entries({
    org: 'organization',
    organisation: 'organization',
    ws: 'workspace',
    acct: 'account',
    env: 'environment',
  }),
);

/** How much a name says that a table holds the tenants. Weights, not truth: what refers to the table decides more. */
const nouns: ReadonlyMap<string, number> = new Map(
  Object.entries({
    tenant: 1,
    organization: 1,
    workspace: 0.95,
    team: 0.85,
    account: 0.8,
    company: 0.8,
    business: 0.6,
    agency: 0.6,
    merchant: 0.6,
    institution: 0.5,
    project: 0.5,
    space: 0.5,
    store: 0.5,
    shop: 0.5,
    site: 0.4,
    brand: 0.4,
    community: 0.4,
    client: 0.35,
    environment: 0.3,
    application: 0.3,
    app: 0.3,
    customer: 0.3,
  }),
);

/**
 * Names of things that divide a tenant rather than belong to its data: rows inside them carry their key. An organization below a tenant
 * may as well be a customer in its address book; whether it has members tells.
 */
const divisions: ReadonlySet<string> = new Set(['workspace', 'project', 'environment', 'space']);

/** Names are few, and asked for again and again. */
function remembering<T>(f: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined || known.has(name)) return before as T;
    if (known.size > 20_000) known.clear();
    const answer = f(name);
    known.set(name, answer);
    return answer;
  };
}

/** The words of a name in lower case: `_orgIDs` is org, ids; `tenantid`, as Postgres folds it, is tenant, id. */
export const wordsOf: (name: string) => readonly string[] = remembering((name) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((w) => w !== '')
    .flatMap((w) => folded(w.toLowerCase())),
);

function folded(word: string): readonly string[] {
  const [, name, id] = /^([a-z]+?)(id|uuid|guid)$/.exec(word) ?? [];
  if (name === undefined || id === undefined) return [word];
  return nouns.has(name) || synonyms.has(name) || name === 'user' ? [name, id] : [word];
}

export function singular(word: string): string {
  if (/(?:ss|us|is)$/.test(word) || word.length < 4) return word;
  if (/ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|x|ss|zz)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') ? word.slice(0, -1) : word;
}

const plainWord = (word: string): string => {
  const one = singular(word);
  return synonyms.get(one) ?? one;
};

/** The words of a table's name in the singular. */
export const tableWords: (name: string) => readonly string[] = remembering((name) => wordsOf(name).map(plainWord));

/**
 * What a column that refers to something calls it: `tenant_id`, `tenantUuid` and `tenant` are `tenant`. Undefined for a column that is only
 * called id.
 */
export const stemOf: (column: string) => string | undefined = remembering((column) => {
  const words = [...wordsOf(column)];
  while (words.length > 0 && /^(?:id|uuid|guid|fk|pk|ref)$/.test(words[words.length - 1] ?? '')) words.pop();
  // `id_clinica`, as in languages that put the noun first.
  if (words.length === 2 && /^(?:id|uuid|fk)$/.test(words[0] ?? '')) words.shift();
  return words.length === 0 ? undefined : words.map(plainWord).join(' ');
});

/** A column that says by its name that it holds an identifier, rather than some other name or a label. */
export const isIdentifier = (column: string): boolean => /^(?:id|uuid|guid)$/.test(headOf(wordsOf(column)));

/** Whether the column's name says that it refers to something: `org_id`, not `organization`. */
export const looksLikeReference = (column: string): boolean => {
  const words = wordsOf(column);
  return words.length > 1 && /^(?:id|uuid|guid)$/.test(words[words.length - 1] ?? '');
};

export const headOf = (words: readonly string[]): string => words[words.length - 1] ?? '';

export const nounWeight = (words: readonly string[]): number => nouns.get(headOf(words)) ?? 0;

export const isDivision = (words: readonly string[]): boolean => divisions.has(headOf(words));

/** The stems whose columns are keys although no table is called so: strong names only. */
export const isTenantStem = (stem: string): boolean => (nouns.get(stem) ?? 0) >= 0.8;

/** Whether `stem` is a name of the table, or the end of it: `environment` for `runtime_environments`. */
export function namesTable(stem: string, words: readonly string[]): boolean {
  const full = words.join(' ');
  return full === stem || full.endsWith(` ${stem}`);
}
