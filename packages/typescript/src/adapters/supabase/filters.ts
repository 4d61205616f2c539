import {
  always,
  and,
  equal,
  not,
  or,
  propertyOf,
  type Interpolation,
  type LowerContext,
  type Predicate,
  type Span,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { markedText, valueOfMarked } from './chain.js';
import { parseLogic, parseTest, splitList, unquoted, type Logic } from './logic.js';

/** A condition on rows of the table, or of what `path` embeds. */
export interface Filter {
  readonly path: readonly string[];
  readonly predicate: (place: Place) => Predicate;
}

/** Where a condition is put: the target whose columns it names, and the conditions under which a resource embedded there has rows. */
export interface Place {
  readonly ref: string;
  readonly embedded: (name: string) => Predicate | undefined;
}

export interface Filters {
  readonly filters: readonly Filter[];
  readonly interpolations: readonly Interpolation[];
  readonly unchecked: readonly { readonly reason: string; readonly span: Span }[];
}

const operators: Readonly<Record<string, string>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
  ilike: 'ilike',
  match: '~',
  regexMatch: '~',
  imatch: '~*',
  regexIMatch: '~*',
  cs: '@>',
  contains: '@>',
  cd: '<@',
  containedBy: '<@',
  ov: '&&',
  overlaps: '&&',
  sl: '<<',
  rangeLt: '<<',
  sr: '>>',
  rangeGt: '>>',
  nxr: '&<',
  rangeLte: '&<',
  nxl: '&>',
  rangeGte: '&>',
  adj: '-|-',
  rangeAdjacent: '-|-',
  isdistinct: 'is distinct from',
  isDistinct: 'is distinct from',
};

/** Methods that add a condition. */
export const filterMethods: ReadonlySet<string> = new Set([
  ...Object.keys(operators).filter(
    (o) => !['match', 'imatch', 'cs', 'cd', 'ov', 'sl', 'sr', 'nxr', 'nxl', 'adj', 'isdistinct'].includes(o),
  ),
  ...['is', 'in', 'notIn', 'match', 'not', 'or', 'filter', 'textSearch'],
  ...['likeAllOf', 'likeAnyOf', 'ilikeAllOf', 'ilikeAnyOf'],
]);

const dropped = 'supabase-js leaves a column out of match() whose value is undefined';

/** What the filters of a builder add, one after the other; the client puts AND between them. */
export function readFilters(steps: readonly Step[], context: LowerContext): Filters {
  const filters: Filter[] = [];
  const interpolations: Interpolation[] = [];
  const unchecked: { reason: string; span: Span }[] = [];
  for (const step of steps) {
    if (!step.arguments || !filterMethods.has(step.name)) continue;
    const reader = new StepReader(step, step.arguments, context);
    filters.push(...reader.read());
    interpolations.push(...reader.interpolations);
    unchecked.push(...reader.unchecked);
  }
  return { filters, interpolations, unchecked };
}

class StepReader {
  readonly interpolations: Interpolation[] = [];
  readonly unchecked: { reason: string; span: Span }[] = [];

  constructor(
    private readonly step: Step,
    private readonly args: readonly Value[],
    private readonly context: LowerContext,
  ) {}

