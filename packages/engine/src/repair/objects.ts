import type { Finding, GrantObject, SchemaFunction, View } from '@tenant-lint/model';
import type { Project } from './project.js';
import type { Repair, RepairStep } from './step.js';

interface Change {
  readonly action: string;
  readonly back?: string;
  readonly title: string;
  readonly note?: string;
}

/** ALTER FUNCTION for the function that a finding speaks of. */
export function alterFunction(change: (project: Project, f: SchemaFunction, finding: Finding) => Change | string) {
  return (project: Project, finding: Finding): Repair => {
    let reason = 'no migration of this project makes the function';
    for (const f of [...project.model.schema.functions.values()].flat()) {
      if (!project.isAt({ ...finding, related: [] }, f.origin)) continue;
      const history = project.historyOf(f.origin);
      if (history === undefined) continue;
      const made = change(project, f, finding);
      if (typeof made === 'string') {
        reason = made;
        continue;
      }
      const signature = signatureOf(project, f, history);
      const step: RepairStep = {
        id: `function ${signature} ${made.action}`,
        phase: 'functions',
        history,
        title: made.title,
        up: [`ALTER FUNCTION ${signature} ${made.action}`],
        down: made.back === undefined ? [] : [`ALTER FUNCTION ${signature} ${made.back}`],
        claims: [finding.fingerprint],
        needs: [],
        notes: made.note === undefined ? [] : [made.note],
      };
      return { steps: [step] };
    }
    return { reason };
  };
}

/** A function with the types of its input parameters, which tell overloads apart. */
function signatureOf(project: Project, f: SchemaFunction, history: string): string {
  const inputs = f.parameters.filter((p) => p.mode === 'in' || p.mode === 'inout' || p.mode === 'variadic');
  return `${project.names(history).object(f.name)}(${inputs.map((p) => p.type).join(', ')})`;
}

