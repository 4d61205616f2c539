import type TS from 'typescript';
import { unknownValue, type Block, type Value } from '@tenant-lint/model';
import { adopt, afterExit, branch, newBlock, type Branch } from './branches.js';
import { walkClass } from './classes.js';
import { forget } from './conditions.js';
import { evaluate, evaluateOr } from './expressions.js';
import { walkFunction } from './functions.js';
import { assertedBy, neverReturns } from './endings.js';
import { hoist } from './hoist.js';
import { assignedInLoop } from './loops.js';
import { bindRequired, exportAssignment, exportDeclaration, exportedDeclaration } from './modules.js';
import { bindName } from './patterns.js';
import { assign, declare, join, lookup } from './scope.js';
import { span, startOf, type Changes, type Extraction, type Leaving, type Mutable, type Scope } from './state.js';
import { ts } from './typescript.js';
import { typeName } from './types.js';
import { property, bounded } from './values.js';

/** Walks statements in order. Function declarations come last: they see what the whole list declares. */
export function walkStatements(x: Extraction, statements: readonly TS.Statement[]): void {
  hoist(x, statements);
  let exit = x.fn.exit;
  const later: TS.FunctionDeclaration[] = [];
  for (const statement of statements) {
    if (ts.isFunctionDeclaration(statement)) later.push(statement);
    else guarded(x, statement, () => walkStatement(x, statement));
    exit ??= x.fn.exit;
    x.fn.exit = undefined;
  }
  for (const declaration of later) {
    guarded(x, declaration, () => {
      walkFunction(x, declaration, {});
      exportedDeclaration(x, declaration, declaration.name?.text);
    });
  }
  x.fn.exit = exit;
}

/** A statement of the module that is nested too deeply costs that statement, not the file. */
function guarded(x: Extraction, statement: TS.Statement, walk: () => void): void {
  if (x.scope.parent) return walk();
  const { fn, scope, thisClass } = x;
  const { block } = fn;
  const log = x.presentLog.length;
  try {
    walk();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    Object.assign(x, { fn, scope, thisClass });
    fn.block = block;
    fn.breaks.length = 0;
    fn.throws.length = 0;
    forget(x, log);
    x.unchecked.push({
      file: x.file,
      reason: 'too-deep',
      detail: 'nested too deeply to be read',
      span: span(x, statement.pos, statement.end),
    });
  }
}

/** Walks `body` in a scope of its own. */
export function inScope(x: Extraction, body: () => void): void {
  const outer = x.scope;
  const scope: Scope = { parent: outer, variables: new Map() };
  x.scope = scope;
  body();
  x.scope = outer;
}

export function walkStatement(x: Extraction, node: TS.Statement): void {
  const K = ts.SyntaxKind;
  switch (node.kind) {
    case K.ExpressionStatement: {
      const { expression } = node as TS.ExpressionStatement;
      const value = evaluate(x, expression, 'discarded');
      if (neverReturns(x, expression)) x.fn.exit = 'function';
      else {
        const asserted = assertedBy(x, expression, value);
        if (asserted) afterExit(x, asserted, true, expression.end);
      }
      return;
    }
    case K.VariableStatement: {
      const statement = node as TS.VariableStatement;
      if (statement.modifiers?.some((m) => m.kind === K.DeclareKeyword)) return;
      walkDeclarations(x, statement.declarationList);
      exportedDeclaration(x, statement);
      return;
    }
    case K.ReturnStatement: {
      const { expression } = node as TS.ReturnStatement;
      const value: Value = expression ? evaluate(x, expression, 'returned') : { kind: 'undefined' };
      x.fn.facts.returns.push({ value: bounded(value), block: x.fn.block, span: span(x, startOf(x, node), node.end) });
      x.fn.exit = 'function';
      return;
    }
    case K.ThrowStatement: {
      const value = evaluate(x, (node as TS.ThrowStatement).expression);
      // What is thrown says something where it is made for it; a caught error that is thrown again does not.
      if (value.kind === 'instance' || value.kind === 'result')
        x.fn.facts.thrown = [
          ...(x.fn.facts.thrown ?? []),
          { value: bounded(value), span: span(x, startOf(x, node), node.end) },
        ];
      x.fn.exit = 'function';
      return;
    }
    case K.BreakStatement:
    case K.ContinueStatement:
      x.fn.exit = 'loop';
      return;
    case K.IfStatement:
      return walkIf(x, node as TS.IfStatement);
    case K.Block:
      return inScope(x, () => walkStatements(x, (node as TS.Block).statements));
    case K.ForStatement:
    case K.ForInStatement:
    case K.ForOfStatement:
    case K.WhileStatement:
    case K.DoStatement:
      return inScope(x, () => walkLoop(x, node as TS.IterationStatement));
    case K.SwitchStatement:
      return walkSwitch(x, node as TS.SwitchStatement);
    case K.TryStatement:
      return walkTry(x, node as TS.TryStatement);
    case K.LabeledStatement:
      return walkLabeled(x, node as TS.LabeledStatement);
    case K.FunctionDeclaration: {
      const declaration = node as TS.FunctionDeclaration;
      walkFunction(x, declaration, {});
      return;
    }
    case K.ClassDeclaration: {
      const declaration = node as TS.ClassDeclaration;
      walkClass(x, declaration, declaration.name?.text ?? 'default');
      exportedDeclaration(x, declaration, declaration.name?.text);
      return;
    }
    case K.EnumDeclaration:
      exportedDeclaration(x, node as TS.EnumDeclaration, (node as TS.EnumDeclaration).name.text);
      return;
    case K.ModuleDeclaration: {
      const { body, modifiers } = node as TS.ModuleDeclaration;
      const ambient = modifiers?.some((m) => m.kind === K.DeclareKeyword);
      if (body && ts.isModuleBlock(body) && !ambient) inScope(x, () => walkStatements(x, body.statements));
      return;
    }
    case K.ExportAssignment:
      return exportAssignment(x, node as TS.ExportAssignment);
    case K.ExportDeclaration:
      return exportDeclaration(x, node as TS.ExportDeclaration);
    case K.WithStatement:
      evaluate(x, (node as TS.WithStatement).expression);
      return walkStatement(x, (node as TS.WithStatement).statement);
    default:
  }
}

