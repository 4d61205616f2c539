import { lowerEmbedded } from '@tenant-lint/sql';
import {
  mapAccess,
  mapPredicate,
  mapTarget,
  mapValue,
  unknownValue,
  type Access,
  type Predicate,
  type Span,
  type Target,
  type TextPart,
  type Value,
} from '@tenant-lint/model';
import { buildText } from '../sql-build.js';
import { interpolationOf, isSpliced } from '../sql-text.js';
import { piecesOf, type Expansion, type Piece } from '../sql-pieces.js';
import { substitutePlaceholders } from '../substitute.js';
import { expression } from './expression.js';
import { itemsOf } from './condition.js';
import { callOf, chainOf, functionCall, type FunctionCall } from './names.js';
import type { Scope } from './scope.js';

/** A template of the library as a condition on the sources in scope. */
export function sqlCondition(f: FunctionCall, span: Span, scope: Scope): Predicate {
  const fragments = lowerFragments(f, scope, (text) => `SELECT 1${sourcesText(scope)} WHERE (${text})`);
  if (typeof fragments === 'string') return { kind: 'unknown', reason: fragments, span };
  const conditions = fragments.map((one) => one.condition);
  const [first] = conditions;
  return conditions.length === 1 && first ? first : { kind: 'either', of: conditions, span };
}

/** A template of the library as an expression. */
export function sqlExpression(f: FunctionCall, scope: Scope): Value {
  const fragments = lowerFragments(f, scope, (text) => `SELECT (${text}) AS x${sourcesText(scope)}`);
  if (typeof fragments === 'string') return unknownValue(fragments);
  const values = fragments.map((one) => one.output ?? unknownValue('an SQL expression'));
  const [first] = values;
  return values.length === 1 && first ? first : { kind: 'choice', of: values };
}

/** The sources in scope as a FROM list, under the names by which the library writes their columns. */
function sourcesText(scope: Scope): string {
  const list = named(scope).map(({ source, name }) => `"__source"."${source.ref}" AS "${name}"`);
  return list.length === 0 ? '' : ` FROM ${list.join(', ')}`;
}

/** Sources that have a target, innermost first; a name that an inner one has hides the outer one. */
function named(scope: Scope): readonly { source: { ref: string }; name: string }[] {
  const seen = new Set<string>();
  return scope.all().flatMap((source) => {
    if (source.ref === undefined || seen.has(source.name)) return [];
    seen.add(source.name);
    return [{ source: { ref: source.ref }, name: source.name.replaceAll('"', '""') }];
  });
}

interface Fragment {
  readonly condition: Predicate;
  readonly output: Value | undefined;
}

/**
 * Lowers each text that a fragment may be, inside a statement that `wrap` makes of it; a string says why not. None that cannot be read is
 * left out: then the whole is not understood.
 */
function lowerFragments(f: FunctionCall, scope: Scope, wrap: (text: string) => string): readonly Fragment[] | string {
  const { build } = scope;
  const parts = fragmentOf(f, scope);
  if (typeof parts === 'string') return parts;
  // Only the columns of the template itself, not those of templates inside it.
  const own = new Set(parts.flatMap((p) => ('hole' in p ? [p.hole] : [])));
  const alternatives = piecesOf(
    { kind: 'text', parts, span: build.span },
    build.span,
    scope.context,
    (hole) => expandHole(hole, scope, scope.bareColumns && own.has(hole)),
    'bind',
  );
  if (typeof alternatives === 'string') return alternatives;
  const lowered = alternatives.map((pieces) => lowerPieces(pieces, scope, wrap));
  const failed = lowered.find((l) => typeof l === 'string');
  return typeof failed === 'string' ? failed : lowered.filter((l) => typeof l !== 'string');
}