  read(): readonly Filter[] {
    const { name, span } = this.step;
    const [first, second, third] = this.args;
    if (!first) return [];
    if (name === 'match') return this.#match(first);
    if (name === 'or') return this.#or(first, second);
    const column = this.#constant(first);
    if (column === undefined) return [this.#unknown('the column of a filter is computed')];
    const { path, name: own } = pathOf(column);
    if (name === 'not' || name === 'filter') {
      const op = second && this.#constant(second);
      if (op === undefined || !third) return [this.#unknown('the operator of a filter is computed')];
      return [
        {
          path,
          predicate: (place) => {
            const test = this.#raw(column, own, op, third, place);
            return name === 'not' ? not(test) : test;
          },
        },
      ];
    }
    const right = second ?? { kind: 'undefined' as const };
    return [
      {
        path,
        predicate: (place) => {
          const left = columnValue(place.ref, own, span);
          if (name === 'is') return this.#is(own, left, right, place);
          if (name === 'in' || name === 'notIn') {
            const within = inList(left, right, this.context, span);
            return name === 'in' ? within : not(within);
          }
          const symbol = operators[name];
          return symbol === undefined
            ? { kind: 'compare', left, operator: name === 'textSearch' ? '@@' : name, right, span }
            : { kind: 'compare', left, operator: symbol, right, span };
        },
      },
    ];
  }

  #match(query: Value): readonly Filter[] {
    const object = query.kind === 'object' ? query : this.context.resolve(query);
    if (object.kind !== 'object') return [this.#unknown('the object of match() was not found')];
    return object.entries.flatMap((entry): Filter[] => {
      if (!('set' in entry)) {
        if ('spread' in entry) {
          const inner = this.context.resolve(entry.spread);
          if (inner.kind === 'object') return [...this.#match(inner)];
        }
        return [this.#unknown('match() with columns that were not found')];
      }
      const { path, name } = pathOf(entry.set);
      const span = entry.span ?? this.step.span;
      return [
        {
          path,
          predicate: (place) => {
            if (entry.value.kind === 'undefined') return always(dropped);
            const of = equal(columnValue(place.ref, name, span), entry.value, span);
            const isThere = entry.value.kind === 'constant' && !entry.maybe;
            if (isThere) return of;
            const on: Value = entry.maybe
              ? { kind: 'missing-able', of: entry.value, how: 'undefined', certain: true }
              : entry.value;
            return { kind: 'optional', of, on, otherwise: always(dropped), why: dropped, span };
          },
        },
      ];
    });
  }

  /** `.or('a.eq.1,b.is.null', { referencedTable })`. */
  #or(filters: Value, options: Value | undefined): readonly Filter[] {
    const own = options && (options.kind === 'object' ? options : this.context.resolve(options));
    const table = own && [propertyOf(own, 'referencedTable'), propertyOf(own, 'foreignTable')];
    const named = table?.map((t) => this.#constant(t)).find((t) => t !== undefined);
    const path = named === undefined ? [] : named.split('.');
    const marked = markedText(filters, this.context);
    if (!marked) {
      const whole: Interpolation = {
        position: 'fragment',
        value: filters,
        quoted: false,
        span: this.step.span,
        around: 'or=(?)',
      };
      this.interpolations.push(whole);
      return [
        {
          path,
          predicate: () => ({ kind: 'unknown', reason: 'the text of or() was not found', span: this.step.span }),
        },
      ];
    }
    const around = `or=(${marked.text.replace(/\uE000\d+\uE001/g, '?')})`;
    for (const value of marked.holes)
      this.interpolations.push({ position: 'fragment', value, quoted: false, span: this.step.span, around });
    const logic = parseLogic(marked.text, 'or');
    if (!logic)
      return [
        {
          path,
          predicate: () => ({
            kind: 'unknown',
            reason: `or=(${marked.text.replace(/\uE000\d+\uE001/g, '?')}) was not understood`,
            span: this.step.span,
          }),
        },
      ];
    return [{ path, predicate: (place) => this.#logic(logic, place, marked.holes) }];
  }

  #logic(logic: Logic, place: Place, holes: readonly Value[]): Predicate {
    if (logic.kind === 'not') return not(this.#logic(logic.of, place, holes));
    if (logic.kind !== 'test') {
      const of = logic.of.map((l) => this.#logic(l, place, holes));
      return logic.kind === 'and' ? and(...of) : or(...of);
    }
    if (/\uE000/.test(logic.column))
      return { kind: 'unknown', reason: 'a column in or() is computed', span: this.step.span };
    const { path, name } = pathOf(logic.column);
    if (path.length > 0)
      return { kind: 'unknown', reason: 'or() on a column of an embedded resource', span: this.step.span };
    return this.#test(name, logic.operator, logic.value, holes, place);
  }

  /** `filter(column, 'in', '(a,b)')`, `not(column, 'is', null)`: the value as the URL has it. */
  #raw(column: string, own: string, op: string, value: Value, place: Place): Predicate {
    const { span } = this.step;
    const left = columnValue(place.ref, own, span);
    const negated = op.startsWith('not.');
    const plain = op.replace(/^not\./, '');
    const finish = (p: Predicate): Predicate => (negated ? not(p) : p);
    if (plain === 'is') return finish(this.#is(own, left, value, place));
    const symbol = operators[plain];
    const marked = plain === 'in' || plain.endsWith(')') ? markedText(value, this.context) : undefined;
    if (marked) {
      for (const hole of marked.holes)
        this.interpolations.push({
          position: 'fragment',
          value: hole,
          quoted: false,
          span,
          around: `${column}=${op}.${marked.text.replace(/\uE000\d+\uE001/g, '?')}`,
        });
      return finish(this.#test(own, plain, marked.text, marked.holes, place));
    }
    if (plain === 'in') return finish(inList(left, value, this.context, span));
    if (symbol !== undefined) return finish({ kind: 'compare', left, operator: symbol, right: value, span });
    const logic = parseTest(own, `${plain}.`);
    return logic
      ? finish({ kind: 'compare', left, operator: plain, right: value, span })
      : { kind: 'unknown', reason: `the operator ${plain} of a filter`, span };
  }

  #test(name: string, op: string, text: string, holes: readonly Value[], place: Place): Predicate {
    const { span } = this.step;
    const left = columnValue(place.ref, name, span);
    const valueOf = (part: string): Value => valueOfMarked(unquoted(part.trim()), holes, this.step);
    if (op === 'is') return this.#is(name, left, valueOf(text), place);
    if (op === 'in') {
      const hole = /^\uE000\d+\uE001$/.test(text);
      const items = /^\(([\s\S]*)\)$/.exec(text)?.[1];
      const parts = items === undefined ? undefined : splitList(items);
      if (!parts)
        return hole
          ? inList(left, valueOf(text), this.context, span)
          : { kind: 'unknown', reason: 'a list of values was not understood', span };
      // A hole in a list may hold several of its items.
      const open = parts.some((p) => p.includes('\uE000'));
      return { kind: 'in', left, right: parts.map(valueOf), ...(open ? { open: true as const } : {}), span };
    }
    const symbol = operators[op];
    const right = valueOf(text);
    return { kind: 'compare', left, operator: symbol ?? op, right, span };
  }

  #is(name: string, left: Value, value: Value, place: Place): Predicate {
    const { span } = this.step;
    const resolved = value.kind === 'constant' ? value : this.context.resolve(value);
    const word = resolved.kind === 'constant' ? String(resolved.value).toLowerCase() : undefined;
    // `orgs=is.null` asks whether a resource is embedded there.
    const embedded = place.embedded(name);
    if (word === 'null') return embedded ? not(embedded) : { kind: 'null', of: left, span };
    if (word === 'not_null') return embedded ?? not({ kind: 'null', of: left, span });
    if (word === 'true' || word === 'false' || word === 'unknown')
      return { kind: 'is', of: { kind: 'value', of: left, span }, test: word === 'unknown' ? null : word === 'true' };
    return { kind: 'unknown', reason: 'the value of is() was not found', span };
  }

  #constant(value: Value): string | undefined {
    const resolved = value.kind === 'constant' ? value : this.context.resolve(value);
    return resolved.kind === 'constant' && typeof resolved.value === 'string' ? resolved.value : undefined;
  }

  #unknown(reason: string): Filter {
    return { path: [], predicate: () => ({ kind: 'unknown', reason, span: this.step.span }) };
  }
}

/** `orgs.id`: what is embedded, and its column. A path into JSON belongs to the column. */
function pathOf(column: string): { path: readonly string[]; name: string } {
  const json = column.indexOf('->');
  const dotted = (json < 0 ? column : column.slice(0, json)).split('.');
  return { path: dotted.slice(0, -1), name: `${dotted.at(-1) ?? ''}${json < 0 ? '' : column.slice(json)}` };
}

function columnValue(ref: string, name: string, span: Span): Value {
  const [column = name, ...keys] = name.split(/->>?/);
  const value: Value = { kind: 'column', target: ref, column, span };
  if (keys.length === 0) return value;
  return { kind: 'apply', function: '->>', to: [value, ...keys.map((k): Value => ({ kind: 'constant', value: k }))] };
}

function inList(left: Value, list: Value, context: LowerContext, span: Span): Predicate {
  const given = list.kind === 'missing-able' ? list.of : list;
  const resolved = given.kind === 'list' ? given : context.resolve(given);
  if (resolved.kind !== 'list') return { kind: 'in', left, right: [propertyOf(given, '*')], open: true, span };
  if (resolved.of.length === 0) return { kind: 'never' };
  return {
    kind: 'in',
    left,
    right: resolved.of.map((i) => (i.spread ? propertyOf(i.value, '*') : i.value)),
    ...(resolved.of.some((i) => i.spread) ? { open: true as const } : {}),
    span,
  };
}
