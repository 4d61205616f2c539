import type TS from 'typescript';
import type { Path, TypeName, Value } from '@tenant-lint/model';
import { evaluateName } from './expressions.js';
import { lookup } from './scope.js';
import { textOf, type Extraction, type Mutable } from './state.js';
import { ts } from './typescript.js';
import { property } from './values.js';

const depthLimit = 3;
const propertyLimit = 40;
/** How much of a type is kept as text. */
export const textLimit = 200;

/** A type annotation as syntax shows it; aliases and interfaces of the same file are looked into. */
export function typeName(x: Extraction, node: TS.TypeNode, depth = 0): TypeName {
  const K = ts.SyntaxKind;
  const made: Mutable<TypeName> = { text: textOf(x, node, textLimit), optional: false, nullable: false };
  const parts = ts.isUnionTypeNode(node) ? node.types : [node];
  const rest: TS.TypeNode[] = [];
  for (const one of parts) {
    const part = unwrapped(one, made);
    if (part.kind === K.UndefinedKeyword || part.kind === K.VoidKeyword) made.optional = true;
    else if (ts.isLiteralTypeNode(part) && part.literal.kind === K.NullKeyword) made.nullable = true;
    else rest.push(part);
  }
  const [only] = rest;
  if (!only || rest.length > 1) return made;
  describe(x, only, made, depth);
  return made;
}

function describe(x: Extraction, given: TS.TypeNode, made: Mutable<TypeName>, depth: number): void {
  let node = given;
  while (ts.isParenthesizedTypeNode(node)) node = node.type;
  const text = referenceText(x, node);
  if (text !== undefined) made.text = text;
  const name = nameOf(x, node);
  if (name) made.name = name;
  if (depth >= depthLimit) return;
  const properties = rememberedProperties(x, node, depth);
  if (properties) made.properties = properties;
  const aliased = aliasOf(x, node);
  if (aliased && (ts.isUnionTypeNode(aliased) || ts.isTypeReferenceNode(aliased) || ts.isImportTypeNode(aliased))) {
    const inner = typeName(x, aliased, depth + 1);
    made.optional ||= inner.optional;
    made.nullable ||= inner.nullable;
    // Another name for one type: what that type is says more.
    if (inner.name) Object.assign(made, { name: inner.name, text: inner.text });
  }
}

/** What comments write around a type: `?T` may be null, `T=` may be left out. */
function unwrapped(node: TS.TypeNode, made: Mutable<TypeName>): TS.TypeNode {
  if (ts.isJSDocNullableType(node)) made.nullable = true;
  else if (ts.isJSDocOptionalType(node)) made.optional = true;
  else if (!ts.isJSDocNonNullableType(node)) return node;
  return unwrapped(node.type as TS.TypeNode, made);
}

/** `import('knex').Knex` reads as it would with an import before it. */
function referenceText(x: Extraction, node: TS.TypeNode): string | undefined {
  if (!ts.isImportTypeNode(node) || !node.qualifier || node.isTypeOf) return undefined;
  const start = node.qualifier.pos;
  return x.text.slice(start, node.end).trim().slice(0, textLimit);
}

function nameOf(x: Extraction, node: TS.TypeNode): Value | undefined {
  if (ts.isImportTypeNode(node)) {
    const { argument, qualifier } = node;
    if (!qualifier || !ts.isLiteralTypeNode(argument) || !ts.isStringLiteral(argument.literal)) return undefined;
    const [name = '', ...path] = namesIn(qualifier);
    return { kind: 'import', from: x.file, module: argument.literal.text, name, path };
  }
  if (!ts.isTypeReferenceNode(node)) return undefined;
  const [text = '', ...path] = namesIn(node.typeName);
  if (!lookup(x.scope, text) && x.types.has(text)) return { kind: 'binding', file: x.file, name: text, path };
  return path.reduce<Value>(property, evaluateName(x, text));
}

const namesIn = (entity: TS.EntityName): string[] =>
  ts.isQualifiedName(entity) ? [...namesIn(entity.left), entity.right.text] : [entity.text];

function aliasOf(x: Extraction, node: TS.TypeNode): TS.TypeNode | undefined {
  if (!ts.isTypeReferenceNode(node) || !ts.isIdentifier(node.typeName)) return undefined;
  const declaration = x.types.get(node.typeName.text);
  return declaration && ts.isTypeAliasDeclaration(declaration) ? declaration.type : undefined;
}

type Properties = Record<string, TypeName>;

/** The properties of a type; those of a type that the file declares are found once for each depth. */
function rememberedProperties(x: Extraction, node: TS.TypeNode, depth: number): Properties | undefined {
  const declaration =
    ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName) ? x.types.get(node.typeName.text) : undefined;
  if (!declaration) return propertiesOf(x, node, depth, new Set());
  let found = x.membersOfTypes.get(declaration);
  if (!found) x.membersOfTypes.set(declaration, (found = []));
  found[depth] ??= propertiesOf(x, node, depth, new Set()) ?? 'none';
  const properties = found[depth];
  return properties === 'none' ? undefined : properties;
}

