import ts from 'typescript';
import type { Condition } from './corpus.js';
import { parse, placeOf } from './place.js';

/** A change of a project that keeps what it does. */
export interface Refactored {
  readonly condition: Condition;
  readonly kind: 'variable' | 'assertion' | 'object' | 'helper' | 'spread' | 'result';
  readonly files: Readonly<Record<string, string>>;
  readonly change: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The refactorings that the form of a condition allows. */
export function refactoringsOf(condition: Condition): Refactored[] {
  const { file } = condition.at;
  const text = condition.project.files[file]!;
  const source = parse(file, text);
  const place = placeOf(source, condition.at);
  const made: Refactored[] = [];
  const add = (kind: Refactored['kind'], edits: readonly Edit[] | undefined): void => {
    if (!edits) return;
    const changed = [...edits]
      .sort((a, b) => b.start - a.start || b.end - a.end)
      .reduce((t, e) => t.slice(0, e.start) + e.text + t.slice(e.end), text);
    const change = edits.map((e) => e.text).join(' ... ');
    made.push({ condition, kind, files: { ...condition.project.files, [file]: changed }, change });
  };

  const value = valueAt(place);
  const isTyped = /\.[cm]?tsx?$/.test(file);
  if (value) {
    const short = ts.isShorthandPropertyAssignment(value.parent) ? `${value.getText()}: ` : '';
    const at = { start: value.getStart(), end: value.end };
    add('variable', before(value, `const tenant$ = ${value.getText()};`, { ...at, text: `${short}tenant$` }));
    if (isTyped) add('assertion', [{ ...at, text: `${short}(${value.getText()} as string)` }]);
  }
  if (place.kind === 'property') {
    const { object, node } = place;
    const whole = { start: object.getStart(), end: object.end };
    add('object', before(object, `const where$ = ${object.getText()};`, { ...whole, text: 'where$' }));
    const rest = object.properties.filter((p) => p !== node).map((p) => p.getText());
    add('spread', [{ ...whole, text: `{ ${[...rest, `...{ ${node.getText()} }`].join(', ')} }` }]);
    if (value) {
      const helper = `\nfunction own$(tenant$${isTyped ? ': string' : ''}) { return { ${node.name.getText()}: tenant$ }; }\n`;
      const used = { ...whole, text: `{ ${[...rest, `...own$(${value.getText()})`].join(', ')} }` };
      add('helper', [used, { start: text.length, end: text.length, text: helper }]);
    }
  }
  const access = condition.access.file === file ? accessAt(source, condition.access) : undefined;
  if (access) {
    const kept = ts.isAwaitExpression(access.parent) ? access.parent : access;
    const at = { start: kept.getStart(), end: kept.end };
    add('result', before(kept, `const found$ = ${kept.getText()};`, { ...at, text: 'found$' }));
  }
  return made;
}

/** The expression that a condition compares with. */
function valueAt(place: ReturnType<typeof placeOf>): ts.Expression | undefined {
  if (place.kind === 'property')
    return ts.isPropertyAssignment(place.node) ? plain(place.node.initializer) : place.node.name;
  if (place.kind === 'step' || place.kind === 'call') return plain(place.call.arguments.at(-1));
  return undefined;
}

const plain = (value: ts.Expression | undefined): ts.Expression | undefined =>
  value && !ts.isObjectLiteralExpression(value) && !ts.isArrayLiteralExpression(value) && !ts.isArrowFunction(value)
    ? value
    : undefined;

/** The edits that put a declaration before the statement that holds a node; undefined where it stands in none. */
function before(node: ts.Node, declaration: string, edit: Edit): readonly Edit[] | undefined {
  for (let at = node; ; at = at.parent) {
    const { parent } = at;
    if (!(parent as ts.Node | undefined)) return undefined;
    if (ts.isArrowFunction(parent) && parent.body === at && !ts.isBlock(at)) {
      const bare = ts.isParenthesizedExpression(at) ? at.expression : at;
      return [
        { start: at.getStart(), end: bare.getStart(), text: `{ ${declaration} return ` },
        edit,
        { start: bare.end, end: at.end, text: '; }' },
      ];
    }
    if (ts.isStatement(at) && (ts.isBlock(parent) || ts.isSourceFile(parent) || ts.isCaseOrDefaultClause(parent)))
      return [{ start: at.getStart(), end: at.getStart(), text: `${declaration} ` }, edit];
    if (ts.isParameter(at) || ts.isClassElement(at)) return undefined;
  }
}

/** The whole chain of an access: `db.invoice.findMany(...)`, `db('invoices').where(...).first()`. */
function accessAt(source: ts.SourceFile, { start, end }: { start: number; end: number }): ts.Expression | undefined {
  let at: ts.Node = source;
  for (let next: ts.Node | undefined = at; next; next = inner(at, start, end)) at = next;
  let found: ts.Expression | undefined;
  for (let node = at; !ts.isSourceFile(node); node = node.parent) {
    if (ts.isCallExpression(node) || ts.isTaggedTemplateExpression(node)) found = node;
    else if (!ts.isPropertyAccessExpression(node) && !ts.isNonNullExpression(node) && found) return found;
    if (found && 'expression' in node.parent && node.parent.expression !== node) return found;
  }
  return found;
}

function inner(node: ts.Node, start: number, end: number): ts.Node | undefined {
  let found: ts.Node | undefined;
  ts.forEachChild(node, (child) => {
    if (child.getStart() <= start && child.end >= end) found = child;
  });
  return found;
}
