import type { Claim, LinkedAccess, Model } from '@tenant-lint/analysis';
import { servingAccesses } from '@tenant-lint/engine';
import type { Confidence, Table, Target, View } from '@tenant-lint/model';
import { keyColumns, participle, tableName, tieOf } from './naming.js';
import { claimThroughRest } from './written.js';

/** A target whose tenant a request says. */
export interface ClaimUse {
  readonly access: LinkedAccess;
  readonly target: Target;
  readonly table: Table | View;
  readonly claim: Claim;
}

/** One thing that a request says, with all accesses that take it for the tenant; the surest first. */
export interface Claimed {
  readonly uses: readonly [ClaimUse, ...ClaimUse[]];
  readonly confidence: Confidence;
}

const order: readonly Confidence[] = ['certain', 'likely', 'possible'];
const found = new WeakMap<Model, readonly Claimed[]>();

/** What requests say about the tenant and nothing verifies, each once: by the place where it is read and the name it is read under. */
export function claimsOf(model: Model): readonly Claimed[] {
  const known = found.get(model);
  if (known) return known;
  const groups = new Map<string, [ClaimUse, ...ClaimUse[]]>();
  for (const access of servingAccesses(model)) {
    for (const target of access.targets) {
      const table = model.tableOf(target);
      const claim = table && claimOn(model, access, target, table);
      if (!claim) continue;
      const { file, start } = claim.place;
      const key = `${file} ${start} ${claim.what} ${String(claim.decoded)}`;
      const use: ClaimUse = { access, target, table, claim };
      const group = groups.get(key);
      if (group) group.push(use);
      else groups.set(key, [use]);
    }
  }
  const claims = [...groups.values()].map((uses): Claimed => {
    uses.sort((a, b) => order.indexOf(a.claim.confidence) - order.indexOf(b.claim.confidence));
    return { uses, confidence: uses[0].claim.confidence };
  });
  found.set(model, claims);
  return claims;
}

/** What the request says about whose row is reached, or whose the new row is. */
function claimOn(model: Model, access: LinkedAccess, target: Target, table: Table | View): Claim | undefined {
  const tenancy = model.tenancyOf(table.id);
  if (target.operation !== 'create') {
    const reached = tenancy.kind === 'keyed' || tenancy.kind === 'child' || tenancy.kind === 'root';
    const claim = reached ? model.claim(access, target) : undefined;
    if (claim || target.operation !== 'upsert') return claim;
  }
  if (tenancy.kind !== 'keyed') return undefined;
  const whole = 'constraints' in table ? claimOnWhole(model, access, target, table, keyColumns(tenancy)) : undefined;
  if (whole) return whole;
  const values = keyColumns(tenancy).flatMap((column) => target.writes?.set[column] ?? []);
  const standings = values.map((value) => model.standing(access, value));
  // One verified key says whose the row is.
  if (standings.some((s) => s.kind === 'own' || s.kind === 'checked')) return undefined;
  return standings.find((s) => s.kind === 'request');
}

/** What a request says that may name the tenant of a new row, because it is written whole and nothing sets the key after it. */
function claimOnWhole(
  model: Model,
  access: LinkedAccess,
  target: Target,
  table: Table,
  columns: readonly string[],
): Claim | undefined {
  const { writes } = target;
  if (!writes) return undefined;
  const found = columns.map((column) =>
    claimThroughRest(model, access, writes, column, table.columns.get(column)?.property ?? column),
  );
  return found.every((claim) => claim !== undefined) ? found[0] : undefined;
}

/** The draft of a finding about a claim, without the name of its message. */
export function draftOf(
  { uses, confidence }: Claimed,
  model: Model,
): {
  readonly data: Readonly<Record<string, string | number>>;
  readonly span: Claim['place'];
  readonly confidence: Confidence;
  readonly evidence: 'unverified';
  readonly table: string;
  readonly key: string;
  readonly cause: readonly string[];
  readonly related: readonly { readonly span: Claim['place']; readonly text: string }[];
} {
  const [{ target, table, claim }] = uses;
  const tables = [...new Set(uses.map((u) => tableName(u.table.id)))];
  const shown = tables.length > 3 ? [...tables.slice(0, 2), `${tables.length - 2} other tables`] : tables;
  const related = [
    ...claim.because.flatMap(({ span, text }) => (span ? [{ span, text }] : [])),
    ...uses.map((u) => ({
      span: u.access.span,
      text: `${tableName(u.table.id)} is ${participle(u.target.operation)} here`,
    })),
  ].filter(({ span }) => span.file !== claim.place.file || span.start !== claim.place.start);
  return {
    data: {
      source: claim.what,
      tables: shown.join(', '),
      tie: tieOf(model.tenancyOf(table.id)),
      done: participle(target.operation),
    },
    span: claim.place,
    confidence,
    evidence: 'unverified',
    table: table.id,
    key: `${claim.place.file} ${claim.entry === undefined ? '' : (functionName(model, claim.entry) ?? '')} ${claim.what}`,
    cause: uses.map((u) => `target ${u.access.id} ${u.target.ref}`),
    related: related.filter((r, i) => related.findIndex((o) => sameSpan(o.span, r.span)) === i).slice(0, 20),
  };
}

const sameSpan = (a: Claim['place'], b: Claim['place']): boolean =>
  a.file === b.file && a.start === b.start && a.end === b.end;

const functionName = (model: Model, id: string): string | undefined =>
  model.files.get(id.slice(0, id.lastIndexOf('#')))?.functions.find((f) => f.id === id)?.name;
