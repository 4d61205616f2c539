import type { Rule } from '@tenant-lint/engine';
import { coverageOf, parseCases, type Case } from '@tenant-lint/rule-tester';
import { configJsonSchema } from '@tenant-lint/workspace/config';
import { banner, json, type Output, type Source } from './outputs.js';

/** Entry of the project's copy of the defect catalogue: test/catalogue/ids.json. */
export interface CatalogueEntry {
  readonly id: string;
  readonly title: string;
  /** The rule it is assigned to, 'documented only' for what has no bad form. */
  readonly rule: string;
  /** What is missing before its rule can have a case for it. */
  readonly waits?: string;
}

/** A claim about Postgres that is not true: test/catalogue/refuted.json. */
interface Refuted {
  readonly claim: string;
  readonly truth: string;
  readonly rule: string;
}

/** The table of rules for people: docs/rules.md. */
export function rulesTable({ rules }: Source): Output {
  const groups = [...new Set(rules.map((rule) => rule.meta.group))];
  const sections = groups.flatMap((group) => [
    `## ${group}`,
    '',
    '| Rule | What it asks for | Severity | Recommended | Languages |',
    '| --- | --- | --- | --- | --- |',
    ...rules
      .filter((rule) => rule.meta.group === group)
      .map(({ meta }) => {
        const link = `[${meta.id}](../rules/${group}/${meta.id}/README.md)`;
        return `| ${link} | ${meta.summary} | ${meta.severity} | ${meta.recommended ? 'yes' : 'no'} | ${meta.hosts.join(', ')} |`;
      }),
    '',
  ]);
  return { path: 'docs/rules.md', text: [`<!-- ${banner} -->`, '', '# Rules', '', ...sections].join('\n') };
}

/** Which entries of the catalogue have a rule, by which cases, and whether they were executed: docs/coverage.md. */
export function coverageTable({ rules, read }: Source): Output {
  const entries = catalogue(read);
  const reasons = JSON.parse(read('test/catalogue/not-executed.json') ?? '{}') as Readonly<Record<string, string>>;
  const refuted = JSON.parse(read('test/catalogue/refuted.json') ?? '[]') as readonly Refuted[];
  const byId = new Map(rules.map((rule) => [rule.meta.id, rule]));
  const cases = new Map<string, Case[]>();
  const casesOf = ({ meta }: Rule): Case[] => {
    const known = cases.get(meta.id) ?? parseCases(read(`rules/${meta.group}/${meta.id}/cases.md`) ?? '');
    cases.set(meta.id, known);
    return known;
  };
  const state = (entry: CatalogueEntry): string[] => {
    const rule = byId.get(entry.rule);
    if (!rule) return ['0', '0', entry.rule === 'documented only' ? 'no bad form' : 'waits for its rule'];
    const { bad, good, executed, refuted } = coverageOf(entry.id, entry.rule, casesOf(rule));
    const effect = executed === 0 ? (reasons[entry.id] ?? entry.waits ?? 'no') : `${executed} bad, ${refuted} good`;
    return [`${bad}`, `${good}`, effect];
  };
  const row = (entry: CatalogueEntry, cells: readonly string[]): string =>
    `| ${[entry.id, escapeCell(entry.title), entry.rule, ...cells].join(' | ')} |`;
  const sql = entries.filter((entry) => !isOfCode(entry));
  const code = entries.filter(isOfCode);
  return {
    path: 'docs/coverage.md',
    text: [
      `<!-- ${banner} -->`,
      '',
      '# Coverage of the defect catalogue',
      '',
      `${entries.filter((entry) => byId.has(entry.rule)).length} of ${entries.length} entries have a rule with a case for each of them. Bad cases must be reported at their line, good`,
      'ones must not; both stand in the `cases.md` of the rule. Executed means that a probe in an embedded Postgres shows the effect of a bad case,',
      'and that there is none in a good one.',
      '',
      '## Schema, migrations and SQL',
      '',
      '| Entry | Defect | Rule | Bad | Good | Executed |',
      '| --- | --- | --- | --- | --- | --- |',
      ...sql.map((entry) => row(entry, state(entry))),
      '',
      '## Claims that Postgres refutes',
      '',
      'Other tools and guides rest on them. A case of the rule executes what is true.',
      '',
      '| Claim | What is true | Rule |',
      '| --- | --- | --- |',
      ...refuted.map((one) => `| ${one.claim} | ${one.truth} | ${one.rule} |`),
      '',
      '## Application code',
      '',
      'What the libraries do with a query is tested with the libraries themselves (`packages/typescript/test`).',
      '',
      '| Entry | Defect | Rule | Bad cases |',
      '| --- | --- | --- | --- |',
      ...code.map((entry) => {
        const [bad, , effect = ''] = state(entry);
        return row(entry, [bad === '0' ? effect : `${bad}`]);
      }),
      '',
    ].join('\n'),
  };
}

