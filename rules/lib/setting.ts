import { settingWrites, type Model, type SettingWrite } from '@tenant-lint/analysis';
import { servingAccesses } from '@tenant-lint/engine';
import type { Policy, SchemaFunction, Span, Table } from '@tenant-lint/model';
import { wordsOf } from './issued.js';

export { settingWrites, type SettingWrite };

type Node = Readonly<Record<string, unknown>>;

/**
 * Calls `visit` for every object within facts (which are plain data), with the objects around it, innermost last; the list is the walk's
 * own, and whoever keeps it copies it.
 */
export function walk(root: unknown, visit: (node: Node, around: readonly Node[]) => void, around: Node[] = []): void {
  if (Array.isArray(root)) {
    for (const item of root) walk(item, visit, around);
    return;
  }
  if (typeof root !== 'object' || root === null) return;
  const node = root as Node;
  visit(node, around);
  around.push(node);
  for (const key in node) if (key !== 'span' && typeof node[key] === 'object') walk(node[key], visit, around);
  around.pop();
}

/** The functions of the project that a call may mean. */
export const functionsNamed = (model: Model, name: string): readonly SchemaFunction[] =>
  model.schema.functions.get(name) ?? model.schema.functions.get(`public.${name}`) ?? [];

/** The statement that gave a function its present definition: the last of those that replaced it. */
export function definedAt(model: Model, declared: SchemaFunction): Span {
  const { created, changed } = declared.origin;
  const at = [created, ...changed].filter((span) =>
    model.files
      .get(span.file)
      ?.schema.some(
        (event) =>
          event.action.do === 'create function' &&
          event.span.start === span.start &&
          event.action.function.text === declared.text,
      ),
  );
  return at.at(-1) ?? created;
}

/** A place where current_setting() is read. */
export interface SettingRead {
  readonly name: string;
  readonly missingOk: boolean;
  /** The objects around the value, innermost last. */
  readonly around: readonly Node[];
  readonly span: Span;
  /** What reads it, for messages: "policy own of orders", "function current_tenant". */
  readonly by: string;
  readonly in: { readonly table: Table; readonly policy: Policy } | { readonly function: SchemaFunction };
}

const isSetting = (node: Node): node is Node & { name: string; missingOk: boolean } =>
  node['kind'] === 'setting' && typeof node['name'] === 'string';

const readsOf = new WeakMap<Model, readonly SettingRead[]>();
const tenantSettingsOf = new WeakMap<Model, ReadonlySet<string>>();

/** Every read of a setting in policies and functions. What platforms set for each request (`request.jwt.claims`) is left out. */
export function settingReads(model: Model): readonly SettingRead[] {
  let known = readsOf.get(model);
  if (!known) readsOf.set(model, (known = readsIn(model)));
  return known;
}

function readsIn(model: Model): readonly SettingRead[] {
  const reads: SettingRead[] = [];
  const note = (root: unknown, rest: Pick<SettingRead, 'span' | 'by' | 'in'>): void => {
    walk(root, (node, around) => {
      if (!isSetting(node) || isOfPlatform(node.name)) return;
      reads.push({ name: node.name, missingOk: node.missingOk, around: [...around], ...rest });
    });
  };
  for (const table of model.schema.tables.values()) {
    for (const policy of table.policies) {
      const rest = { by: `policy ${policy.name} of ${table.name.name}`, in: { table, policy } };
      note(policy.using, { ...rest, span: policy.usingSpan ?? policy.origin.created });
      note(policy.check, { ...rest, span: policy.checkSpan ?? policy.origin.created });
    }
  }
  for (const declared of [...model.schema.functions.values()].flat()) {
    const rest = { by: `function ${declared.name.name}`, span: definedAt(model, declared), in: { function: declared } };
    if (declared.body.known) note(declared.body.value, rest);
    for (const query of declared.queries) note([query.targets, query.output], rest);
  }
  return reads;
}

/** PostgREST sets these for each request. */
export const isOfPlatform = (name: string): boolean => name.startsWith('request.');

/** The settings on which isolation rests: those that policies read, helper functions read through, and those called like a tenant key. */
export function tenantSettings(model: Model): ReadonlySet<string> {
  let known = tenantSettingsOf.get(model);
  if (!known) tenantSettingsOf.set(model, (known = tenantSettingsIn(model)));
  return known;
}

function tenantSettingsIn(model: Model): ReadonlySet<string> {
  const found = new Set<string>(model.tenancy.settings);
  const seen = new Set<SchemaFunction>();
  const look = (root: unknown): void => {
    walk(root, (node) => {
      if (isSetting(node) && !isOfPlatform(node.name)) found.add(node.name);
      if (node['kind'] !== 'apply' || typeof node['function'] !== 'string') return;
      for (const called of functionsNamed(model, node['function'])) {
        if (seen.has(called)) continue;
        seen.add(called);
        look([called.body, called.queries.map((query) => [query.targets, query.output])]);
      }
    });
  };
  for (const table of model.schema.tables.values()) look(table.policies.map((policy) => [policy.using, policy.check]));
  return found;
}

/** Whether a setting is called like the tenant: `app.tenant_id`, `app.current_org`. */
export function soundsLikeTenant(model: Model, setting: string): boolean {
  const words = wordsOf(setting.split('.').at(-1) ?? '').filter((word) => word !== 'id');
  return model.tenancy.keys.some((key) => {
    const parts = wordsOf(key).filter((word) => word !== 'id');
    return parts.length > 0 && parts.every((part) => words.includes(part));
  });
}

export const isTenantSetting = (model: Model, settings: ReadonlySet<string>, name: string): boolean =>
  settings.has(name) || (name.includes('.') && soundsLikeTenant(model, name));

/** What code, query files and functions set while the application runs. */
export function runtimeWrites(model: Model): SettingWrite[] {
  const functions = [...model.schema.functions.values()].flat();
  return [
    ...servingAccesses(model).flatMap(settingWrites),
    ...functions.flatMap((f) => f.queries.flatMap(settingWrites)),
    ...functions.flatMap((f) =>
      Object.keys(f.settings).map((name): SettingWrite => ({ name, local: true, span: f.origin.created })),
    ),
  ];
}
