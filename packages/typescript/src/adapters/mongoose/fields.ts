import {
  propertyOf,
  type Decorator,
  type Entry,
  type LinkContext,
  type Span,
  type TypeName,
  type Value,
} from '@tenant-lint/model';
import { exportOf, nameIn, schemaOf, type SchemaSource } from './models.js';

/** A path of a schema: `orgId`, `address.city`. */
export interface Field {
  readonly path: string;
  /** A type as Postgres would print it, as far as there is one like it; lists end with `[]`. */
  readonly type: string;
  readonly required: boolean;
  /** The model that it refers to. */
  readonly ref?: string;
  readonly unique: boolean;
  readonly default?: Value;
  readonly span: Span;
}

export interface Fields {
  readonly fields: readonly Field[];
  /** Parts of the schema were not found, so that there may be further fields. */
  readonly open: boolean;
}

const types: Readonly<Record<string, string>> = {
  String: 'text',
  Number: 'bigint',
  BigInt: 'bigint',
  Boolean: 'boolean',
  Bool: 'boolean',
  Date: 'timestamp with time zone',
  Buffer: 'bytea',
  ObjectId: 'objectid',
  ObjectID: 'objectid',
  UUID: 'uuid',
  Mixed: 'jsonb',
  Map: 'jsonb',
  Decimal128: 'numeric',
  Double: 'double precision',
  Int32: 'integer',
  Array: 'jsonb[]',
  Object: 'jsonb',
};

class Reading {
  readonly fields = new Map<string, Field>();
  open = false;

  constructor(
    readonly context: LinkContext,
    readonly span: Span,
  ) {}

  /** The fields of an object of definitions, under `prefix`. */
  object(value: Value | undefined, prefix: string, depth: number): void {
    const v = value && (value.kind === 'object' ? value : this.context.resolve(value));
    if (v?.kind === 'constant' || v?.kind === 'undefined') return;
    if (v?.kind !== 'object' || depth > 8) {
      this.open = true;
      return;
    }
    for (const entry of v.entries) this.#entry(entry, prefix, depth);
  }

