import type { Model } from '@tenant-lint/analysis';
import { runRules } from '@tenant-lint/engine';
import type { Finding } from '@tenant-lint/model';
import { rules } from '@tenant-lint/rules';
import { analyze } from '@tenant-lint/rule-tester';
import { beforeAll, describe, expect, it } from 'vitest';
import { conditionsOf, projects, type Condition } from './mutation/corpus.js';
import { mutantsOf, type Mutant } from './mutation/mutants.js';
import { refactoringsOf, type Refactored } from './mutation/refactorings.js';

/** Mutants that isolate all the same, by project and what is changed, and why. */
const isolating: readonly { readonly project: string; readonly changed: RegExp; readonly why: string }[] = [
  {
    project: 'no-unscoped-get: An id that came with an isolated row',
    changed: /^\{? ?(?:id|projectId): /,
    why: 'the organization is asked for beside the identifier that is changed',
  },
  {
    project: 'no-untrusted-tenant: The organization that the membership names',
    changed: /wanted/,
    why: 'whichever row is found is a membership of the user, and names an organization of theirs',
  },
  {
    project: 'no-unscoped-get: The owner of another identifier is looked up',
    changed: /\bid\b/,
    why: 'what is wrong there is said already, at the row that this look-up does not speak of',
  },
  {
    project: 'no-unscoped-get: A wrapper that asks only for a member',
    changed: /orgId|organizationId/,
    why: 'what is wrong there is said already: the wrapper never looked at the document',
  },
  {
    project: 'no-unscoped-get: A person who may belong to other organizations [C-3]',
    changed: /findFirst/,
    why: 'the first person of all is none that the request names, and persons are rows of no one tenant: a limit, not an argument',
  },
  {
    project: 'require-tenant-filter: A builder of TypeORM that is handed to a function',
    changed: /^query\.alias\}/,
    why: 'the mutant is no program: where a condition behind a hole stands is not exact, a limit',
  },
  {
    project: 'no-foreign-link: Teams of the body are tied to a new project [C-36]',
    changed: /^organizationId => /,
    why: 'a compound key takes values and no operators: Prisma refuses the query',
  },
  {
    project: 'no-foreign-link: Teams that were found within the organization',
    changed: /^organizationId => /,
    why: 'a compound key takes values and no operators: Prisma refuses the query',
  },
  {
    project: 'satox: safe',
    changed: /^tenant_id = \$1/,
    why: 'the transaction sets the tenant, and the policies of the tables hold: the matrix of the system executes that',
  },
  {
    project: 'task-tracker: safe',
    changed: /^eq\(timeEntries\.(?:userId|organizationId), /,
    why: 'the other key of the table is asked for too, or the project that the row is joined to belongs to the organization',
  },
];

interface Tried {
  readonly condition: Condition;
  readonly mutants: readonly { readonly mutant: Mutant; readonly found: boolean }[];
  readonly changed: readonly { readonly refactored: Refactored; readonly was: string; readonly is: string }[];
}

const findingsOf = (model: Model): readonly Finding[] => runRules(model, rules, { confidence: 'possible' }).findings;

/** What the rules say, without places: a change moves them. */
const saidOf = (findings: readonly Finding[]): string[] =>
  findings.map((f) => `${f.span?.file ?? ''} ${f.rule} ${f.text.what}`);

/** Whether something is wrong already where a condition stands, or with the tenants of its project: a change may add to that. */
const isWrong = ({ within }: Condition, findings: readonly Finding[]): boolean =>
  findings.some(
    ({ rule, span }) =>
      rule === 'no-untrusted-tenant' ||
      rule === 'no-fail-open-check' ||
      (span?.file === within.file && span.start < within.end && span.end > within.start),
  );

/** How many are there that were not before. */
function added(now: readonly string[], before: readonly string[]): number {
  const left = [...before];
  return now.filter((f) => {
    const at = left.indexOf(f);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  }).length;
}

/** The verdicts of a project about code, and what the rules say of it. */
function verdictsOf(model: Model): string {
  const verdicts = model.accesses
    .filter((a) => a.chain !== undefined)
    .flatMap((a) => a.targets.map((t) => `${a.library}.${a.method} ${t.role} ${model.verdict(a, t).kind}`));
  return [...verdicts, ...saidOf(findingsOf(model))].sort().join('\n');
}

/** The lines of one text that another has not. */
function linesOnlyIn(one: string, other: string): string {
  const left = other.split('\n');
  return one
    .split('\n')
    .filter((line) => {
      const at = left.indexOf(line);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    })
    .join(', ');
}

const shown = (change: string): string => change.replace(/\s+/g, ' ').slice(0, 160);

describe('conditions that accesses are isolated by', () => {
  const tried: Tried[] = [];

  beforeAll(() => {
    for (const project of projects()) {
      const model = analyze(project.files);
      const before = findingsOf(model);
      const was = verdictsOf(model);
      for (const condition of conditionsOf(project, model)) {
        if (isWrong(condition, before)) continue;
        const mutants = mutantsOf(condition).map((mutant) => ({
          mutant,
          found: added(saidOf(findingsOf(analyze(mutant.files))), saidOf(before)) > 0,
        }));
        const changed = refactoringsOf(condition).map((refactored) => ({
          refactored,
          was,
          is: verdictsOf(analyze(refactored.files)),
        }));
        tried.push({ condition, mutants, changed });
      }
    }
  }, 400_000);

  it('are many, of every library that has a query language of its own', () => {
    const libraries = new Set(tried.map((t) => t.condition.library));
    const missing = [
      'prisma',
      'drizzle',
      'pg',
      'typeorm',
      'mikro-orm',
      'mongoose',
      'knex',
      'objection',
      'kysely',
      'supabase',
    ];
    expect(missing.filter((one) => !libraries.has(one))).toEqual([]);
    expect(tried.length).toBeGreaterThan(150);
    expect(tried.flatMap((t) => t.mutants).length).toBeGreaterThan(600);
    expect(tried.flatMap((t) => t.changed).length).toBeGreaterThan(400);
  });

  it('are found missing when they are broken', () => {
    const survivors = tried.flatMap((t) => t.mutants).filter((m) => !m.found);
    const used = new Set<string>();
    const unexplained = survivors.filter(({ mutant }) => {
      const why = isolating.find((i) => i.project === mutant.condition.project.name && i.changed.test(mutant.change));
      if (why) used.add(why.project);
      return !why;
    });
    expect(
      unexplained.map(({ mutant }) => `${mutant.condition.project.name} | ${mutant.kind} | ${shown(mutant.change)}`),
    ).toEqual([]);
    expect([...used].sort()).toEqual(isolating.map((i) => i.project).sort());
  });

  it('are understood however they are written', () => {
    const moved = tried.flatMap((t) => t.changed).filter((c) => c.was !== c.is);
    expect(
      moved.map(
        ({ refactored: r, was, is }) =>
          `${r.condition.project.name} | ${r.kind} | ${shown(r.change)}: ${linesOnlyIn(was, is)} -> ${linesOnlyIn(is, was)}`,
      ),
    ).toEqual([]);
  });
});