/** The properties of an object type; `seen` ends cycles of aliases. */
function propertiesOf(x: Extraction, node: TS.TypeNode, depth: number, seen: Set<TS.Node>): Properties | undefined {
  if (seen.has(node)) return undefined;
  seen.add(node);
  if (ts.isParenthesizedTypeNode(node)) return propertiesOf(x, node.type, depth, seen);
  if (ts.isTypeLiteralNode(node)) return membersOf(x, node.members, depth);
  if (ts.isJSDocTypeLiteral(node)) return taggedMembers(x, node, depth);
  if (ts.isIntersectionTypeNode(node)) {
    const all = node.types.map((type) => propertiesOf(x, type, depth, seen)).filter((p) => p !== undefined);
    return all.length > 0 ? Object.assign(empty(), ...all) : undefined;
  }
  if (!ts.isTypeReferenceNode(node) || !ts.isIdentifier(node.typeName)) return undefined;
  const { text } = node.typeName;
  const [first, second] = node.typeArguments ?? [];
  const declaration = x.types.get(text);
  if (declaration) {
    if (ts.isTypeAliasDeclaration(declaration)) return propertiesOf(x, declaration.type, depth, seen);
    const inherited = (declaration.heritageClauses ?? []).flatMap((clause) =>
      clause.types.map(({ expression }) => {
        const base = ts.isIdentifier(expression) ? x.types.get(expression.text) : undefined;
        if (!base || seen.has(base)) return undefined;
        seen.add(base);
        return ts.isInterfaceDeclaration(base)
          ? membersOf(x, base.members, depth)
          : propertiesOf(x, base.type, depth, seen);
      }),
    );
    return Object.assign(empty(), ...inherited, membersOf(x, declaration.members, depth)) as Properties;
  }
  if (!first) return undefined;
  const inner = (): Properties | undefined => propertiesOf(x, first, depth, seen);
  switch (text) {
    case 'Readonly':
    case 'Promise':
    case 'Awaited':
    case 'NonNullable':
      return inner();
    case 'Partial':
      return mapped(
        inner(),
        () => true,
        (type) => ({ ...type, optional: true }),
      );
    case 'Required':
      return mapped(
        inner(),
        () => true,
        (type) => ({ ...type, optional: false }),
      );
    case 'Pick':
    case 'Omit': {
      const names = second && literalNames(second);
      return (
        names &&
        mapped(
          inner(),
          (name) => names.has(name) === (text === 'Pick'),
          (type) => type,
        )
      );
    }
    default:
      return undefined;
  }
}

const empty = (): Properties => Object.create(null) as Properties;

function literalNames(node: TS.TypeNode): Set<string> | undefined {
  const names = new Set<string>();
  for (const part of ts.isUnionTypeNode(node) ? node.types : [node]) {
    if (!ts.isLiteralTypeNode(part) || !ts.isStringLiteral(part.literal)) return undefined;
    names.add(part.literal.text);
  }
  return names;
}

function mapped(
  properties: Properties | undefined,
  keep: (name: string) => boolean,
  change: (type: TypeName) => TypeName,
): Properties | undefined {
  if (!properties) return undefined;
  const made = empty();
  for (const [name, type] of Object.entries(properties)) if (keep(name)) made[name] = change(type);
  return made;
}

function membersOf(x: Extraction, members: readonly TS.TypeElement[], depth: number): Properties {
  const made = empty();
  for (const member of members.slice(0, propertyLimit)) {
    if (!member.name || ts.isComputedPropertyName(member.name)) continue;
    const optional = !!member.questionToken;
    if (ts.isPropertySignature(member) && member.type) {
      const type = typeName(x, member.type, depth + 1);
      made[member.name.text] = optional ? { ...type, optional } : type;
    } else made[member.name.text] = { text: '', optional, nullable: false };
  }
  return made;
}

/** `@property {Pool} db` of a type definition, `@param {Pool} ctx.db` of a parameter. */
function taggedMembers(x: Extraction, node: TS.JSDocTypeLiteral, depth: number): Properties {
  const made = empty();
  for (const tag of node.jsDocPropertyTags ?? []) {
    const name = namesIn(tag.name).at(-1)!;
    const type = tag.typeExpression && typeName(x, tag.typeExpression.type, depth + 1);
    made[name] = { ...(type ?? { text: '', nullable: false }), optional: tag.isBracketed || type?.optional === true };
  }
  return made;
}

/** The type of a property, as far as it is written down. */
export function typeAt(type: TypeName, path: Path): TypeName | undefined {
  let at: TypeName | undefined = type;
  for (const name of path) at = at?.properties?.[name];
  return at;
}