/** Where the names of the body are looked up today, without what a caller could put in front. */
function pathFor(project: Project, f: SchemaFunction): string {
  const own = f.name.schema ?? 'public';
  const hosted = [...project.model.files.keys()].some((file) => /(?:^|\/)supabase\/migrations\//.test(file));
  const schemas = [...new Set([own, 'public', ...(hosted ? ['extensions'] : [])])];
  return [...schemas.map((s) => project.names(project.historyOf(f.origin) ?? '').name(s)), 'pg_temp'].join(', ');
}

export const pinSearchPath = alterFunction((project, f) => {
  const path = f.settings['search_path'];
  if (path !== undefined && path.trim() === '') return 'its search_path is not known';
  return {
    action: `SET search_path = ${path === undefined ? pathFor(project, f) : `${path}, pg_temp`}`,
    back: path === undefined ? 'RESET search_path' : `SET search_path = ${path}`,
    title: `A caller cannot put objects of his own in the place of those that ${f.name.name} names.`,
  };
});

export const notLeakproof = alterFunction((_, f) => ({
  action: 'NOT LEAKPROOF',
  title: `${f.name.name} sees no rows that policies hide.`,
}));

export const makeStable = alterFunction((_, f) => ({
  action: 'STABLE',
  title: `What ${f.name.name} says holds for one statement.`,
}));

/** VOLATILE by default only: a body that surely changes nothing. */
export const declareStable = alterFunction((_, f, finding) =>
  !finding.message.startsWith('volatile')
    ? 'the condition has to be written anew by hand'
    : f.queries.every((q) => q.operation === 'read') && !changes.test(f.text)
      ? {
          action: 'STABLE',
          back: 'VOLATILE',
          title: `${f.name.name} changes nothing, and its result holds for a statement.`,
        }
      : 'whether the function changes nothing is not to be seen',
);

const changes =
  /\b(?:insert|update|delete|merge|truncate|nextval|setval|set_config|random|clock_timestamp|timeofday|gen_random_uuid|perform|execute|notify|lock|raise)\b/i;

export const restoreAttribute = alterFunction((_, f, finding) => {
  const lost = f.lost?.find((l) => finding.message !== 'path' || l.what === 'search_path');
  if (finding.message === 'path' && lost?.value !== undefined && lost.value.trim() !== '')
    return {
      action: `SET search_path = ${lost.value}`,
      back: 'RESET search_path',
      title: `${f.name.name} has its search_path again.`,
    };
  if (finding.message === 'elevated')
    return {
      action: 'SECURITY INVOKER',
      back: 'SECURITY DEFINER',
      title: `${f.name.name} runs with the rights of whoever calls it, as before.`,
    };
  return 'it would give the function the rights of its owner again, which is yours to decide';
});

/** no-public-definer. */
export const revokeExecute = (project: Project, finding: Finding): Repair => {
  const f = [...project.model.schema.functions.values()]
    .flat()
    .find((one) => project.isAt({ ...finding, related: [] }, one.origin));
  const history = f && project.historyOf(f.origin);
  if (!f || history === undefined) return { reason: 'no migration of this project makes the function' };
  const signature = signatureOf(project, f, history);
  return {
    steps: [
      {
        id: `execute ${signature}`,
        phase: 'privileges',
        history,
        title: `Only roles that are granted ${f.name.name} may call it.`,
        up: [`REVOKE EXECUTE ON FUNCTION ${signature} FROM PUBLIC`],
        down: [`GRANT EXECUTE ON FUNCTION ${signature} TO PUBLIC`],
        claims: [finding.fingerprint],
        needs: [],
        notes: [`A role that calls ${f.name.name} needs GRANT EXECUTE from then on.`],
      },
    ],
  };
};

/** ALTER VIEW ... SET for the view that a finding speaks of. */
export function viewOption(option: string, value: string, title: (view: View) => string, note?: string) {
  return (project: Project, finding: Finding): Repair => {
    const views = [...project.model.schema.views.values()];
    const view = views.find((v) => project.isAt({ ...finding, related: [] }, v.origin, v.query?.span));
    const history = view && project.historyOf(view.origin);
    if (!view || history === undefined) return { reason: 'no migration of this project makes the view' };
    const of = project.names(history).object(view.name);
    return {
      steps: [
        {
          id: `view ${view.id} ${option}`,
          phase: 'row security',
          history,
          title: title(view),
          up: [`ALTER VIEW ${of} SET (${option} = ${value})`],
          down: [`ALTER VIEW ${of} RESET (${option})`],
          claims: [finding.fingerprint],
          needs: [],
          notes: note === undefined ? [] : [note],
        },
      ],
    };
  };
}

/** no-truncate-grant: what row security does not govern is revoked, table by table. */
export function revokeTruncate(project: Project, finding: Finding): Repair {
  const steps: RepairStep[] = [];
  for (const grant of project.model.schema.grants) {
    if (!project.isAt(finding, { created: grant.span, changed: [] })) continue;
    for (const role of grant.to) {
      if (!finding.text.what.includes(role === 'public' ? 'PUBLIC' : role)) continue;
      for (const object of grant.on) {
        const table = tableOf(project, object);
        const history = table && project.historyOf(table.origin);
        if (!table || history === undefined) continue;
        const names = project.names(history);
        const beyond = grant.privileges.some((p) => p.startsWith('all'))
          ? ['TRUNCATE', 'REFERENCES', 'TRIGGER']
          : grant.privileges.map((p) => p.toUpperCase()).filter((p) => /^(?:TRUNCATE|REFERENCES|TRIGGER)$/.test(p));
        const on = `${beyond.join(', ')} ON ${names.table(table)}`;
        steps.push({
          id: `revoke ${on} ${role}`,
          phase: 'privileges',
          history,
          title: `${role} may do nothing with ${table.name.name} that row security does not govern.`,
          up: [`REVOKE ${on} FROM ${names.role(role)}`],
          down: [`GRANT ${on} TO ${names.role(role)}`],
          table: table.id,
          claims: [finding.fingerprint],
          needs: [],
          notes: [],
        });
      }
    }
  }
  return steps.length > 0
    ? { steps }
    : { reason: 'the privilege is not granted by a statement about the table itself' };
}

const tableOf = (project: Project, object: GrantObject) =>
  object.kind === 'table' ? project.table(`${object.name.schema ?? 'public'}.${object.name.name}`) : undefined;

/** no-bypassing-role and no-owning-app-role, where a statement about the role mends it. */
export function limitRole(project: Project, finding: Finding): Repair {
  const named = [...project.model.schema.roles.values()].filter((r) =>
    [
      r.origin.created,
      ...r.origin.changed,
      ...Object.values(r.attributeAt ?? {}),
      ...Object.values(r.memberAt ?? {}),
    ].some((s) => s.file === finding.span?.file && s.start === finding.span.start),
  );
  const role = named.find((r) => finding.text.what.includes(`role ${r.name} `) || finding.text.what.endsWith(r.name));
  const history = role && project.historyOf(role.origin);
  if (!role || history === undefined) return { reason: 'no migration of this project makes the role' };
  const names = project.names(history);
  const step = (what: string, up: string, down: string, title: string): Repair => ({
    steps: [
      {
        id: `role ${role.name} ${what}`,
        phase: 'privileges',
        history,
        title,
        up: [up],
        down: [down],
        claims: [finding.fingerprint],
        needs: [],
        notes: [],
      },
    ],
  });
  const attribute = role.attributes.find((a) => /^(?:bypassrls|superuser)$/i.test(a))?.toUpperCase();
  if (finding.message === 'bypasses' && attribute !== undefined)
    return step(
      attribute,
      `ALTER ROLE ${names.role(role.name)} NO${attribute}`,
      `ALTER ROLE ${names.role(role.name)} ${attribute}`,
      `Policies hold for ${role.name}.`,
    );
  const other = role.memberOf.find((r) => finding.text.what.includes(`member of ${r},`));
  if (finding.message === 'becomes' && other !== undefined)
    return step(
      other,
      `REVOKE ${names.role(other)} FROM ${names.role(role.name)}`,
      `GRANT ${names.role(other)} TO ${names.role(role.name)}`,
      `${role.name} cannot become ${other}.`,
    );
  return { reason: 'who should own the tables in its place is yours to say' };
}