const isOfCode = (entry: CatalogueEntry): boolean => entry.id.startsWith('C-');

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The project's copy of the catalogue; empty where there is none. */
export const catalogue = (read: Source['read']): readonly CatalogueEntry[] =>
  JSON.parse(read('test/catalogue/ids.json') ?? '[]') as CatalogueEntry[];

/** Rules as SARIF describes them (`tool.driver.rules`): packages/cli/src/reporters/sarif-rules.gen.json is embedded as TypeScript. */
export function sarifRules({ rules }: Source): Output {
  const level = { error: 'error', warning: 'warning', info: 'note' } as const;
  const descriptors = rules.map(({ meta }) => ({
    id: meta.id,
    name: meta.id,
    shortDescription: { text: `${meta.summary}.` },
    fullDescription: { text: firstMessage({ meta } as Rule) },
    help: { text: helpOf({ meta } as Rule) },
    defaultConfiguration: { level: level[meta.severity], enabled: meta.recommended },
    properties: { group: meta.group, tags: ['security', 'multi-tenancy', meta.group], catalogue: meta.catalogue },
  }));
  return typescriptData(
    'packages/cli/src/gen/sarif-rules.gen.ts',
    'sarifRules',
    'Descriptors of all rules for SARIF, in the order of the registry.',
    descriptors,
  );
}

/** What `explain RULE` prints: the text of each README without its header. */
export function explainTexts({ rules, read }: Source): Output {
  const texts = Object.fromEntries(
    rules.map(({ meta }) => [meta.id, bodyOf(read(`rules/${meta.group}/${meta.id}/README.md`) ?? '')]),
  );
  return typescriptData(
    'packages/cli/src/gen/explain.gen.ts',
    'explainTexts',
    'The documentation of each rule, by id.',
    texts,
  );
}

/** The JSON schema of the configuration, with the rules there are: docs/config.schema.json. */
export function configSchema({ rules }: Source): Output {
  const schema = configJsonSchema();
  const properties = schema['properties'] as Record<string, object>;
  const names = { enum: rules.map((rule) => rule.meta.id) };
  const value = {
    ...schema,
    title: 'Configuration of tenant-lint',
    properties: { ...properties, rules: { ...properties['rules'], propertyNames: names } },
  };
  return { path: 'docs/config.schema.json', text: json(value) };
}

/** Meta and presets for ESLint, one preset set per language. */
export function eslintMeta({ rules }: Source): Output {
  const meta = rules
    .filter((rule) => rule.meta.group !== 'meta')
    .map(({ meta: m }) => ({
      id: m.id,
      description: `${m.summary}.`,
      type: 'problem',
      severity: m.severity,
      recommended: m.recommended,
      ...(m.platform ? { platform: m.platform } : {}),
      hosts: m.hosts,
      messages: Object.fromEntries(Object.entries(m.messages).map(([id, t]) => [id, `${t.what} ${t.why} ${t.fix}`])),
      options: m.options ?? {},
    }));
  const preset = (host: string, on: (m: (typeof meta)[number]) => boolean): Record<string, string> =>
    Object.fromEntries(
      meta.flatMap((m) =>
        m.hosts.includes(host as (typeof m.hosts)[number]) && on(m)
          ? [[`tenant-lint/${m.id}`, m.severity === 'error' ? 'error' : 'warn']]
          : [],
      ),
    );
  const presets = {
    recommended: preset('typescript', (m) => m.recommended && m.severity !== 'info'),
    strict: preset('typescript', (m) => m.recommended),
    all: preset('typescript', () => true),
    'recommended-sql': preset('sql', (m) => m.recommended && m.severity !== 'info'),
    'strict-sql': preset('sql', (m) => m.platform === undefined),
    'supabase-sql': preset('sql', (m) => m.recommended || m.platform === 'supabase'),
    'all-sql': preset('sql', () => true),
  };
  return typescriptData(
    'packages/eslint-plugin/src/gen/rules.gen.ts',
    'generated',
    'What ESLint must know of each rule, and the presets.',
    { rules: meta, presets },
  );
}

const firstMessage = (rule: Rule): string => {
  const [first] = Object.values(rule.meta.messages);
  return first ? first.why.replace(/\{(\w+)\}/g, '<$1>') : rule.meta.summary;
};

const helpOf = (rule: Rule): string =>
  Object.values(rule.meta.messages)
    .map((m) => `${m.what} ${m.why} ${m.fix}`.replace(/\{(\w+)\}/g, '<$1>'))
    .join('\n');

const bodyOf = (readme: string): string =>
  readme.slice(readme.indexOf('-->', readme.indexOf('<!-- end generated')) + 3).trim();

function typescriptData(path: string, name: string, comment: string, value: unknown): Output {
  return { path, text: `// ${banner}\n/** ${comment} */\nexport const ${name} = ${json(value).trim()} as const;\n` };
}
