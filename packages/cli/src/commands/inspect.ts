import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { Table, Tenancy } from '@tenant-lint/model';
import { buildModel, Failure, hint } from '@tenant-lint/workspace';
import type { Io } from '../main.js';
import { open } from '../open.js';
import { driftOf, factsOfDatabase, writeDrift } from '../live.js';
import { writeNotices } from '../notices.js';
import { progressLine } from '../progress.js';
import { locatedIn, placed } from '../report/place.js';
import { printable, printableJson } from '../report/printable.js';

export interface InspectFlags {
  readonly config?: string;
  readonly configCode: boolean;
  readonly format: 'text' | 'json';
  readonly types?: boolean;
  readonly url?: string;
  readonly verbose?: boolean;
}

/** `tenant-lint inspect [table|file]`: what was understood, and why. Returns 0; 2 is thrown as Failure where the subject is unknown. */
export async function inspect(subject: string | undefined, flags: InspectFlags, io: Io): Promise<number> {
  const { root, source, settings } = await open([], flags, io.cwd);
  const progress = progressLine(io);
  const live = flags.url === undefined ? undefined : await factsOfDatabase(flags.url);
  const built = buildModel(source, {
    settings,
    progress: progress.update,
    ...(flags.types ? { types: root } : {}),
    ...(live ? { live } : {}),
  });
  const { model } = built;
  progress.end();
  writeNotices(settings, built, io);
  if (live) writeDrift(driftOf(source, settings, built), io, flags.verbose ?? false);
  const view = subject === undefined ? overview(model) : detail(model, subject);
  io.stdout.write(
    flags.format === 'json'
      ? `${printableJson(JSON.stringify({ ...view, lines: undefined }, undefined, 2))}\n`
      : `${printable(view.lines.join('\n'))}\n`,
  );
  return 0;
}

interface View {
  readonly lines: readonly string[];
  readonly [key: string]: unknown;
}

function overview(model: Model): View {
  const { tenancy } = model;
  const tables = [...model.schema.tables.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((t) => ({ table: t.id, ...tenancyRow(model.tenancyOf(t.id)), rowSecurity: rowSecurityOf(t) }));
  const evidence = new Map<string, number>();
  for (const access of model.accesses)
    for (const t of access.targets) count(evidence, model.verdict(access, t).evidence);
  const lines = [
    `strategy   ${tenancy.strategy}: ${tenancy.strategyReason}`,
    `tenants in ${tenancy.roots.join(', ') || 'no table'}`,
    `keys       ${tenancy.keys.join(', ') || 'none'}`,
    ...(tenancy.settings.length > 0 ? [`settings   ${tenancy.settings.join(', ')}`] : []),
    ...(tenancy.refused
      ? [
          `undecided  ${tenancy.refused.reason}`,
          ...tenancy.refused.candidates.slice(0, 8).map((c) => `           ${c.key}: on ${c.tables} tables; ${c.why}`),
        ]
      : []),
    '',
    `${tables.length} tables`,
    ...tables.map((t) => `  ${t.table.padEnd(44)} ${t.tenancy.padEnd(8)} ${t.rowSecurity.padEnd(11)} ${t.why}`),
    '',
    `${model.accesses.length} accesses: ${[...evidence].map(([kind, n]) => `${kind} ${n}`).join(', ') || 'none'}`,
    `${model.unchecked.length} not checked`,
    ...summarized(model),
  ];
  return {
    lines,
    strategy: tenancy.strategy,
    roots: tenancy.roots,
    keys: tenancy.keys,
    settings: tenancy.settings,
    tables,
    evidence: Object.fromEntries(evidence),
    unchecked: model.unchecked,
  };
}

function detail(model: Model, subject: string): View {
  const file = subject.replace(/^\.\//, '');
  if (model.files.has(file) || model.unchecked.some((u) => u.file === file))
    return accessView(model, file, (a) => a.file === file);
  const table = [...model.schema.tables.values()].find(
    (t) => t.id === subject || t.name.name === subject || t.aliases.some((a) => a.name === subject),
  );
  if (table) return tableView(model, table);
  const names = [...[...model.schema.tables.values()].map((t) => t.name.name), ...model.files.keys()];
  throw new Failure(`There is no table and no analysed file ${subject}${hint(subject, names)}`, {
    advice: 'Run `tenant-lint inspect` for what there is.',
  });
}

function tableView(model: Model, table: Table): View {
  const tenancy = model.tenancyOf(table.id);
  const row = tenancyRow(tenancy);
  const leaks = model.databaseIsolates(table) ? model.policyLeaks(table) : [];
  const reached = accessView(model, table.id, (a) => a.targets.some((t) => model.tableOf(t)?.id === table.id));
  const lines = [
    `${table.id}  ${row.tenancy}  ${row.why}`,
    `  created ${locatedIn(model, table.origin.created)}`,
    ...table.origin.changed.map((s) => `  changed ${locatedIn(model, s)}`),
    '  columns',
    ...[...table.columns.values()].map((c) => `    ${c.name} ${c.type}${c.notNull ? ' not null' : ''}`),
    `  row security ${rowSecurityOf(table)}`,
    ...table.policies.map((p) => `    policy ${p.name} for ${p.command} ${locatedIn(model, p.origin.created)}`),
    ...leaks.map((l) => `    leak in ${l.policy.name} (${l.side}, ${l.commands.join(', ')}): ${l.witness.text}`),
    ...reached.lines,
  ];
  return { lines, table: table.id, ...row, accesses: reached['accesses'] };
}

function accessView(model: Model, subject: string, chosen: (access: LinkedAccess) => boolean): View {
  const accesses = model.accesses.filter(chosen).flatMap((access) =>
    access.targets.map((target) => {
      const verdict = model.verdict(access, target);
      const reasons = verdict.kind === 'unknown' ? verdict.hangsOn : verdict.because;
      return {
        at: locatedIn(model, target.span),
        access: `${access.library}.${access.method}`,
        table: model.tableOf(target)?.id ?? (target.table.known ? target.table.value.name : 'unknown table'),
        role: target.role,
        verdict: verdict.kind,
        evidence: verdict.evidence,
        because: reasons.map((r) => placed(r, model)),
      };
    }),
  );
  const unchecked = model.unchecked.filter((u) => u.file === subject);
  const lines = [
    `${accesses.length} targets of accesses`,
    ...accesses.flatMap((a) => [
      `  ${a.at}  ${a.access} ${a.table} (${a.role})  ${a.evidence}`,
      ...a.because.map((b) => `      ${b}`),
    ]),
    ...unchecked.map((u) => `  not checked: ${u.reason} ${u.detail ?? ''}`),
  ];
  return { lines, subject, accesses, unchecked };
}

function tenancyRow(tenancy: Tenancy): { tenancy: string; why: string } {
  const what =
    tenancy.kind === 'keyed'
      ? `by ${tenancy.keys.map((k) => `${k.column}${k.nullable ? ' (nullable)' : ''}`).join(', ')}; `
      : '';
  return { tenancy: tenancy.kind, why: `${what}${tenancy.why}` };
}

const rowSecurityOf = (table: Table): string =>
  table.rowSecurity.enabled
    ? `rls${table.rowSecurity.forced ? ' forced' : ''} ${table.policies.length}`
    : table.policies.length > 0
      ? `off, ${table.policies.length} idle`
      : '-';

function summarized(model: Model): string[] {
  const reasons = new Map<string, number>();
  for (const u of model.unchecked) count(reasons, u.reason);
  return [...reasons].sort((a, b) => b[1] - a[1]).map(([reason, n]) => `  ${reason}: ${n}`);
}

const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
