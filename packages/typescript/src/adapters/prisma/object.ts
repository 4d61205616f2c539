import { undefinedValue, type Entry, type Predicate, type Span, type Value } from '@tenant-lint/model';
import { describe, unknownCondition, type Lowering } from './lowering.js';
import { asChoice, settled } from './shape.js';

/** A property of an object that was put together from literals, spreads and conditional parts. */
export interface Property {
  readonly name: string;
  readonly value: Value;
  readonly span?: Span;
  /** Something unseen comes after it and may set it anew. */
  readonly replaced?: string;
  /** What that is, where it is a spread. */
  readonly by?: Value;
  /** It is there together with others, or not at all. */
  readonly group?: Group;
}

/** Objects of which one is spread: `...(a ? { x } : { y, z })`. Kept together as long as no other entry touches one of their properties. */
export interface Group {
  readonly of: readonly ReadObject[];
  readonly test?: Value;
}

export interface ReadObject {
  readonly properties: ReadonlyMap<string, Property>;
  /** Parts whose properties are not known: why. */
  readonly unseen: readonly string[];
  /** The objects that are spread and not known. */
  readonly rest?: readonly Value[];
}

/** The conditions that the unknown parts of a filter stand for. */
export const unseenConditions = ({ unseen, rest = [] }: ReadObject, span?: Span): Predicate[] =>
  unseen.map((reason, i) => unknownCondition(reason, span, rest.length === unseen.length ? rest[i] : undefined));

const empty: ReadObject = { properties: new Map(), unseen: [], rest: [] };

/** The properties of a value that is an object as far as syntax shows; undefined where it is none. */
export function readObject(value: Value, l: Lowering): ReadObject | undefined {
  return l.deeper(
    () => undefined,
    () => {
      const v = settled(value, l);
      if (v.kind === 'object') return readEntries(v.entries, l);
      if (v.kind === 'undefined' || v.kind === 'constant') return empty;
      const group = groupOf(v, l);
      return group && merged(group, new Map());
    },
  );
}

/** The objects that a conditional value may be; undefined where none of them can be read, or the value is not conditional. */
function groupOf(value: Value, l: Lowering): Group | undefined {
  const choice = value.kind === 'missing-able' ? { of: [value.of, undefinedValue], test: value } : asChoice(value);
  if (!choice) return undefined;
  const read = choice.of.map((one) => readObject(one, l));
  if (!read.some((r, i) => r !== undefined && !isBlank(choice.of[i]!))) return undefined;
  const of = read.map(
    (r, i) => r ?? { properties: new Map(), unseen: [`a part is ${describe(choice.of[i]!)}`], rest: [choice.of[i]!] },
  );
  return { of, ...(choice.test && of.length === 2 ? { test: choice.test } : {}) };
}

/** What decides whether an entry is set. */
const testOf = ({ test }: Entry): { readonly test?: Value } => (test ? { test } : {});

const isBlank = (v: Value): boolean => v.kind === 'undefined' || v.kind === 'constant';

function readEntries(entries: readonly Entry[], l: Lowering): ReadObject {
  const building = new Building();
  for (const entry of entries) {
    const at = entry.span ? { span: entry.span } : {};
    if ('set' in entry) {
      building.put({ name: entry.set, value: entry.value, ...at }, entry);
    } else if ('computed' in entry) {
      const key = l.context.resolve(entry.computed);
      if (key.kind === 'constant') {
        building.put({ name: String(key.value), value: entry.value, ...at }, entry);
      } else building.hide('a key is computed');
    } else {
      const spread = settled(entry.spread, l);
      const inner = readObject(spread, l);
      const group = entry.maybe ? inner && { of: [inner, empty], ...testOf(entry) } : groupOf(spread, l);
      if (group) building.putGroup(group);
      else if (inner) building.putAll(inner);
      else building.hide(`a spread is ${describe(entry.spread)}`, entry.spread);
    }
  }
  return building;
}

/** An object in the making: later entries replace earlier ones. */
class Building implements ReadObject {
  readonly properties = new Map<string, Property>();
  readonly unseen: string[] = [];
  readonly rest: Value[] = [];

  put(property: Property, entry: Entry): void {
    const before = this.properties.get(property.name);
    this.#dissolve(before?.group);
    const value: Value = entry.maybe
      ? { kind: 'choice', of: [property.value, before?.value ?? undefinedValue], ...testOf(entry) }
      : property.value;
    this.properties.set(property.name, { ...property, value });
  }

  putAll(object: ReadObject): void {
    for (const reason of object.unseen) this.hide(reason);
    this.rest.push(...(object.rest ?? []));
    const touched = [...object.properties.values()].filter((p) => this.properties.has(p.name));
    for (const p of touched) this.#dissolve(this.properties.get(p.name)?.group);
    for (const p of object.properties.values()) this.properties.set(p.name, p);
    // A group of the other object stays one, unless it shares a property with what was there.
    for (const p of touched) this.#dissolve(p.group);
  }

  putGroup(group: Group): void {
    const result = merged(group, this.properties);
    for (const reason of result.unseen) this.hide(reason);
    this.rest.push(...(result.rest ?? []));
    const names = new Set(group.of.flatMap((o) => [...o.properties.keys()]));
    const apart = ![...names].some((name) => this.properties.has(name)) && result.unseen.length === 0;
    for (const name of names) {
      this.#dissolve(this.properties.get(name)?.group);
      const p = result.properties.get(name)!;
      this.properties.set(name, apart ? { ...p, group } : p);
    }
  }

  /** Something unseen follows, which may set anything anew. */
  hide(reason: string, by?: Value): void {
    this.unseen.push(reason);
    if (by) this.rest.push(by);
    for (const p of this.properties.values())
      this.properties.set(p.name, { ...p, replaced: reason, ...(by ? { by } : {}) });
  }

  #dissolve(group: Group | undefined): void {
    if (!group) return;
    for (const p of this.properties.values()) {
      if (p.group !== group) continue;
      const { group: _, ...alone } = p;
      this.properties.set(p.name, alone);
    }
  }
}

/** Objects of which one is taken, put over `before`: a property that one lacks keeps what was there. */
function merged(group: Group, before: ReadonlyMap<string, Property>): ReadObject {
  const properties = new Map(before);
  for (const name of new Set(group.of.flatMap((o) => [...o.properties.keys()]))) {
    const found = group.of.map((o) => o.properties.get(name) ?? before.get(name));
    const shown = found.find((p) => p !== undefined)!;
    const values = found.map((p) => p?.value ?? undefinedValue);
    const value: Value = { kind: 'choice', of: values, ...(group.test ? { test: group.test } : {}) };
    const { replaced, by } = found.find((p) => p?.replaced) ?? {};
    properties.set(name, {
      name,
      value,
      ...(shown.span ? { span: shown.span } : {}),
      ...(replaced ? { replaced } : {}),
      ...(by ? { by } : {}),
    });
  }
  return { properties, unseen: group.of.flatMap((o) => o.unseen), rest: group.of.flatMap((o) => o.rest ?? []) };
}