function lowerPieces(pieces: readonly Piece[], scope: Scope, wrap: (text: string) => string): Fragment | string {
  const { build } = scope;
  const built = buildText(pieces, { holes: 'bind', span: build.span });
  for (const hole of built.holes) if (isSpliced(hole)) build.interpolations.push(interpolationOf(hole));
  const text = wrap(built.text);
  const shift = text.indexOf(built.text);
  const { accesses, unchecked } = lowerEmbedded({
    file: build.file,
    text,
    idPrefix: build.textId(),
    library: 'drizzle',
    span: build.span,
    position: (offset) => built.position(Math.max(0, Math.min(offset - shift, built.text.length))),
  });
  const access = accesses[0];
  if (!access || unchecked.length > 0)
    return unchecked[0]?.detail ?? unchecked[0]?.reason ?? 'an SQL fragment that was not understood';
  const operands = new Map([...built.values].map(([name, value]) => [name, expression(value, scope)]));
  return place(
    substitutePlaceholders(access, (name) => operands.get(name)),
    scope,
  );
}

/** Gives the targets of the wrapped statement the references they have here; targets of sub-queries in it get new ones. */
function place(access: Access, scope: Scope): Fragment {
  const refs = new Map<string, string>();
  const fresh: string[] = [];
  const renameRef = (ref: string): string => {
    let renamed = refs.get(ref);
    if (renamed === undefined) {
      renamed = scope.build.ref();
      refs.set(ref, renamed);
      fresh.push(renamed);
    }
    return renamed;
  };
  for (const target of access.targets) {
    if (target.table.known && target.table.value.by === 'sql' && target.table.value.schema === '__source')
      refs.set(target.ref, target.table.value.name);
  }
  const value = (v: Value): Value => {
    if (v.kind === 'column') {
      const target = v.target === undefined ? {} : { target: renameRef(v.target) };
      const candidates =
        v.candidates === undefined ? {} : { candidates: v.candidates.map((list) => list.map(renameRef)) };
      return { ...v, ...target, ...candidates };
    }
    if (v.kind === 'query') return { ...v, query: renameQuery(v.query) };
    if (v.kind === 'predicate') return { ...v, predicate: renamePredicate(v.predicate) };
    return v;
  };
  type Query = Extract<Predicate, { kind: 'exists' }>['query'];
  const renameQuery = (q: Query): Query => ({
    ...q,
    targets: q.targets.map((t) => ({ ...t, ref: renameRef(t.ref), predicate: renamePredicate(t.predicate) })),
    condition: renamePredicate(q.condition),
    ...(q.arms ? { arms: q.arms.map(renameQuery) } : {}),
  });
  const renamePredicate = (p: Predicate): Predicate => {
    switch (p.kind) {
      case 'and':
      case 'or':
      case 'either':
        return { ...p, of: p.of.map(renamePredicate) };
      case 'not':
      case 'is':
        return { ...p, of: renamePredicate(p.of) };
      case 'exists':
      case 'in-query':
        return { ...p, query: renameQuery(p.query) };
      case 'optional':
        return { ...p, of: renamePredicate(p.of), otherwise: renamePredicate(p.otherwise) };
      case 'case':
        return {
          ...p,
          of: p.of.map(([when, then]) => [renamePredicate(when), renamePredicate(then)] as const),
          otherwise: renamePredicate(p.otherwise),
        };
      default:
        return p;
    }
  };
  // Values first (columns), then the references of the sub-queries around them.
  const mapped = mapAccess(access, (v) => (v.kind === 'column' ? value(v) : v));
  const outer = mapped.targets.filter(
    (t) => t.table.known && t.table.value.by === 'sql' && t.table.value.schema === '__source',
  );
  const first = outer[0] ?? mapped.targets[0];
  const whole = first
    ? renamePredicate(mapPredicate(first.predicate, (v) => (v.kind === 'column' ? v : value(v))))
    : conditionOf(mapped);
  for (const target of mapped.targets) {
    if (outer.includes(target)) continue;
    const renamed: Target = mapTarget(
      { ...target, ref: renameRef(target.ref), predicate: renamePredicate(target.predicate) },
      (v) => (v.kind === 'column' ? v : value(v)),
    );
    scope.build.subs.push({
      target: { ...renamed, role: 'subquery' },
      conditions: conditionsOf(renamed.predicate),
      vacuous: 'no condition',
    });
  }
  const item = mapped.output?.[0];
  const output =
    item && 'value' in item ? mapValue(item.value, (v) => (v.kind === 'column' ? v : value(v))) : undefined;
  return { condition: whole, output };
}

