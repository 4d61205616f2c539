import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { Need, PolicySubject, StatementSubject, SubjectKind, Subjects, TargetSubject } from './rule.js';

/**
 * Accesses that serve requests: those of code and of query files. Statements of migrations, seeds and tests speak for all tenants by
 * their nature; rules about them have `statement` as subject.
 */
export function servingAccesses(model: Model): LinkedAccess[] {
  return model.accesses.filter((access) => {
    const role = model.files.get(access.file)?.sql?.role;
    return role === undefined || role === 'query';
  });
}

/** Targets that must be isolated: existing rows, of a table whose rows belong to tenants or to persons in them. */
export function* obligations(model: Model): Iterable<TargetSubject> {
  for (const access of servingAccesses(model)) {
    for (const target of access.targets) {
      if (target.operation === 'create') continue;
      const table = model.tableOf(target);
      if (table === undefined) continue;
      const tenancy = model.tenancyOf(table.id);
      const isOwned = tenancy.kind === 'keyed' || tenancy.kind === 'child' || tenancy.kind === 'root';
      if (isOwned || (tenancy.kind === 'unknown' && tenancy.person)) yield { access, target };
    }
  }
}

/** Everything of a kind that a model holds, in a stable order. Suppressions are not of the model; see suppress.ts. */
export function subjectsOf<S extends Exclude<SubjectKind, 'suppression'>>(
  kind: S,
  model: Model,
): Iterable<Subjects[S]> {
  return enumerate[kind](model) as Iterable<Subjects[S]>;
}

type Enumerators = { readonly [S in Exclude<SubjectKind, 'suppression'>]: (model: Model) => Iterable<Subjects[S]> };

const enumerate: Enumerators = {
  view: (model) => model.schema.views.values(),
  target: obligations,
  access: servingAccesses,
  // What the database itself enforces is asked of tables of SQL only.
  table: (model) => [...model.schema.tables.values()].filter((t) => !t.documents),
  *policy(model): Iterable<PolicySubject> {
    for (const table of model.schema.tables.values()) for (const policy of table.policies) yield { table, policy };
  },
  *function(model) {
    for (const overloads of model.schema.functions.values()) yield* overloads;
  },
  *statement(model): Iterable<StatementSubject> {
    for (const facts of model.files.values()) {
      // What is there says nothing of the statements that made it.
      if (facts.live) continue;
      for (const event of facts.schema) yield { facts, event };
    }
  },
  *project(model) {
    yield model;
  },
};

/** Whether a project has what a rule needs. */
export function isMet(need: Need, model: Model): boolean {
  switch (need) {
    case 'schema':
      return model.schema.tables.size > 0;
    case 'migrations':
      return model.schema.sources.some((source) => source === 'migrations' || source === 'dump' || source === 'live');
    case 'code':
      return [...model.files.values()].some((facts) => facts.dialect === 'typescript');
  }
}
