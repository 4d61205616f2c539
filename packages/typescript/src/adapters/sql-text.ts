import { lowerEmbedded, type EmbeddedSql } from '@tenant-lint/sql';
import {
  mapAccess,
  spanContains,
  unknownValue,
  type Access,
  type Interpolation,
  type LowerContext,
  type Predicate,
  type Span,
  type Target,
  type Value,
} from '@tenant-lint/model';
import { piecesOf, type Expand, type Piece } from './sql-pieces.js';
import type { HolePosition } from './sql-scan.js';
import { buildText, spliced, type BuiltText, type Hole } from './sql-build.js';
import { rewritePredicate, substitutePlaceholders } from './substitute.js';

/** How the text is used, and on whose behalf. */
export interface SqlTextOptions {
  readonly file: string;
  /** The adapter that hands the text over. */
  readonly library: string;
  /** Prefix of the accesses' ids. */
  readonly id: string;
  /** The place of the whole call, for what has no place of its own. */
  readonly span: Span;
  readonly context: LowerContext;
  /** 'bind': a tagged template, whose holes are bind parameters; 'splice' (the default): a hole becomes part of the text. */
  readonly holes?: 'bind' | 'splice';
  /** What fragments of the library stand for: Prisma.sql, sql.identifier. */
  readonly expand?: Expand;
  /** Values of named placeholders: `:tenantId`, `$(tenantId)`. */
  readonly named?: (name: string) => Value | undefined;
}

export interface LoweredText {
  readonly accesses: readonly Access[];
  readonly unchecked: readonly { readonly reason: string; readonly span: Span }[];
}

/**
 * Lowers the SQL text that a value is to accesses. `parameters` are the values of `$1`, `$2` ... in order; undefined where they are not
 * known. Holes become placeholders or names by where they stand; what is spliced into the text is listed as an interpolation. Never throws.
 */
export function lowerSqlText(
  text: Value,
  parameters: readonly Value[] | undefined,
  options: SqlTextOptions,
): LoweredText {
  const alternatives = piecesOf(text, options.span, options.context, options.expand, options.holes);
  if (typeof alternatives === 'string') {
    return { accesses: [], unchecked: [{ reason: `SQL text was not found: ${alternatives}`, span: options.span }] };
  }
  return lowerSqlPieces(alternatives, parameters, options);
}

/** Like lowerSqlText, for texts that are in pieces already: what an adapter writes in the place of a library. */
export function lowerSqlPieces(
  alternatives: readonly (readonly Piece[])[],
  parameters: readonly Value[] | undefined,
  options: SqlTextOptions,
): LoweredText {
  const accesses: Access[] = [];
  const unchecked: { reason: string; span: Span }[] = [];
  alternatives.forEach((pieces, i) => {
    const id = alternatives.length > 1 ? `${options.id}.${i}` : options.id;
    const lowered = lowerPieces(pieces, parameters, { ...options, id });
    accesses.push(...lowered.accesses);
    // The same part is not understood in each of the alternatives.
    const isNew = (u: (typeof unchecked)[number]): boolean =>
      !unchecked.some((o) => o.reason === u.reason && o.span.start === u.span.start && o.span.file === u.span.file);
    unchecked.push(...lowered.unchecked.filter(isNew));
  });
  return { accesses, unchecked };
}

const holePattern = /__hole_\d+__/;

function lowerPieces(
  pieces: readonly Piece[],
  parameters: readonly Value[] | undefined,
  options: SqlTextOptions,
): LoweredText {
  let built = buildText(pieces, options);
  let result = lowerBuilt(built, options);
  const unsure = built.holes.some((h) => h.position === 'value' || h.position === 'fragment');
  if (unsure && (result.unchecked.length > 0 || built.holes.some((h) => h.dropped && !h.bound))) {
    // A hole can be more than a value (a list of columns, the rest of the statement): the SQL front end finds a reading that parses.
    for (const read of ['values as names', 'all as names'] as const) {
      const next = buildText(pieces, { ...options, read });
      const retried = lowerBuilt(next, options);
      if (retried.unchecked.length > 0) continue;
      [built, result] = [next, retried];
      break;
    }
  }
  const positions = positionsIn(result.accesses);
  const by = (name: string): Value | undefined =>
    built.values.get(name) ??
    (name.startsWith('hole:') ? built.holes[Number(name.slice(5))]?.value : parameters?.[Number(name) - 1]) ??
    options.named?.(name);
  const accesses = result.accesses.map((access) =>
    finish(substitutePlaceholders(withoutInterpolations(access), by), built, options),
  );
  // A parameter cannot stand there: it is a fragment of the library that was made where nobody saw it.
  const unseen = built.holes.flatMap((h) =>
    h.dropped && h.bound ? [{ reason: 'a fragment of the query was not found', span: h.span }] : [],
  );
  return {
    accesses: withInterpolations(accesses, built, positions, options),
    unchecked: [...result.unchecked, ...unseen],
  };
}

