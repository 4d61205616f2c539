import type TS from 'typescript';
import { unknownValue, type Value } from '@tenant-lint/model';
import { evaluate, evaluateOr } from './expressions.js';
import { hoistSymbolic } from './hoist.js';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';
import { bounded } from './values.js';

/** Declares what an import brings in. */
export function hoistImport(
  x: Extraction,
  node: TS.ImportDeclaration | TS.ImportEqualsDeclaration | TS.JSDocImportTag,
): void {
  if (ts.isImportEqualsDeclaration(node)) {
    const { moduleReference, name, isTypeOnly } = node;
    if (ts.isExternalModuleReference(moduleReference) && ts.isStringLiteralLike(moduleReference.expression))
      imported(x, moduleReference.expression.text, '*', name.text, isTypeOnly);
    else hoistSymbolic(x, name.text, unknownValue('alias of a namespace'));
    return;
  }
  if (!ts.isStringLiteralLike(node.moduleSpecifier)) return;
  const module = node.moduleSpecifier.text;
  const clause = node.importClause;
  if (!clause) {
    x.imports.push({ module, name: '', local: '', typeOnly: false });
    return;
  }
  const typeOnly = clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  if (clause.name) imported(x, module, 'default', clause.name.text, typeOnly);
  const { namedBindings } = clause;
  if (!namedBindings) return;
  if (ts.isNamespaceImport(namedBindings)) imported(x, module, '*', namedBindings.name.text, typeOnly);
  else
    for (const { name, propertyName: original, isTypeOnly } of namedBindings.elements)
      imported(x, module, (original ?? name).text, name.text, typeOnly || isTypeOnly);
}

function imported(x: Extraction, module: string, name: string, local: string, typeOnly: boolean): void {
  x.imports.push({ module, name, local, typeOnly });
  hoistSymbolic(x, local, { kind: 'import', from: x.file, module, name, path: [] });
}

/**
 * Makes the names of `const { a } = require('m')` imports like those of `import { a } from 'm'`: whoever asks where a name comes from
 * finds the package.
 */
export function bindRequired(x: Extraction, name: TS.BindingName): void {
  if (!ts.isIdentifier(name)) {
    for (const element of name.elements) if (ts.isBindingElement(element)) bindRequired(x, element.name);
    return;
  }
  const variable = x.scope.variables.get(name.text);
  if (variable?.kind !== 'module' || variable.added || variable.value.kind !== 'import') return;
  const { module, path } = variable.value;
  const [first, ...rest] = variable.value.name === '*' ? path : [variable.value.name, ...path];
  if (first === undefined) imported(x, module, '*', name.text, false);
  else if (rest.length === 0) imported(x, module, first, name.text, false);
}

/** `import('module')` and `require('module')`: the import, and what it evaluates to. */
export function importedModule(x: Extraction, specifier: TS.Expression, name: string): Value {
  if (!ts.isStringLiteralLike(specifier)) {
    evaluate(x, specifier);
    return unknownValue('module name is computed');
  }
  const module = specifier.text;
  if (!x.imports.some((i) => i.module === module && i.local === '' && i.name === name))
    x.imports.push({ module, name, local: '', typeOnly: false });
  return { kind: 'import', from: x.file, module, name, path: [] };
}

/** Records the names that a declaration with `export` before it exports. */
export function exportedDeclaration(x: Extraction, node: TS.Statement, name?: string): void {
  const { modifiers } = node as { modifiers?: readonly TS.ModifierLike[] };
  if (x.scope.parent || !modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword)) return;
  if (modifiers.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)) {
    if (name === undefined && ts.isFunctionDeclaration(node)) {
      const id = x.functionIds.get(node);
      if (id !== undefined) x.extraBindings['default'] = { kind: 'function', function: id };
    }
    x.exports.push({ name: 'default', local: name ?? 'default' });
    return;
  }
  if (name !== undefined) x.exports.push({ name, local: name });
  if (ts.isVariableStatement(node))
    for (const { name: bound } of node.declarationList.declarations) exportNames(x, bound);
}

function exportNames(x: Extraction, name: TS.BindingName): void {
  if (ts.isIdentifier(name)) x.exports.push({ name: name.text, local: name.text });
  else for (const element of name.elements) if (ts.isBindingElement(element)) exportNames(x, element.name);
}

/** `export default x` and `export = x`. */
export function exportAssignment(x: Extraction, node: TS.ExportAssignment): void {
  if (ts.isIdentifier(node.expression)) {
    const { text } = node.expression;
    evaluate(x, node.expression);
    x.exports.push({ name: 'default', local: text });
    return;
  }
  x.extraBindings['default'] = bounded(evaluateOr(x, node.expression, 'default', 'assigned'));
  x.exports.push({ name: 'default', local: 'default' });
}

/** `export { a, b as c }`, with or without `from`, and `export * from`. */
export function exportDeclaration(x: Extraction, node: TS.ExportDeclaration): void {
  const { exportClause, moduleSpecifier } = node;
  const module = moduleSpecifier && ts.isStringLiteralLike(moduleSpecifier) ? moduleSpecifier.text : undefined;
  if (!exportClause) {
    if (module !== undefined) x.exports.push({ name: '*', module, imported: '*' });
  } else if (ts.isNamespaceExport(exportClause)) {
    if (module !== undefined) x.exports.push({ name: exportClause.name.text, module, imported: '*' });
  } else {
    for (const { name, propertyName: original } of exportClause.elements) {
      const local = (original ?? name).text;
      x.exports.push(module === undefined ? { name: name.text, local } : { name: name.text, module, imported: local });
    }
  }
}

/** `module.exports = ...`, `module.exports.x = ...`, `exports.x = ...`: `root` is not declared in the file. */
export function commonJsExport(x: Extraction, root: string, path: readonly string[], value: Value): void {
  const names = root === 'exports' ? path : root === 'module' && path[0] === 'exports' ? path.slice(1) : undefined;
  if (!names || names.length > 1) return;
  const [name] = names;
  if (name !== undefined) {
    commonJsName(x, name, value);
    return;
  }
  x.extraBindings['module.exports'] = bounded(value);
  x.exports.push({ name: 'default', local: 'module.exports' });
  if (value.kind !== 'object') return;
  for (const entry of value.entries) if ('set' in entry) commonJsName(x, entry.set, entry.value);
}

function commonJsName(x: Extraction, name: string, value: Value): void {
  const local = `module.exports.${name}`;
  if (!Object.hasOwn(x.extraBindings, local)) x.exports.push({ name, local });
  x.extraBindings[local] = bounded(value);
}
