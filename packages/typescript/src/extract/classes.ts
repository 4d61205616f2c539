import type TS from 'typescript';
import type { ClassFacts, TypeName, Value } from '@tenant-lint/model';
import { evaluate, evaluateOr } from './expressions.js';
import { decoratorsOf, functionId, walkFunction } from './functions.js';
import { lookup } from './scope.js';
import { spanOf, textOf, type Extraction, type Mutable } from './state.js';
import { ts } from './typescript.js';
import { typeName } from './types.js';
import { bounded } from './values.js';

type Field = ClassFacts['fields'][string];

/** Records a class: its fields, methods, and what they call. Its value is the name under which the class is found. */
export function walkClass(x: Extraction, node: TS.ClassLikeDeclaration, name: string): Value {
  const fields: Record<string, Field> = Object.create(null) as Record<string, Field>;
  const methods: Record<string, string> = Object.create(null) as Record<string, string>;
  const made: Mutable<ClassFacts> = { name, decorators: decoratorsOf(x, node), fields, methods, span: spanOf(x, node) };
  const base = node.heritageClauses?.find((clause) => clause.token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
  if (base) made.extends = evaluate(x, base.expression);
  if (node.typeParameters?.length) made.typeParameters = node.typeParameters.map((parameter) => parameter.name.text);
  if (base?.typeArguments?.length) made.extendsTypes = base.typeArguments.map((type) => textOf(x, type, 200));
  x.classes.push(made);
  const outerClass = x.thisClass;
  x.thisClass = name;
  // Fields come first: methods use them, wherever they stand.
  for (const member of node.members) {
    if (ts.isPropertyDeclaration(member)) {
      const key = memberName(member.name);
      const declared = member.type ?? x.commented.get(member);
      const type = declared && fieldType(x, declared, !!member.questionToken);
      const decorators = decoratorsOf(x, member);
      const value = member.initializer && bounded(evaluateOr(x, member.initializer, key));
      const span = decorators.length > 0 ? { span: spanOf(x, member) } : {};
      if (key !== undefined)
        fields[key] = { ...(value ? { value } : {}), ...(type ? { type } : {}), decorators, ...span };
    } else if (ts.isConstructorDeclaration(member) && member.body) {
      made.construct = functionId(x, member);
      parameterProperties(x, member, made.construct, fields);
    }
  }
  for (const member of node.members) {
    if (ts.isConstructorDeclaration(member) || ts.isClassStaticBlockDeclaration(member)) {
      walkFunction(x, member, { class: name, name: ts.isConstructorDeclaration(member) ? 'constructor' : 'static' });
    } else if ((ts.isMethodDeclaration(member) || ts.isAccessor(member)) && member.body) {
      const key = memberName(member.name);
      const decorators = decoratorsOf(x, member);
      const id = walkFunction(x, member, { class: name, decorators, ...(key === undefined ? {} : { name: key }) });
      if (key !== undefined && !(ts.isAccessor(member) && key in methods)) methods[key] = id;
    }
  }
  x.thisClass = outerClass;
  const variable = lookup(x.scope, name);
  const self: Value = { kind: 'binding', file: x.file, name, path: [] };
  return variable?.kind === 'symbolic' ? variable.value : self;
}

const memberName = (name: TS.PropertyName): string | undefined =>
  ts.isComputedPropertyName(name)
    ? ts.isStringLiteralLike(name.expression)
      ? name.expression.text
      : undefined
    : name.text;

const fieldType = (x: Extraction, node: TS.TypeNode, optional: boolean): TypeName => {
  const type = typeName(x, node);
  return optional ? { ...type, optional: true } : type;
};

/** `constructor(private readonly db: Db)` declares the field db. */
function parameterProperties(
  x: Extraction,
  node: TS.ConstructorDeclaration,
  id: string,
  fields: Record<string, Field>,
): void {
  node.parameters.forEach((parameter, index) => {
    if (!parameter.modifiers?.some((m) => !ts.isDecorator(m)) || !ts.isIdentifier(parameter.name)) return;
    const value: Value = { kind: 'parameter', function: id, index, path: [] };
    const type = parameter.type && fieldType(x, parameter.type, !!parameter.questionToken);
    // The decorators themselves are recorded with the parameter; here a second walk would record their calls twice.
    fields[parameter.name.text] = { value, ...(type ? { type } : {}), decorators: [] };
  });
}
