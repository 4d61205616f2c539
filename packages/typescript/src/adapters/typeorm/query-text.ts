import type { LowerContext, Predicate, Span, Table, TableName, TextPart, Value } from '@tenant-lint/model';
import { importedAs } from '../entities/classes.js';
import { chosen } from '../prisma/drops.js';
import { columnNamed, knownColumn, modelNamed, type Lowering, type Rows } from '../prisma/lowering.js';
import { joinOf, linkNamed } from '../prisma/relation.js';
import { readObject } from '../prisma/object.js';
import { readList } from '../prisma/list.js';
import { piecesOf, type Expansion, type Piece } from '../sql-pieces.js';
import { builderOf, callbackSteps, type BuilderStep } from './builder.js';
import { tableOfEntity } from './client.js';
import { isTypeorm } from './names.js';
import { whereCondition } from './where.js';

/** An entity or table under the name that the query gives it. */
interface Source extends Rows {
  readonly alias: string;
}

interface Clause {
  readonly type: 'and' | 'or';
  readonly parts: readonly TextPart[];
}

/** The SQL text that a query builder makes, put together as the library does it, so that the SQL front end reads what is sent. */
export class QueryText {
  readonly parameters = new Map<string, Value>();
  /** Values that are bound, by identity; text that is spliced in is none of them. */
  readonly bound = new Set<Value>();
  /** Conditions that are no text, and what decides whether a part is there. */
  readonly conditions: Predicate[] = [];
  readonly tests: Value[] = [];
  /** Sources by their alias, for sub-queries that name those around them. */
  readonly named = new Map<string, Source>();
  readonly l: Lowering;
  readonly context: LowerContext;

  constructor(l: Lowering) {
    this.l = l;
    this.context = l.context;
  }

  /** The conditions that stand for text: those given as objects by number, `case` for parts that only some paths add. */
  settle(p: Predicate): Predicate {
    const marker = p.kind === 'unknown' ? /^marker:(\d+)$/.exec(p.reason)?.[1] : undefined;
    if (marker !== undefined) return this.conditions[Number(marker)] ?? p;
    if (p.kind !== 'case') return p;
    const [branch] = p.of;
    const test = branch?.[0].kind === 'unknown' ? /^test:(\d+)$/.exec(branch[0].reason)?.[1] : undefined;
    return test === undefined ? p : chosen([branch![1], p.otherwise], this.tests[Number(test)]);
  }

  expand = (hole: Value): Expansion | undefined => {
    if (this.bound.has(hole)) return { bind: hole };
    const inner = hole.kind === 'result' && hole.path.length === 0 ? this.context.chain(hole.chain) : undefined;
    const last = inner?.steps.at(-1);
    if (!inner || (last?.name !== 'getQuery' && last?.name !== 'getSql')) return undefined;
    const builder = builderOf(inner, this.context);
    const sub = inner.steps.findIndex((s) => s.name === 'subQuery');
    const steps = builder?.steps ?? (sub >= 0 ? inner.steps.slice(sub) : undefined);
    if (!steps) return undefined;
    const parts = this.select(steps, undefined, steps.at(-1)!.span);
    return parts && (sub >= 0 ? [this.#text('('), ...parts, this.#text(')')] : parts);
  };

  #text(text: string): TextPart {
    return { text, start: this.l.span.start, exact: false };
  }

  #bind(value: Value, span: Span): TextPart {
    const own = { ...value };
    this.bound.add(own);
    return { hole: own, span };
  }