  #entry(entry: Entry, prefix: string, depth: number): void {
    if ('spread' in entry) return this.object(entry.spread, prefix, depth + 1);
    if ('computed' in entry) {
      this.open = true;
      return;
    }
    this.field(`${prefix}${entry.set}`, entry.value, entry.span ?? this.span, depth);
  }

  /** One definition: a type, a list of one, `{ type, required, ref }`, a schema, or an object of further definitions. */
  field(path: string, value: Value, span: Span, depth: number): void {
    const v = ['object', 'list'].includes(value.kind) || typeNameOf(value) ? value : this.context.resolve(value);
    if (v.kind === 'list') return this.#list(path, v.of[0]?.value, v, span, depth);
    const schema = schemaOf(value, span, this.context);
    if (schema) return this.#embedded(path, schema, span, depth, '');
    if (v.kind !== 'object') return this.#put({ path, type: typeOf(v), required: false, unique: false, span });
    const given = propertyOf(v, 'type');
    // A field that is itself called type has a definition of its own in it.
    if (given.kind === 'undefined' || (given.kind === 'object' && propertyOf(given, 'type').kind !== 'undefined')) {
      this.#put({ path, type: 'jsonb', required: false, unique: false, span });
      return this.object(v, `${path}.`, depth + 1);
    }
    const before = this.fields.get(path);
    this.#typed(path, given, span, depth);
    const made = this.fields.get(path);
    if (made && made !== before) this.#put({ ...made, ...this.settings(v), span });
  }

  #typed(path: string, type: Value, span: Span, depth: number): void {
    const v = type.kind === 'list' || typeNameOf(type) ? type : this.context.resolve(type);
    if (v.kind === 'list') return this.#list(path, v.of[0]?.value, v, span, depth);
    const schema = schemaOf(type, span, this.context);
    if (schema) return this.#embedded(path, schema, span, depth, '');
    if (v.kind === 'object') {
      this.#put({ path, type: 'jsonb', required: false, unique: false, span });
      return this.object(v, `${path}.`, depth + 1);
    }
    this.#put({ path, type: typeOf(v), required: false, unique: false, span });
  }

  #list(path: string, item: Value | undefined, _list: Value, span: Span, depth: number): void {
    if (!item) return this.#put({ path, type: 'jsonb[]', required: false, unique: false, span });
    const inner = new Reading(this.context, this.span);
    inner.field(path, item, span, depth + 1);
    for (const field of inner.fields.values())
      this.#put({ ...field, type: field.type.endsWith('[]') ? field.type : `${field.type}[]`, required: false });
    this.open ||= inner.open;
  }

  #embedded(path: string, schema: SchemaSource, span: Span, depth: number, suffix: string): void {
    this.#put({ path, type: `jsonb${suffix}`, required: false, unique: false, span });
    if (depth <= 6) this.schema(schema, `${path}.`, depth + 1);
  }

  /** All fields of a schema, those that `add` gives it included. */
  schema(schema: SchemaSource, prefix: string, depth: number): void {
    if (schema.of) this.#decorated(schema.of, prefix, depth);
    else if (schema.fields) this.object(schema.fields, prefix, depth);
    for (const chain of schema.calls)
      for (const step of chain.steps) {
        if (step.name === 'add') this.object(step.arguments?.[0], prefix, depth);
        // A plugin may add what it likes.
        if (step.name === 'plugin') this.open = true;
      }
  }

  #decorated(of: { file: string; name: string }, prefix: string, depth: number): void {
    const found = this.context.facts(of.file)?.classes.find((c) => c.name === of.name);
    if (!found || depth > 8) {
      this.open = true;
      return;
    }
    if (found.extends) {
      const parent = this.context.resolve(found.extends);
      if (parent.kind === 'binding') this.#decorated({ file: parent.file, name: parent.name }, prefix, depth + 1);
      else this.open = true;
    }
    for (const [name, { type, decorators }] of Object.entries(found.fields)) {
      const decorator = decorators.find((d) => ['Prop', 'prop'].includes(decoratorName(d)));
      if (decorator) this.#property(`${prefix}${name}`, decorator, type, found.span, depth);
    }
  }

  #property(path: string, decorator: Decorator, type: TypeName | undefined, span: Span, depth: number): void {
    const [given] = decorator.arguments;
    const v = given && (given.kind === 'object' ? given : this.context.resolve(given));
    if (v?.kind === 'object' && propertyOf(v, 'type').kind === 'undefined') {
      const at = v.span ?? span;
      return this.#put({
        path,
        required: false,
        unique: false,
        ...this.settings(v),
        type: annotated(type, v),
        span: at,
      });
    }
    if (given && v) return this.field(path, this.#called(given), ('span' in v && v.span) || span, depth + 1);
    this.#put({ path, type: annotated(type), required: false, unique: false, span });
  }

  /** `() => Org` stands for what it returns. */
  #called(value: Value): Value {
    const f = value.kind === 'function' ? this.context.function(value.function) : undefined;
    return f?.returns[0]?.value ?? value;
  }

  settings(v: Value): Partial<Field> {
    const required = propertyOf(v, 'required');
    const unique = propertyOf(v, 'unique');
    const value = propertyOf(v, 'default');
    const reference = propertyOf(v, 'ref');
    const ref = reference.kind === 'undefined' ? undefined : nameIn(this.#called(reference), this.context);
    return {
      required: isTrue(required) || (required.kind === 'list' && isTrue(required.of[0]?.value)),
      unique: isTrue(unique) || (unique.kind === 'list' && isTrue(unique.of[0]?.value)),
      ...(ref === undefined ? {} : { ref }),
      ...(value.kind === 'constant' ? { default: value } : {}),
    };
  }

  #put(field: Field): void {
    this.fields.set(field.path, field);
  }
}

const isTrue = (v: Value | undefined): boolean => v?.kind === 'constant' && v.value === true;

const decoratorName = (d: Decorator): string =>
  exportOf(d.name) ?? (d.name.kind === 'global' || d.name.kind === 'binding' ? d.name.name : '');

/** The name of a type of Mongoose: `Schema.Types.ObjectId`, `String`, `'Number'`. */
function typeNameOf(value: Value): string | undefined {
  const name =
    exportOf(value)?.split('.').at(-1) ??
    (value.kind === 'global' ? [value.name, ...value.path].at(-1) : undefined) ??
    (value.kind === 'constant' && typeof value.value === 'string' ? value.value : undefined) ??
    (value.kind === 'import' && value.path.length > 0 ? value.path.at(-1) : undefined);
  return name !== undefined && Object.hasOwn(types, name) ? name : undefined;
}

function typeOf(value: Value): string {
  const name = typeNameOf(value) ?? ('path' in value ? value.path.at(-1) : undefined);
  return (name !== undefined && Object.hasOwn(types, name) ? types[name] : undefined) ?? '';
}

/** The type of a decorated field by its annotation. */
function annotated(type: TypeName | undefined, settings?: Value): string {
  const text = type?.text ?? '';
  const list = /\[\]$|^(?:Array|Types\.Array)</.test(text) ? '[]' : '';
  if (settings && propertyOf(settings, 'ref').kind !== 'undefined') return `objectid${list}`;
  const name = /(\w+)(?:\[\])?$/.exec(text.replace(/\s*\|\s*(?:null|undefined)/g, ''))?.[1] ?? '';
  const known: Readonly<Record<string, string>> = { string: 'text', number: 'bigint', boolean: 'boolean' };
  return `${known[name] ?? types[name] ?? ''}${list}`;
}

/** The fields of a schema. */
export function fieldsOf(schema: SchemaSource, context: LinkContext): Fields {
  const reading = new Reading(context, schema.span);
  reading.schema(schema, '', 0);
  return { fields: [...reading.fields.values()], open: reading.open };
}
