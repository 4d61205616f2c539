import type { Access, Schema, SchemaFunction, Span, Value } from '@tenant-lint/model';

/** A place where a setting is given a value. */
export interface SettingWrite {
  readonly name: string;
  /** Absent where it is not to be seen. */
  readonly value?: Value;
  /** Only until the end of the transaction; undefined where that is not to be seen. */
  readonly local: boolean | undefined;
  readonly span: Span;
}

type Node = Readonly<Record<string, unknown>>;

/** Calls `visit` for every object within facts (which are plain data). */
function walk(root: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(root)) {
    for (const item of root) walk(item, visit);
    return;
  }
  if (typeof root !== 'object' || root === null) return;
  const node = root as Node;
  visit(node);
  for (const key in node) if (key !== 'span') walk(node[key], visit);
}

/** What an access sets: by set_config(), or by SET with a value that is put into the text. */
export function settingWrites(access: Access): SettingWrite[] {
  const writes: SettingWrite[] = [];
  walk(access.output, (node) => {
    if (node['kind'] !== 'apply' || !/^(?:pg_catalog\.)?set_config$/.test(String(node['function']))) return;
    const [name, value, local] = node['to'] as readonly Value[];
    if (name?.kind !== 'constant' || typeof name.value !== 'string') return;
    writes.push({
      name: name.value.toLowerCase(),
      ...(value ? { value } : {}),
      local: local?.kind === 'constant' ? local.value === true : undefined,
      span: access.span,
    });
  });
  for (const part of access.interpolations ?? []) {
    const set = /^\s*set\s+(local\s+|session\s+)?([\w.]+)\s*(?:=|\bto\b)/i.exec(part.around);
    if (!set || writes.some((write) => write.name === set[2]?.toLowerCase())) continue;
    writes.push({
      name: (set[2] ?? '').toLowerCase(),
      value: part.value,
      local: /local/i.test(set[1] ?? ''),
      span: access.span,
    });
  }
  return writes;
}

/** What an access sets, functions of the schema that it calls read through: `SELECT set_tenant($1)`. */
export function settingWritesThrough(access: Access, schema: Schema): SettingWrite[] {
  const writes = settingWrites(access);
  if (access.targets.length > 0) return writes;
  walk(access.output, (node) => {
    if (node['kind'] !== 'apply' || typeof node['function'] !== 'string') return;
    const args = node['to'] as readonly Value[];
    const name = node['function'];
    for (const called of schema.functions.get(name) ?? schema.functions.get(`public.${name}`) ?? [])
      for (const query of called.queries)
        for (const { value, ...write } of settingWrites(query)) {
          const given = value && argumentFor(value, called, args);
          writes.push({ ...write, ...(given ? { value: given } : {}), span: access.span });
        }
  });
  return writes;
}

/** The argument that a value of a function's body stands for; the value itself where it is none of its parameters. */
function argumentFor(value: Value, called: SchemaFunction, args: readonly Value[]): Value | undefined {
  if (value.kind === 'apply' && value.to.length === 1) return argumentFor(value.to[0]!, called, args);
  if (value.kind !== 'placeholder') return value;
  const index = /^\d+$/.test(value.name)
    ? Number(value.name) - 1
    : called.parameters.findIndex((p) => p.name?.toLowerCase() === value.name.toLowerCase());
  return args[index];
}
