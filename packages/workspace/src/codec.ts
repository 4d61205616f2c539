import type { FileFacts } from '@tenant-lint/model';

/**
 * Facts as bytes, for the cache and between threads. Facts are plain JSON, but as JSON they are seven times as long as the source: the path of
 * the file stands in every span and id, and every object spells its keys. Here strings and lists of keys stand once per file, a span of the
 * file is two numbers, and the id of a chain or function is one. Nothing is known of what the facts mean; whatever is JSON comes back equal,
 * keys in their order.
 */

// Tags. From firstShape on, a tag is the number of a list of keys that the file has shown before.
const nullTag = 0;
const trueTag = 1;
const falseTag = 2;
const integerTag = 3;
const numberTag = 4;
const stringTag = 5;
const listTag = 6;
const emptyTag = 7;
const dictionaryTag = 8;
const ownFileTag = 9;
const chainTag = 10;
const functionTag = 11;
const spanTag = 12;
const newShapeTag = 13;
const firstShape = 16;
const mostShapes = 256 - firstShape;

const smallest = 1 << 16;

/** A list of keys, found key by key. */
interface Shape {
  number: number;
  readonly next: Map<string, Shape>;
}

let out = new Uint8Array(smallest);
let at = 0;
let file = '';
let prefix = '';
let strings: string[] = [];
let numbers = new Map<string, number>();
let root: Shape = { number: -1, next: new Map() };
let shapes = 0;

/** The bytes of some facts. They stand alone: no other file's are needed to read them. */
export function encodeFacts(facts: FileFacts): Uint8Array {
  at = 4;
  ({ file } = facts);
  prefix = `${file}#`;
  strings = [file];
  numbers = new Map();
  root = { number: -1, next: new Map() };
  shapes = 0;
  write(facts);
  const body = at;
  const table = Buffer.from(JSON.stringify(strings));
  const bytes = new Uint8Array(body + table.length);
  bytes.set(out.subarray(0, body));
  bytes.set(table, body);
  new DataView(bytes.buffer).setUint32(0, body);
  return bytes;
}

function room(bytes: number): void {
  if (at + bytes <= out.length) return;
  const larger = new Uint8Array(Math.max(out.length * 2, at + bytes));
  larger.set(out);
  out = larger;
}

/** Seven bits a byte, the lowest first. */
function writeInteger(value: number): void {
  let left = value;
  while (left >= 0x80) {
    out[at++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  out[at++] = left;
}

function write(value: unknown): void {
  room(32);
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      if (Number.isInteger(value) && value >= 0 && value < 0x7fff_ffff && !Object.is(value, -0)) {
        out[at++] = integerTag;
        return writeInteger(value);
      }
      out[at++] = numberTag;
      new DataView(out.buffer).setFloat64(at, value);
      at += 8;
      return;
    case 'boolean':
      out[at++] = value ? trueTag : falseTag;
      return;
    case 'object':
      if (value === null) out[at++] = nullTag;
      else if (Array.isArray(value)) writeList(value);
      else writeObject(value as Record<string, unknown>);
      return;
    default:
      // As JSON does in lists; as properties such values do not get here.
      out[at++] = nullTag;
  }
}

function writeString(value: string): void {
  if (value.length > prefix.length && value.charCodeAt(file.length) === 35 && value.startsWith(prefix)) {
    const number = Number(value.slice(prefix.length + 1));
    const letter = value.charCodeAt(prefix.length);
    if (Number.isInteger(number) && number >= 0 && (letter === 99 || letter === 102) && number < 0x7fff_ffff) {
      // Only what would be written so again: `c01` and `c1e3` are no ids.
      if (String(number).length === value.length - prefix.length - 1) {
        out[at++] = letter === 99 ? chainTag : functionTag;
        return writeInteger(number);
      }
    }
  }
  if (value === file) {
    out[at++] = ownFileTag;
    return;
  }
  out[at++] = stringTag;
  writeInteger(numberOf(value));
}

function numberOf(value: string): number {
  let number = numbers.get(value);
  if (number === undefined) {
    number = strings.push(value) - 1;
    numbers.set(value, number);
  }
  return number;
}

function writeList(list: readonly unknown[]): void {
  if (list.length === 0) {
    out[at++] = emptyTag;
    return;
  }
  out[at++] = listTag;
  writeInteger(list.length);
  for (const item of list) write(item);
}

function writeObject(value: Record<string, unknown>): void {
  let shape = root;
  let count = 0;
  for (const key in value) {
    if (value[key] === undefined) continue;
    count++;
    let next = shape.next.get(key);
    if (!next) {
      next = { number: -1, next: new Map() };
      shape.next.set(key, next);
    }
    shape = next;
  }
  if (count === 3 && isOwnSpan(value)) return;
  if (shape.number >= 0) out[at++] = firstShape + shape.number;
  else {
    if (shapes < mostShapes && count > 0 && !Object.hasOwn(value, '__proto__')) {
      shape.number = shapes++;
      out[at++] = newShapeTag;
    } else {
      out[at++] = dictionaryTag;
    }
    writeInteger(count);
    for (const key in value) {
      if (value[key] === undefined) continue;
      room(8);
      writeInteger(numberOf(key));
    }
  }
  for (const key in value) {
    const property = value[key];
    if (property !== undefined) write(property);
  }
}

/** Writes a span of the file itself; false where the object is none. */
function isOwnSpan(value: Record<string, unknown>): boolean {
  const { start, end } = value;
  if (value['file'] !== file || typeof start !== 'number' || typeof end !== 'number') return false;
  if (!(start >= 0 && end >= start && end < 0x7fff_ffff && Number.isInteger(start) && Number.isInteger(end)))
    return false;
  const [first, second] = Object.keys(value);
  if (first !== 'file' || second !== 'start') return false;
  out[at++] = spanTag;
  writeInteger(start);
  writeInteger(end - start);
  return true;
}

let input: Uint8Array = new Uint8Array(0);
let chains: string[] = [];
let functions: string[] = [];
let known: Reader[] = [];

/** Makes an object with certain keys of what comes next. */
type Reader = (read: () => unknown) => unknown;

const readers = new Map<string, Reader>();
const mostReaders = 2_000;

/** The facts that encodeFacts made the bytes of. Throws where they are not such bytes. */
export function decodeFacts(bytes: Uint8Array): FileFacts {
  input = bytes;
  at = 4;
  const body = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  strings = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + body, bytes.length - body).toString()) as string[];
  file = strings[0]!;
  chains = [];
  functions = [];
  known = [];
  const facts = read() as FileFacts;
  if (at !== body) throw new RangeError('not the bytes of facts');
  return facts;
}