export function walkDeclarations(x: Extraction, list: TS.VariableDeclarationList): void {
  const isVar = (list.flags & ts.NodeFlags.BlockScoped) === 0;
  for (const declaration of list.declarations) {
    const { name, initializer, type } = declaration;
    const declared = type ?? x.commented.get(declaration);
    const typed = declared ? typeName(x, declared) : undefined;
    if (!initializer) {
      if (isVar && ts.isIdentifier(name) && lookup(x.scope, name.text)) continue;
      bindName(x, name, { kind: 'undefined' }, typed);
      continue;
    }
    const given = ts.isIdentifier(name) ? name.text : undefined;
    const value = evaluateOr(x, initializer, given, 'assigned');
    // What a call gives has no type of its own that syntax shows.
    if (typed?.name && value.kind === 'result') x.typed.push({ value, type: typed });
    bindName(x, name, value, typed, initializer);
    if ((list.flags & ts.NodeFlags.Let) === 0 && !x.scope.parent) bindRequired(x, name);
  }
}

const leaving = (x: Extraction): Leaving => ({ mark: x.trail.length, ways: [] });

function walkIf(x: Extraction, node: TS.IfStatement): void {
  const condition = evaluate(x, node.expression);
  const then = branch(x, condition, true, 'branch', startOf(x, node.thenStatement), () =>
    walkStatement(x, node.thenStatement),
  );
  const { elseStatement } = node;
  const otherwise =
    elseStatement &&
    branch(x, condition, false, 'branch', startOf(x, elseStatement), () => walkStatement(x, elseStatement));
  if (then.exit && otherwise?.exit) {
    x.fn.exit = then.exit === 'loop' || otherwise.exit === 'loop' ? 'loop' : 'function';
  } else if (then.exit) {
    if (otherwise) adopt(x, otherwise);
    afterExit(x, condition, false, node.end);
  } else if (otherwise?.exit) {
    adopt(x, then);
    afterExit(x, condition, true, node.end);
  } else {
    join(x, [then.changes, otherwise?.changes ?? []], condition);
  }
}

function walkLoop(x: Extraction, node: TS.IterationStatement): void {
  let condition: Value | undefined;
  if (ts.isForStatement(node) && node.initializer) {
    if (ts.isVariableDeclarationList(node.initializer)) {
      hoist(x, [node.initializer]);
      walkDeclarations(x, node.initializer);
    } else evaluate(x, node.initializer, 'discarded');
  }
  const each = ts.isForInStatement(node) || ts.isForOfStatement(node) ? evaluate(x, node.expression) : undefined;
  // What a later round sees differs from what the first one sees.
  for (const name of assignedInLoop(x, node)) {
    const variable = lookup(x.scope, name);
    if (variable?.kind !== 'local') continue;
    assign(x, variable, { kind: 'choice', of: [variable.value, unknownValue('changes in a loop')] }, variable.added);
  }
  if (ts.isForStatement(node)) condition = node.condition && evaluate(x, node.condition);
  else if (ts.isWhileStatement(node)) condition = evaluate(x, node.expression);
  const breaks = leaving(x);
  x.fn.breaks.push(breaks);
  const body = branch(x, condition, true, 'loop', startOf(x, node.statement), () => {
    if (each && (ts.isForInStatement(node) || ts.isForOfStatement(node))) {
      const block: Mutable<Block> | undefined = x.fn.facts.blocks[x.fn.block];
      if (block && ts.isForOfStatement(node)) block.each = bounded(each);
      const item = ts.isForOfStatement(node) ? property(each, '*') : unknownValue('key of an object');
      const { initializer } = node;
      if (ts.isVariableDeclarationList(initializer)) {
        hoist(x, [initializer]);
        for (const declaration of initializer.declarations) bindName(x, declaration.name, item);
      } else bindName(x, initializer as TS.Identifier, item);
    }
    walkStatement(x, node.statement);
    if (ts.isForStatement(node) && node.incrementor) evaluate(x, node.incrementor, 'discarded');
  });
  x.fn.breaks.pop();
  if (ts.isDoStatement(node)) evaluate(x, node.expression);
  join(x, [body.exit ? [] : body.changes, [], ...breaks.ways]);
}