const conditionsOf = (p: Predicate): Predicate[] => (p.kind === 'always' ? [] : p.kind === 'and' ? [...p.of] : [p]);

/** A condition over no table at all has no target to carry it. */
const conditionOf = (access: Access): Predicate =>
  access.targets[0]?.predicate ?? { kind: 'unknown', reason: 'a condition on no table' };

/** The parts of a template, of raw text, or of a list joined by a separator. */
function fragmentOf(f: FunctionCall, scope: Scope): readonly TextPart[] | string {
  const first = f.arguments[0];
  if (!first) return 'an empty SQL fragment';
  if (f.name === 'sql.join') return joined(f, scope);
  const resolved = first.kind === 'text' || first.kind === 'constant' ? first : scope.context.resolve(first);
  if (resolved.kind === 'text') return resolved.parts;
  if (resolved.kind === 'constant') return [{ text: String(resolved.value), start: f.step.span.start, exact: false }];
  return [{ hole: first, span: f.step.span }];
}

function joined(f: FunctionCall, scope: Scope): readonly TextPart[] | string {
  const [list, separator] = f.arguments;
  const items = list && itemsOf(list, scope);
  if (!items || items.some((i) => i.spread)) return 'a list of SQL fragments that was not followed';
  const between: TextPart[] = separator ? [{ hole: separator, span: f.step.span }] : [];
  return items.flatMap((item, i): TextPart[] => [...(i > 0 ? between : []), { hole: item.value, span: f.step.span }]);
}

/** What a hole of a template stands for: text of another template, a table or column by name, a bind parameter. */
export function expandHole(hole: Value, scope: Scope, bare = false): Expansion | undefined {
  const source = scope.source(hole);
  if (source?.table.known) {
    const name = source.known?.name;
    const text = name ? `${name.schema ? `"${name.schema}".` : ''}"${name.name}"` : `"${source.name}"`;
    return { written: text };
  }
  const column = scope.column(hole);
  if (column?.kind === 'column') {
    const owner = scope.all().find((s) => s.ref !== undefined && s.ref === column.target);
    const table = bare ? undefined : (owner?.name ?? tableNameOf(hole, scope));
    return { written: `${table ? `"${table}".` : ''}"${column.column}"` };
  }
  // A field of a sub-query is an expression of its own.
  if (column) return { bind: hole };
  const chain = chainOf(hole, scope.context);
  const f = chain && functionCall(callOf(chain), scope.context, scope.isOperators);
  if (!f) return undefined;
  switch (f.name) {
    case 'sql':
    case 'sql.join':
    case 'sql.fromList': {
      const parts = scope.build.guard(`text:${chain.id}`, () => fragmentOf(f, scope), 'refers to itself');
      return typeof parts === 'string' ? { bind: unknownValue(parts) } : parts;
    }
    case 'sql.raw': {
      const parts = fragmentOf(f, scope);
      if (typeof parts === 'string') return { bind: unknownValue(parts) };
      return parts.length === 1 && 'hole' in parts[0]! ? { identifier: parts[0].hole, quoted: false } : parts;
    }
    case 'sql.identifier':
      return { identifier: f.arguments[0] ?? unknownValue('no name'), quoted: true };
    default:
      return { bind: hole };
  }
}

/** The SQL name of the table whose column a value is, where the table is not in scope (it is named in the text itself). */
function tableNameOf(value: Value, scope: Scope): string | undefined {
  if (!('path' in value) || value.path.length === 0) return undefined;
  const source = scope.source({ ...value, path: value.path.slice(0, -1) });
  return source?.known?.name.name ?? source?.name;
}