function lowerBuilt(built: BuiltText, options: SqlTextOptions): LoweredText {
  const embedded: EmbeddedSql = {
    file: options.file,
    text: built.text,
    idPrefix: options.id,
    library: options.library,
    span: options.span,
    literals: new Set(built.values.keys()),
    position: built.position,
  };
  const { accesses, unchecked } = lowerEmbedded(embedded);
  return {
    accesses,
    unchecked: unchecked.map((u) => ({
      reason: u.detail ? `${u.reason}: ${u.detail}` : u.reason,
      span: u.span ?? options.span,
    })),
  };
}

/** Where the SQL front end found the holes that stand as names. */
function positionsIn(accesses: readonly Access[]): ReadonlyMap<number, Interpolation['position']> {
  const all = accesses.flatMap((a) => a.interpolations ?? []);
  return new Map(
    all.flatMap((i) =>
      i.value.kind === 'placeholder' ? [[Number(i.value.name.replace(/^hole:/, '')), i.position] as const] : [],
    ),
  );
}

function withoutInterpolations(access: Access): Access {
  const { interpolations: _, ...rest } = access;
  return rest;
}

/** Names made of holes become unknown, spans without a place become the call's. */
function finish(access: Access, built: BuiltText, options: SqlTextOptions): Access {
  const open = built.holes.some((h) => h.widens);
  const at = (span: Span): Span => (span.end > span.start ? span : options.span);
  const condition = (p: Predicate): Predicate =>
    p.kind === 'value' && p.of.kind === 'unknown' ? { kind: 'unknown', reason: p.of.reason } : p;
  const mapped = mapAccess(access, (v) =>
    v.kind === 'column' && holePattern.test(v.column) ? unknownValue('the column is computed') : v,
  );
  return {
    ...mapped,
    span: at(mapped.span),
    targets: mapped.targets.map((target): Target => {
      const predicate = rewritePredicate(target.predicate, condition);
      return {
        ...target,
        table: tableWithoutHoles(target.table),
        span: at(target.span),
        // AND or OR: what is put in may narrow the condition as well as widen it.
        predicate: open ? { kind: 'unknown', reason: spliced } : predicate,
      };
    }),
  };
}

function tableWithoutHoles(table: Target['table']): Target['table'] {
  if (!table.known || table.value.by !== 'sql') return table;
  if (holePattern.test(table.value.name)) return { known: false, reason: 'the name of the table is computed' };
  // A computed schema: the table is the one of this name, in whichever schema.
  return holePattern.test(table.value.schema ?? '')
    ? { known: true, value: { by: 'sql', name: table.value.name } }
    : table;
}

/** Hands each spliced hole to the access in whose text it stands; statements without an access get one that only carries them. */
function withInterpolations(
  accesses: readonly Access[],
  built: BuiltText,
  positions: ReadonlyMap<number, Interpolation['position']>,
  options: SqlTextOptions,
): readonly Access[] {
  const all = built.holes.flatMap((hole, n) => (isSpliced(hole) ? [interpolationOf(hole, positions.get(n))] : []));
  if (all.length === 0) return accesses;
  const mine = accesses.map((): Interpolation[] => []);
  const rest: Interpolation[] = [];
  for (const one of all) {
    const within = accesses.findIndex((a) => spanContains(a.span, one.span));
    (within >= 0
      ? mine[within]!
      : accesses.length === 1 && !/;/.test(built.text.trim().slice(0, -1))
        ? mine[0]!
        : rest
    ).push(one);
  }
  const carried = accesses.map((a, i) =>
    mine[i]!.length > 0 ? { ...a, interpolations: [...(a.interpolations ?? []), ...mine[i]!] } : a,
  );
  if (rest.length === 0) return carried;
  const carrier: Access = {
    id: `${options.id}/text`,
    library: options.library,
    method: 'text',
    operation: 'raw',
    targets: [],
    client: { receiver: unknownValue('SQL text'), kind: 'unknown' },
    span: options.span,
    interpolations: rest,
  };
  return [...carried, carrier];
}

/** Whether a hole's value becomes part of the text. */
export const isSpliced = (hole: Hole): boolean => !hole.bound && hole.position !== 'comment';

/** `found`: the position that the SQL front end read in the grammar; it knows better than the words around. */
export function interpolationOf(hole: Hole, found?: Interpolation['position']): Interpolation {
  const position = found === undefined || found === 'unknown' ? (named[hole.position] ?? 'value') : found;
  return { position, value: hole.value, quoted: hole.quoted, span: hole.span, around: hole.around };
}

const named: Partial<Record<HolePosition, Interpolation['position']>> = {
  schema: 'schema',
  identifier: 'identifier',
  'quoted-identifier': 'identifier',
  fragment: 'fragment',
  dollar: 'unknown',
};