function walkSwitch(x: Extraction, node: TS.SwitchStatement): void {
  const subject = evaluate(x, node.expression);
  const breaks = leaving(x);
  x.fn.breaks.push(breaks);
  const live: Changes[] = [];
  let complete = false;
  let onlyExits = true;
  inScope(x, () => {
    hoist(
      x,
      node.caseBlock.clauses.flatMap((clause) => [...clause.statements]),
    );
    let shared: Value[] | undefined = [];
    let last: Branch | undefined;
    for (const clause of node.caseBlock.clauses) {
      if (ts.isCaseClause(clause))
        shared?.push({ kind: 'apply', function: '===', to: [subject, evaluate(x, clause.expression)] });
      else {
        complete = true;
        shared = undefined;
      }
      if (clause.statements.length === 0) continue;
      const [only, ...others] = shared ?? [];
      const holds: Value | undefined =
        only && (others.length > 0 ? { kind: 'apply', function: '||', to: [only, ...others] } : only);
      last = branch(x, holds, true, 'branch', startOf(x, clause), () => walkStatements(x, clause.statements));
      if (last.exit !== 'function') onlyExits = false;
      if (!last.exit) live.push(last.changes);
      // A clause that falls through reaches the next one under its own condition too.
      shared = last.exit ? [] : undefined;
    }
  });
  x.fn.breaks.pop();
  if (complete && onlyExits) x.fn.exit = 'function';
  else if (complete) join(x, [...live, ...breaks.ways]);
  else join(x, [...live, ...breaks.ways, []]);
}

function walkLabeled(x: Extraction, node: TS.LabeledStatement): void {
  const breaks = leaving(x);
  x.fn.breaks.push(breaks);
  const way = branch(x, undefined, true, 'branch', startOf(x, node.statement), () => walkStatement(x, node.statement));
  x.fn.breaks.pop();
  if (way.exit === 'function') x.fn.exit = 'function';
  else join(x, [way.changes, ...breaks.ways]);
}

function walkTry(x: Extraction, node: TS.TryStatement): void {
  const throws = leaving(x);
  x.fn.throws.push(throws);
  const attempt = branch(x, undefined, true, 'try', startOf(x, node.tryBlock), () => walkStatement(x, node.tryBlock));
  x.fn.throws.pop();
  const { catchClause, finallyBlock } = node;
  if (catchClause) {
    const rescue = branch(x, undefined, true, 'catch', startOf(x, catchClause), () =>
      inScope(x, () => {
        join(x, [attempt.changes, [], ...throws.ways]);
        const { variableDeclaration } = catchClause;
        if (variableDeclaration) {
          if (ts.isIdentifier(variableDeclaration.name))
            declare(x, variableDeclaration.name.text, unknownValue('caught error'));
          else bindName(x, variableDeclaration.name, unknownValue('caught error'));
        }
        walkStatement(x, catchClause.block);
      }),
    );
    if (attempt.exit && rescue.exit)
      x.fn.exit = attempt.exit === 'loop' || rescue.exit === 'loop' ? 'loop' : 'function';
    else if (rescue.exit) continueIn(x, attempt, node.end);
    else if (attempt.exit) continueIn(x, rescue, node.end);
    else join(x, [attempt.changes, rescue.changes]);
  } else if (attempt.exit) x.fn.exit = attempt.exit;
  else continueIn(x, attempt, node.end);
  if (finallyBlock) {
    const { exit } = x.fn;
    walkStatement(x, finallyBlock);
    x.fn.exit ??= exit;
  }
}

function continueIn(x: Extraction, way: Branch, start: number): void {
  adopt(x, way);
  x.fn.block = newBlock(x, x.fn.block, start, 'exit');
}
