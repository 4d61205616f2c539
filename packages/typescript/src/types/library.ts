import type TS from 'typescript';
import type { TypeName, Value } from '@tenant-lint/model';
import { textLimit } from '../extract/types.js';
import { ts } from '../extract/typescript.js';

/** What a type is to a data library. */
export interface LibraryType {
  readonly type: TypeName;
  /** It stands for this property of such a thing: the delegate of a model of Prisma's client. */
  readonly read?: string;
  /** It is a class of the program, whose static methods are the library's. */
  readonly value?: Value;
}

export interface TypeReader {
  readonly checker: TS.TypeChecker;
  /** Whether a package is one of a data library. */
  isLibrary(name: string): boolean;
  /** The name of a file of the project, relative to the root; undefined for others. */
  fileOf(source: TS.SourceFile): string | undefined;
  /** The file in which the type is asked for, relative to the root. */
  readonly from: string;
}

const maxDepth = 6;
/** Types of TypeScript that change what a type has, and leave it what it is. */
const passing: ReadonlySet<string> = new Set([
  'Omit',
  'Pick',
  'Partial',
  'Required',
  'Readonly',
  'NonNullable',
  'Awaited',
]);

/** The type of a data library that a type is, extends, or is made of; undefined where it is none. */
export function libraryType(given: TS.Type, reader: TypeReader): LibraryType | undefined {
  const { checker } = reader;
  const nullable = given.isUnion() && given.types.some((t) => (t.flags & ts.TypeFlags.Null) !== 0);
  const optional = given.isUnion() && given.types.some((t) => (t.flags & ts.TypeFlags.Undefined) !== 0);
  const type = checker.getNonNullableType(given);
  const found = typeOf(type, reader, 0);
  return found && { ...found, type: { ...found.type, nullable, optional } };
}

function typeOf(type: TS.Type, reader: TypeReader, depth: number): LibraryType | undefined {
  if (depth > maxDepth || (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Never)) !== 0)
    return undefined;
  const { checker } = reader;
  const again = (t: TS.Type): LibraryType | undefined => typeOf(t, reader, depth + 1);
  const made = constructed(type, reader);
  const base = made && again(made.type);
  if (base) return { type: base.type, value: made.value };
  if (type.aliasSymbol) {
    const own = named(type.aliasSymbol, type, type.aliasTypeArguments, reader);
    if (own) return own;
    const [inner] = passing.has(type.aliasSymbol.name) ? (type.aliasTypeArguments ?? []) : [];
    const through = inner && again(inner);
    if (through) return { ...through, type: { ...through.type, text: textOf(type, checker) } };
  }
  if (type.isUnion()) {
    const all = type.types.map(again);
    const [first] = all;
    const [module] = all.map(moduleOf);
    return first && all.every((t) => t !== undefined && moduleOf(t) === module) ? first : undefined;
  }
  if (type.isIntersection()) return firstOf(type.types, again);
  const { symbol } = type;
  if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) {
    const bound = checker.getBaseConstraintOfType(type);
    return bound && bound !== type ? again(bound) : undefined;
  }
  if (!symbol) return undefined;
  const own = named(symbol, type, checker.getTypeArguments(type as TS.TypeReference), reader);
  if (own) return own;
  const target = (type as TS.TypeReference).target ?? type;
  if (!target.isClassOrInterface()) return undefined;
  return firstOf(checker.getBaseTypes(target), again);
}

/** The class of the project that something is the constructor of: `typeof Invoice`, `ModelStatic<Invoice>`. */
function constructed(type: TS.Type, reader: TypeReader): { readonly type: TS.Type; readonly value: Value } | undefined {
  for (const signature of type.getConstructSignatures()) {
    const made = signature.getReturnType();
    const declaration = made.symbol?.declarations?.find(ts.isClassLike);
    const file = declaration && reader.fileOf(declaration.getSourceFile());
    if (file === undefined) continue;
    const name = declaration?.name?.text ?? 'default';
    return { type: made, value: { kind: 'binding', file, name, path: [] } };
  }
  return undefined;
}

const moduleOf = (found: LibraryType | undefined): string | undefined =>
  found?.type.name?.kind === 'import' ? found.type.name.module : undefined;

function firstOf<T>(types: readonly TS.Type[], find: (type: TS.Type) => T | undefined): T | undefined {
  for (const type of types) {
    const found = find(type);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A type by its symbol, where a data library declares it. */
function named(
  symbol: TS.Symbol,
  type: TS.Type,
  args: readonly TS.Type[] | undefined,
  reader: TypeReader,
): LibraryType | undefined {
  const source = symbol.declarations?.[0]?.getSourceFile();
  if (!source) return undefined;
  const names = [symbol.name, ...spacesOf(symbol)].reverse();
  const declaredBy = packageOfPath(source.fileName);
  // The client that Prisma generates into the project is Prisma's.
  const module = declaredBy ?? (symbol.name === 'PrismaClient' ? '@prisma/client' : undefined);
  if (module === undefined || !reader.isLibrary(module)) return undefined;
  const [name = '', ...path] = names;
  const from = args?.map((a) => projectFile(a, reader)).find((f) => f !== undefined) ?? reader.from;
  const value: Value = { kind: 'import', from, module, name, path };
  const text = textOf(type, reader.checker);
  const delegate = module.startsWith('@prisma/') ? /^(\w+)Delegate$/.exec(symbol.name)?.[1] : undefined;
  if (delegate !== undefined)
    return {
      type: {
        text: 'PrismaClient',
        name: { ...value, name: 'PrismaClient', path: [] },
        optional: false,
        nullable: false,
      },
      read: delegate.charAt(0).toLowerCase() + delegate.slice(1),
    };
  return { type: { text, name: value, optional: false, nullable: false } };
}

/** The file of the project that declares a type: the names in the text of another type mean what they mean there. */
function projectFile(type: TS.Type, reader: TypeReader): string | undefined {
  const source = (type.aliasSymbol ?? type.symbol)?.declarations?.[0]?.getSourceFile();
  return source && reader.fileOf(source);
}

/** The namespaces that a symbol stands in, the innermost first. */
function spacesOf(symbol: TS.Symbol): string[] {
  const found: string[] = [];
  let at = (symbol as TS.Symbol & { parent?: TS.Symbol }).parent;
  for (; at && (at.flags & ts.SymbolFlags.Namespace) !== 0; at = (at as TS.Symbol & { parent?: TS.Symbol }).parent) {
    if (at.declarations?.some(ts.isSourceFile) || at.name.startsWith('"')) break;
    found.push(at.name);
  }
  return found;
}

/** The package whose folder holds a file; a package of types stands for what it describes. */
export function packageOfPath(path: string): string | undefined {
  const at = path.lastIndexOf('/node_modules/');
  if (at < 0) return undefined;
  const parts = path.slice(at + '/node_modules/'.length).split('/');
  const name = parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1).join('/');
  if (name === '.prisma') return '@prisma/client';
  if (!name.startsWith('@types/')) return name;
  const of = name.slice('@types/'.length);
  return of.includes('__') ? `@${of.replace('__', '/')}` : of;
}

const textOf = (type: TS.Type, checker: TS.TypeChecker): string =>
  checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation).slice(0, textLimit);