function readInteger(): number {
  let byte = input[at++]!;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  for (let shift = 7; shift < 35; shift += 7) {
    byte = input[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new RangeError('not the bytes of facts');
}

function read(): unknown {
  const tag = input[at++]!;
  if (tag >= firstShape) return known[tag - firstShape]!(read);
  switch (tag) {
    case stringTag:
      return strings[readInteger()];
    case spanTag: {
      const start = readInteger();
      return { file, start, end: start + readInteger() };
    }
    case emptyTag:
      return [];
    case listTag: {
      const length = readInteger();
      const list: unknown[] = [];
      for (let i = 0; i < length; i++) list.push(read());
      return list;
    }
    case integerTag:
      return readInteger();
    case chainTag: {
      const number = readInteger();
      return (chains[number] ??= `${file}#c${number}`);
    }
    case functionTag: {
      const number = readInteger();
      return (functions[number] ??= `${file}#f${number}`);
    }
    case trueTag:
      return true;
    case falseTag:
      return false;
    case nullTag:
      return null;
    case ownFileTag:
      return file;
    case newShapeTag: {
      const reader = readerOf(readKeys());
      known.push(reader);
      return reader(read);
    }
    case dictionaryTag: {
      const object: Record<string, unknown> = {};
      for (const key of readKeys())
        Object.defineProperty(object, key, { value: read(), enumerable: true, configurable: true, writable: true });
      return object;
    }
    case numberTag: {
      const value = new DataView(input.buffer, input.byteOffset).getFloat64(at);
      at += 8;
      return value;
    }
    default:
      throw new RangeError('not the bytes of facts');
  }
}

function readKeys(): string[] {
  const keys: string[] = [];
  for (let left = readInteger(); left > 0; left--) keys.push(strings[readInteger()]!);
  return keys;
}

/** A literal is made several times as fast as an object whose keys come one by one, and takes less memory. */
function readerOf(keys: readonly string[]): Reader {
  const id = JSON.stringify(keys);
  let reader = readers.get(id);
  if (!reader) {
    const properties = keys.map((key) => `${JSON.stringify(key)}:r()`);
    reader = new Function('r', `return {${properties.join()}}`) as Reader;
    if (readers.size < mostReaders) readers.set(id, reader);
  }
  return reader;
}
