import type TS from 'typescript';
import { constant, unknownValue, type Entry, type Value } from '@tenant-lint/model';
import { functionId } from './functions.js';
import { hoistImport } from './modules.js';
import { declare } from './scope.js';
import type { Extraction, Scope } from './state.js';
import { ts } from './typescript.js';

const before = unknownValue('used before its declaration was read');

/** Declares what a list of statements declares: functions, classes, enums, variables, imports, types. */
export function hoist(x: Extraction, statements: readonly TS.Node[]): void {
  const K = ts.SyntaxKind;
  for (const statement of statements) {
    switch (statement.kind) {
      case K.VariableStatement: {
        const { declarationList, modifiers } = statement as TS.VariableStatement;
        // `declare const x`: a global.
        if (!modifiers?.some((m) => m.kind === K.DeclareKeyword)) hoistVariables(x, declarationList);
        break;
      }
      case K.VariableDeclarationList:
        hoistVariables(x, statement as TS.VariableDeclarationList);
        break;
      case K.FunctionDeclaration: {
        const { name, body } = statement as TS.FunctionDeclaration;
        if (!name || (!body && x.scope.variables.has(name.text))) break;
        const variable = declare(x, name.text, { kind: 'function', function: functionId(x, statement) });
        x.declarations.set(variable, statement);
        break;
      }
      case K.ClassDeclaration: {
        const { name } = statement as TS.ClassDeclaration;
        if (name) hoistSymbolic(x, name.text, { kind: 'binding', file: x.file, name: name.text, path: [] });
        break;
      }
      case K.EnumDeclaration: {
        const node = statement as TS.EnumDeclaration;
        const variable = declare(x, node.name.text, enumValue(node));
        variable.readThrough = true;
        break;
      }
      case K.ImportDeclaration:
      case K.ImportEqualsDeclaration:
        hoistImport(x, statement as TS.ImportDeclaration | TS.ImportEqualsDeclaration);
        break;
      case K.InterfaceDeclaration:
      case K.TypeAliasDeclaration: {
        const node = statement as TS.InterfaceDeclaration;
        if (!x.types.has(node.name.text)) x.types.set(node.name.text, node);
        break;
      }
      default:
    }
  }
}

export function hoistSymbolic(x: Extraction, name: string, value: Value): void {
  x.scope.variables.set(name, { name, kind: 'symbolic', value });
}

function hoistVariables(x: Extraction, list: TS.VariableDeclarationList): void {
  const isVar = (list.flags & ts.NodeFlags.BlockScoped) === 0;
  const scope = isVar ? x.fn.scope : x.scope;
  for (const { name } of list.declarations) hoistNames(x, name, scope);
}

/** Declares the names of a pattern. */
export function hoistNames(x: Extraction, name: TS.BindingName, scope: Scope): void {
  if (ts.isIdentifier(name)) {
    if (!scope.variables.has(name.text)) declare(x, name.text, before, scope);
    return;
  }
  for (const element of name.elements) if (ts.isBindingElement(element)) hoistNames(x, element.name, scope);
}

/** An enum as an object of constants. */
function enumValue(node: TS.EnumDeclaration): Value {
  const entries: Entry[] = [];
  let next: number | undefined = 0;
  for (const member of node.members) {
    const name = ts.isComputedPropertyName(member.name) ? undefined : member.name.text;
    const { initializer } = member;
    let value: Value;
    if (!initializer) {
      value = next === undefined ? unknownValue('computed enum member') : constant(next);
      if (next !== undefined) next++;
    } else if (ts.isStringLiteralLike(initializer)) {
      value = constant(initializer.text);
      next = undefined;
    } else if (ts.isNumericLiteral(initializer)) {
      value = constant(Number(initializer.text));
      next = Number(initializer.text) + 1;
    } else {
      value = unknownValue('computed enum member');
      next = undefined;
    }
    if (name !== undefined) entries.push({ set: name, value });
  }
  return { kind: 'object', entries };
}
