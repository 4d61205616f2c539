import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Related } from '@tenant-lint/model';
import { runtimeWrites, settingReads, type SettingRead, type SettingWrite } from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'consistent-tenant-setting',
    group: 'setting',
    summary: 'Require that policies read the setting that the program sets',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['migrations'],
    catalogue: ['S06'],
    messages: {
      neverSet: {
        what: 'The {by} reads {name}, which nothing sets; {other} is set instead.',
        why: 'The condition never sees the tenant: it lets nothing through, or everything where an unset setting does.',
        fix: 'Use one name for the setting in policies, functions and code.',
      },
      differs: {
        what: 'The {by} compares the tenant with {name}, while {count} others compare it with {other}.',
        why: 'Whoever sets one of them leaves the other unset, so that the tables show different tenants or none.',
        fix: 'Use one name for the setting in policies, functions and code.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const reads = readsOfTenant(model);
    const writes = runtimeWrites(model);
    const written = new Set(writes.map((write) => write.name));
    for (const [name, places] of reads) {
      const [first] = places;
      if (first === undefined || written.has(name)) continue;
      const related = places.slice(1, 20).map((p): Related => ({ span: p.span, text: `so does the ${p.by}` }));
      const near = writes.find((write) => isNear(write, name));
      const common = { span: first.span, key: name, confidence: 'certain' } as const;
      if (near) {
        yield {
          ...common,
          message: 'neverSet',
          data: { by: first.by, name, other: near.name },
          related: [{ span: near.span, text: `${near.name} is set here` }, ...related],
        };
        continue;
      }
      // Nothing in the project sets a tenant, so the policies can only be compared with each other.
      if (writes.length > 0) continue;
      const [usual] = [...reads].sort((a, b) => b[1].length - a[1].length);
      if (usual === undefined || usual[0] === name || usual[1].length === places.length) continue;
      const [at] = usual[1];
      yield {
        ...common,
        message: 'differs',
        data: { by: first.by, name, other: usual[0], count: usual[1].length },
        related: [...(at ? [{ span: at.span, text: `${usual[0]} is read here` }] : []), ...related],
      };
    }
  },
});

/** By setting: the policies and functions that compare the tenant with it. */
function readsOfTenant(model: Model): ReadonlyMap<string, readonly SettingRead[]> {
  const reads = new Map<string, SettingRead[]>();
  for (const read of settingReads(model)) {
    if (!model.tenancy.settings.includes(read.name)) continue;
    const before = reads.get(read.name);
    if (before === undefined) reads.set(read.name, [read]);
    else if (!before.some((b) => b.by === read.by)) before.push(read);
  }
  return reads;
}

/** Whether what is set was probably meant to be this name: the same namespace, or the same name in another one. */
function isNear(write: SettingWrite, name: string): boolean {
  const [space, ...rest] = name.split('.');
  const [otherSpace, ...otherRest] = write.name.split('.');
  if (otherRest.length === 0) return write.name === rest.join('.');
  return space === otherSpace ? related(rest.join('.'), otherRest.join('.')) : rest.join('.') === otherRest.join('.');
}

/** `tenant` and `tenant_id`, `current_tenant` and `tenant`: a word in common that is more than `id` and `current`. */
function related(a: string, b: string): boolean {
  const words = (text: string): string[] =>
    text.split(/[^a-z0-9]+/).filter((word) => !['', 'id', 'current', 'uuid'].includes(word));
  return words(a).some((word) => words(b).includes(word));
}