  #marked(predicate: Predicate, span: Span): TextPart {
    this.conditions.push(predicate);
    return this.#bind({ kind: 'unknown', reason: `marker:${this.conditions.length - 1}` }, span);
  }

  /** A SELECT; `table`: of the repository on which it is made. Undefined where its tables are not known. */
  select(steps: readonly BuilderStep[], table: TableName | undefined, at: Span): readonly TextPart[] | undefined {
    const level = new Level(this, this.l);
    level.start(steps, table);
    if (level.sources.length === 0) return undefined;
    const joins: TextPart[] = [];
    for (const step of steps) joins.push(...level.join(step));
    const where = level.where(steps, at);
    return [
      this.#text('SELECT '),
      ...level.selection(steps),
      this.#text(' FROM '),
      ...level.from(),
      ...joins,
      ...(where.length > 0 ? [this.#text(' WHERE '), ...where] : []),
    ];
  }

  /** An UPDATE or DELETE on the table, with its condition. */
  change(verb: string, steps: readonly BuilderStep[], table: TableName, at: Span): readonly TextPart[] {
    const level = new Level(this, this.l);
    level.bare = true;
    const alias = textOf(steps[0]?.arguments?.find((a) => textOf(a) !== undefined));
    const source = level.add(table, alias ?? '');
    const where = level.where(steps, at);
    return [
      this.#text(`${verb.replace('?', `${quoted(source)}${alias === undefined ? '' : ` AS "${alias}"`}`)}`),
      ...(where.length > 0 ? [this.#text(' WHERE '), ...where] : []),
    ];
  }

  bind = (value: Value, span: Span): TextPart => this.#bind(value, span);
  mark = (predicate: Predicate, span: Span): TextPart => this.#marked(predicate, span);
  text = (text: string): TextPart => this.#text(text);
}

const textOf = (value: Value | undefined): string | undefined =>
  value?.kind === 'constant' && typeof value.value === 'string' ? value.value : undefined;

const quoted = ({ name, table }: { name: TableName; table?: Table | undefined }): string => {
  const of = table?.name ?? (name.by === 'sql' ? name : { name: name.name });
  return [...('schema' in of && of.schema ? [of.schema] : []), of.name]
    .map((n) => `"${n.replaceAll('"', '""')}"`)
    .join('.');
};

/** The reference by which conditions that are no text name a source. */
const refOf = (alias: string): string => `@${alias}`;

/** One level of a query: its sources, and its conditions. */
class Level {
  readonly sources: Source[] = [];
  /** UPDATE and DELETE name properties without an alias. */
  bare = false;
  readonly #selected: string[] = [];
  #inner: readonly TextPart[] | undefined;

  constructor(
    private readonly q: QueryText,
    private readonly l: Lowering,
  ) {}

  add(table: TableName, alias: string): Source {
    const source: Source = { ...modelNamed(table, this.l), ref: refOf(alias), alias };
    this.sources.push(source);
    this.q.named.set(alias, source);
    return source;
  }

  /** The main source: of the repository, of `createQueryBuilder(Entity, alias)`, or of `from`. */
  start(steps: readonly BuilderStep[], table: TableName | undefined): void {
    const made = steps.find((s) => s.name === 'createQueryBuilder');
    const [first, second] = made?.arguments ?? [];
    const from = steps.find((s) => s.name === 'from' && s.arguments);
    if (from?.arguments) {
      const [entity, alias] = from.arguments;
      const name = textOf(alias) ?? 'main';
      if (entity?.kind === 'function') {
        this.#inner = this.q.select(callbackSteps(entity, this.q.context), undefined, from.span);
        if (this.#inner) this.sources.push({ name: { by: 'sql', name }, ref: refOf(name), alias: name });
      } else {
        const known = tableOfEntity(entity, this.q.context);
        if (known.known) this.add(known.value, name);
      }
    } else if (table) this.add(table, textOf(first) ?? (table.by === 'sql' ? table.name : table.name));
    else if (first) {
      const known = tableOfEntity(first, this.q.context);
      if (known.known) this.add(known.value, textOf(second) ?? known.value.name);
    }
    const [main] = this.sources;
    if (main) this.#selected.push(main.alias);
  }

  from(): readonly TextPart[] {
    const [main] = this.sources;
    if (!main) return [];
    return this.#inner
      ? [this.q.text('('), ...this.#inner, this.q.text(`) "${main.alias}"`)]
      : [this.q.text(`${quoted(main)} "${main.alias}"`)];
  }

  /** `leftJoinAndSelect('i.lines', 'l', condition, parameters)`. */
  join(step: BuilderStep): readonly TextPart[] {
    const match = /^(left|inner)Join(AndSelect|AndMapOne|AndMapMany)?$/.exec(step.name);
    if (!match || !step.arguments) return [];
    const [of, aliasValue, condition, parameters] = /Map/.test(match[2] ?? '')
      ? step.arguments.slice(1)
      : step.arguments;
    const alias = textOf(aliasValue);
    if (!of || alias === undefined) return this.#unseen('a join that was not understood', step.span);
    this.parametersOf(parameters);
    const path = textOf(of)?.split('.') ?? [];
    const owner = path.length > 1 ? this.sources.find((s) => s.alias === path[0]) : undefined;
    const link = owner && linkNamed(owner, path.slice(1).join('.'), this.l);
    let on: readonly TextPart[] = [];
    if (owner && link) {
      const source = this.add(link.to.name, alias);
      on =
        link.pairs.length > 0
          ? [this.q.text(link.pairs.map(([a, b]) => `"${alias}"."${b}" = "${owner.alias}"."${a}"`).join(' AND '))]
          : [this.q.mark(joinOf(link, owner, source), step.span)];
    } else {
      const known = of.kind === 'function' ? undefined : tableOfEntity(of, this.q.context);
      if (!known?.known) return this.#unseen('a join that was not understood', step.span);
      this.add(known.value, alias);
    }
    const more = condition ? this.condition(condition, step.span) : [];
    if (match[2]) this.#selected.push(alias);
    const both =
      on.length > 0 && more.length > 0 ? [...on, this.q.text(' AND ('), ...more, this.q.text(')')] : [...on, ...more];
    const kind = match[1] === 'inner' && !step.when ? ' INNER JOIN ' : ' LEFT JOIN ';
    const source = this.sources.at(-1)!;
    return [
      this.q.text(`${kind}${quoted(source)} "${alias}" ON `),
      ...(both.length > 0 ? both : [this.q.text('TRUE')]),
    ];
  }

  #unseen(reason: string, span: Span): readonly TextPart[] {
    this.l.unchecked.push({ reason: `unresolved: ${reason}`, span });
    return [];
  }

  /** What comes back: whole sources, or the columns and expressions that `select` names. */
  selection(steps: readonly BuilderStep[]): readonly TextPart[] {
    if (steps.some((s) => s.name === 'getCount' || s.name === 'getExists')) return [this.q.text('COUNT(1)')];
    const named = steps.filter((s) => (s.name === 'select' || s.name === 'addSelect') && s.arguments?.[0]);
    const replaced = named.some((s) => s.name === 'select');
    const items: (readonly TextPart[])[] = replaced ? [] : this.#selected.map((a) => [this.q.text(`"${a}".*`)]);
    if (replaced) items.push(...this.#selected.slice(1).map((a) => [this.q.text(`"${a}".*`)]));
    for (const step of named) {
      const [first] = step.arguments!;
      const list = first && readList(first, this.l);
      for (const item of list ? list.map((i) => i.value) : [first!]) {
        const name = textOf(item);
        if (name !== undefined && this.sources.some((s) => s.alias === name)) items.push([this.q.text(`"${name}".*`)]);
        else if (item.kind === 'function') {
          const inner = this.q.select(callbackSteps(item, this.q.context), undefined, step.span);
          if (inner) items.push([this.q.text('('), ...inner, this.q.text(')')]);
        } else items.push(this.condition(item, step.span));
      }
    }
    return items.length === 0
      ? [this.q.text('1')]
      : items.flatMap((parts, i) => (i === 0 ? parts : [this.q.text(', '), ...parts]));
  }

  /** The conditions one behind the other, as they were given: strings are not put in parentheses. */
  where(steps: readonly BuilderStep[], at: Span): readonly TextPart[] {
    for (const step of steps) {
      if (step.name === 'setParameter') this.#parameter(textOf(step.arguments?.[0]), step.arguments?.[1]);
      if (step.name === 'setParameters' || /[wW]here$/.test(step.name))
        this.parametersOf(step.arguments?.[step.name === 'setParameters' ? 0 : 1]);
    }
    let clauses: Clause[] = [];
    const joined = (): TextPart[] =>
      clauses.flatMap((c, i) => (i === 0 ? c.parts : [this.q.text(c.type === 'or' ? ' OR ' : ' AND '), ...c.parts]));
    for (const step of steps) {
      const args = step.arguments;
      const [first] = args ?? [];
      if (!first) continue;
      const keyed = /^(where|andWhere|orWhere)InIds$/.exec(step.name);
      const exists = /^(where|andWhere|orWhere)(?:Not)?Exists$/.exec(step.name);
      const kind = keyed?.[1] ?? exists?.[1] ?? step.name;
      if (!['where', 'andWhere', 'orWhere'].includes(kind)) continue;
      const parts = keyed ? this.#inIds(first, step.span) : this.condition(first, step.span);
      if (parts.length === 0) continue;
      if (kind === 'where') {
        const before = joined();
        clauses = [{ type: 'and', parts: step.when ? this.#maybe(parts, before, step.when, at) : parts }];
      } else if (kind === 'andWhere')
        clauses.push({ type: 'and', parts: step.when ? this.#maybe(parts, [], step.when, at) : parts });
      // One more alternative never makes the condition narrower.
      else clauses.push({ type: 'or', parts });
    }
    return joined();
  }

  #maybe(parts: readonly TextPart[], otherwise: readonly TextPart[], test: Value, at: Span): readonly TextPart[] {
    const absent = this.q.context.typeOf(test)?.optional && test.kind !== 'missing-able';
    this.q.tests.push(absent ? { kind: 'missing-able', of: test, how: 'undefined', certain: true } : test);
    const hole = this.q.bind({ kind: 'unknown', reason: `test:${this.q.tests.length - 1}` }, at);
    const other = otherwise.length > 0 ? [this.q.text('('), ...otherwise, this.q.text(')')] : [this.q.text('TRUE')];
    const { text } = this.q;
    return [text('(CASE WHEN '), hole, text(' THEN ('), ...parts, text(') ELSE '), ...other, text(' END)')];
  }

  #inIds(value: Value, span: Span): readonly TextPart[] {
    const [main] = this.sources;
    if (!main) return [];
    const key = main.table?.constraints.find((c) => c.kind === 'primary key')?.columns[0] ?? 'id';
    const left: Value = { kind: 'column', target: main.ref, column: key };
    const list = readList(value, this.l);
    const right = list?.map((i) => i.value) ?? [{ kind: 'element' as const, of: value, path: ['*'] }];
    return [this.q.mark({ kind: 'in', left, right, ...(list ? {} : { open: true }) }, span)];
  }

  parametersOf(value: Value | undefined): void {
    const object = value && readObject(value, this.l);
    for (const p of object?.properties.values() ?? []) this.#parameter(p.name, p.value);
  }

  #parameter(name: string | undefined, value: Value | undefined): void {
    if (name !== undefined && value) this.q.parameters.set(name, value);
  }

  /** A condition: text, an object, Brackets, or a function that returns one of them. */
  condition(value: Value, span: Span): readonly TextPart[] {
    const [main] = this.sources;
    const v = ['result', 'text', 'constant', 'apply', 'function', 'object', 'list', 'instance'].includes(value.kind)
      ? value
      : this.q.context.resolve(value);
    if (v.kind === 'instance') return this.#brackets(v, span);
    if (v.kind === 'function') {
      for (const step of callbackSteps(v, this.q.context))
        if (step.name === 'setParameter') this.#parameter(textOf(step.arguments?.[0]), step.arguments?.[1]);
      const returns = this.q.context.function(v.function)?.returns ?? [];
      const [only] = returns;
      return only && returns.length === 1 && only.value.kind !== 'function'
        ? this.condition(only.value, span)
        : [this.q.mark({ kind: 'unknown', reason: 'what the function returns was not found' }, span)];
    }
    if (v.kind === 'object' || v.kind === 'list')
      return main ? [this.q.mark(whereCondition(v, main, { ...this.l, strict: true }), span)] : [];
    const alternatives = piecesOf(v, span, this.q.context, (hole) => this.#alias(hole) ?? this.q.expand(hole));
    const [pieces, ...others] = typeof alternatives === 'string' ? [] : alternatives;
    if (!pieces || others.length > 0) {
      const reason = typeof alternatives === 'string' ? alternatives : 'one of several texts';
      return [this.q.mark({ kind: 'unknown', reason: `a condition of the query: ${reason}` }, span)];
    }
    return merged(pieces).flatMap((p): readonly TextPart[] => {
      if (!('hole' in p)) return this.#rewritten(p.text, p.start ?? span.start, p.exact, span);
      return [p.as === 'bind' ? this.q.bind(p.hole, p.span) : { hole: p.hole, span: p.span }];
    });
  }

  /** `${query.alias}.orgId`: the builder itself says what its main source is called. */
  #alias(hole: Value): Expansion | undefined {
    if ((hole.kind !== 'result' && hole.kind !== 'parameter') || hole.path.join() !== 'alias') return undefined;
    const [main] = this.sources;
    const of: Value = { ...hole, path: [] };
    const type = this.q.context.typeOf(of)?.name;
    const isTyped = type?.kind === 'import' && isTypeorm(type.module);
    if (isTyped) return main && { written: main.alias };
    const made = of.kind === 'result' ? this.q.context.chain(of.chain) : undefined;
    const first = made && builderOf(made, this.q.context)?.steps[0];
    if (!first) return undefined;
    const alias = textOf(first.arguments?.find((a) => textOf(a) !== undefined)) ?? main?.alias;
    return alias === undefined ? undefined : { written: alias };
  }

  #brackets(value: Extract<Value, { kind: 'instance' }>, span: Span): readonly TextPart[] {
    const from = importedAs(value.of, this.q.context);
    const [callback] = value.arguments;
    if (!from || !isTypeorm(from.module) || !/^(?:Not)?Brackets$/.test(from.name) || !callback)
      return [this.q.mark({ kind: 'unknown', reason: 'a condition of a class that is not known' }, span)];
    const steps = callbackSteps(callback, this.q.context);
    const inner = this.where(steps, span);
    if (inner.length === 0) return [];
    return [this.q.text(from.name === 'NotBrackets' ? 'NOT (' : '('), ...inner, this.q.text(')')];
  }

  /** Text with property paths as columns and parameters as holes. */
  #rewritten(text: string, start: number, exact: boolean, span: Span): readonly TextPart[] {
    const parts: TextPart[] = [];
    let from = 0;
    const upTo = (end: number): void => {
      if (end > from) parts.push({ text: text.slice(from, end), start: start + from, exact });
    };
    for (const match of text.matchAll(
      /'(?:[^']|'')*'|(?<![:\w]):(\.\.\.)?([A-Za-z_]\w*)|(?<![\w".$])[A-Za-z_]\w*(?:\.\w+)*/g,
    )) {
      const [all, , name] = match;
      const value = name === undefined ? undefined : this.q.parameters.get(name);
      const made = name === undefined ? this.#column(all) : undefined;
      if (name === undefined && made === undefined) continue;
      upTo(match.index);
      from = match.index + all.length;
      const at: Span = { file: span.file, start: start + match.index, end: start + from };
      if (made !== undefined) parts.push({ text: made, start: at.start, exact: false });
      else if (!value) parts.push(this.q.bind({ kind: 'unknown', reason: `the parameter ${name} was not found` }, at));
      else if (match[1] === undefined) parts.push(this.q.bind(value, at));
      else parts.push(...this.#spread(value, at));
    }
    upTo(text.length);
    return parts;
  }

  #spread(value: Value, at: Span): readonly TextPart[] {
    const list = readList(value, this.l);
    if (!list || list.length === 0) return [this.q.bind({ kind: 'element', of: value, path: ['*'] }, at)];
    return list.flatMap((item, i) => [
      ...(i > 0 ? [this.q.text(', ')] : []),
      this.q.bind(item.spread ? { kind: 'element', of: item.value, path: ['*'] } : item.value, at),
    ]);
  }

  /** `i.orgId` as the quoted column of the source, a relation as the column that holds the reference. */
  #column(text: string): string | undefined {
    const [first, ...rest] = text.split('.');
    const named = this.#outer(first!);
    if (named && rest.length > 0) return `"${named.alias}"."${columnFor(named, rest.join('.'), this.l)}"`;
    const [main] = this.sources;
    if (!this.bare || !main || rest.length > 0) return undefined;
    const column = knownColumn(main, text);
    return column === undefined ? undefined : `"${column}"`;
  }

  /** Sub-queries name the sources of the query around them too. */
  #outer(alias: string): Source | undefined {
    const own = this.sources.find((s) => s.alias === alias);
    return own ?? this.q.named.get(alias);
  }
}

/** Pieces of text one behind the other as one: `${alias}.orgId` is a name. */
function merged(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last === undefined || 'hole' in piece || 'hole' in last) result.push(piece);
    else result[result.length - 1] = { ...last, text: last.text + piece.text, exact: false };
  }
  return result;
}

function columnFor(source: Source, path: string, l: Lowering): string {
  const known = knownColumn(source, path);
  if (known !== undefined) return known;
  const [relation] = path.split('.');
  const link = linkNamed(source, relation!, l);
  return link?.owned && link.pairs[0] ? link.pairs[0][0] : columnNamed(source, path);
}
