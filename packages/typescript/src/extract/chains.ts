import type TS from 'typescript';
import { keyOfValue, type CallChain, type Step, type Value } from '@tenant-lint/model';
import { isPresent, narrowed } from './conditions.js';
import { evaluate, evaluateOr, spreadArgument, withoutMissing, type Use } from './expressions.js';
import { evaluateTemplate } from './literals.js';
import { appendArguments } from './appends.js';
import { importedModule } from './modules.js';
import { lookup } from './scope.js';
import { span, startOf, textOf, type Extraction, type Mutable, type Variable } from './state.js';
import { ts } from './typescript.js';
import { typeAt } from './types.js';
import { bounded, inlined, missing, property, propertyOfVariable, surely, valueOfVariable } from './values.js';

type Link =
  | TS.PropertyAccessExpression
  | TS.ElementAccessExpression
  | TS.CallExpression
  | TS.TaggedTemplateExpression
  | TS.NonNullExpression;

/** The links of a member and call chain, innermost first, and what it begins with. */
export function linksOf(node: TS.Expression): { root: TS.Expression; links: Link[] } {
  const K = ts.SyntaxKind;
  const links: Link[] = [];
  let at: TS.Expression = node;
  for (;;) {
    switch (at.kind) {
      case K.PropertyAccessExpression:
      case K.ElementAccessExpression:
      case K.NonNullExpression:
        links.push(at as TS.PropertyAccessExpression);
        at = (at as TS.PropertyAccessExpression).expression;
        continue;
      case K.CallExpression: {
        const call = at as TS.CallExpression;
        if (call.expression.kind === K.ImportKeyword) return { root: at, links: links.reverse() };
        links.push(call);
        at = call.expression;
        continue;
      }
      case K.TaggedTemplateExpression:
        links.push(at as TS.TaggedTemplateExpression);
        at = (at as TS.TaggedTemplateExpression).tag;
        continue;
      case K.ParenthesizedExpression:
      case K.AsExpression:
      case K.SatisfiesExpression:
      case K.TypeAssertionExpression:
        at = (at as TS.ParenthesizedExpression).expression;
        continue;
      default:
        return { root: at, links: links.reverse() };
    }
  }
}

const isCall = (link: Link): link is TS.CallExpression | TS.TaggedTemplateExpression =>
  link.kind === ts.SyntaxKind.CallExpression || link.kind === ts.SyntaxKind.TaggedTemplateExpression;

/** A chain of property reads and calls: recorded as a CallChain if anything in it is called, and always a value. */
export function walkChain(x: Extraction, node: TS.Expression, use: Use, awaited: boolean): Value {
  const { root, links } = linksOf(node);
  let lastCall = links.length - 1;
  while (lastCall >= 0 && !isCall(links[lastCall] as Link)) lastCall--;
  if (root.kind === ts.SyntaxKind.CallExpression) {
    // import('module'): the namespace.
    const call = root as TS.CallExpression;
    const [specifier] = call.arguments;
    const value = specifier ? importedModule(x, specifier, '*') : ({ kind: 'unknown', reason: 'import' } as Value);
    return lastCall < 0 ? read(x, value, links, 0) : record(x, value, root, links, lastCall, use, awaited);
  }
  if (lastCall < 0) {
    const variable = root.kind === ts.SyntaxKind.Identifier ? lookup(x.scope, (root as TS.Identifier).text) : undefined;
    if (variable?.kind === 'local' || variable?.readThrough) return readVariable(x, variable, links);
    return read(x, evaluate(x, root), links, 0);
  }
  const required = requiredModule(x, root, links);
  if (required) {
    const { value, calls } = required;
    return lastCall < calls
      ? read(x, value, links, calls)
      : record(x, value, root, links.slice(calls), lastCall - calls, use, awaited);
  }
  return record(x, undefined, root, links, lastCall, use, awaited);
}

/**
 * `require('module')`, where nothing of the file is called require or it was made by `createRequire`; and in how many calls it is said:
 * `createRequire(import.meta.url)('module')` are two.
 */
function requiredModule(
  x: Extraction,
  root: TS.Expression,
  links: readonly Link[],
): { readonly value: Value; readonly calls: number } | undefined {
  if (!ts.isIdentifier(root)) return undefined;
  const variable = lookup(x.scope, root.text);
  const calls = variable && isCreateRequire(variable.value) ? 2 : 1;
  if (calls === 1 && (variable ? !isMadeRequire(x, variable.value) : root.text !== 'require')) return undefined;
  const call = links[calls - 1];
  const [specifier] = call && ts.isCallExpression(call) ? call.arguments : [];
  return specifier && links.slice(0, calls).every(isCall) && ts.isStringLiteralLike(specifier)
    ? { value: importedModule(x, specifier, '*'), calls }
    : undefined;
}

const isCreateRequire = (value: Value): boolean =>
  value.kind === 'import' &&
  /^(?:node:)?module$/.test(value.module) &&
  (value.name === 'createRequire' || value.path.at(-1) === 'createRequire');

function isMadeRequire(x: Extraction, value: Value): boolean {
  if (value.kind !== 'result' || value.path.length > 0) return false;
  const chain = x.chains[Number(value.chain.slice(value.chain.lastIndexOf('c') + 1))];
  return (
    chain !== undefined &&
    (isCreateRequire(chain.receiver) ||
      (chain.receiver.kind === 'import' &&
        chain.steps.length === 1 &&
        isCreateRequire({ ...chain.receiver, path: [chain.steps[0]!.name] })))
  );
}

/** Property reads from `from` on. `optional`: a `?.` stands before them. */
function read(x: Extraction, start: Value, links: readonly Link[], from: number, optional = false): Value {
  let value = start;
  let skips = optional;
  for (let i = from; i < links.length; i++) {
    const link = links[i];
    if (!link) continue;
    value = readLink(x, value, link, skips);
    skips ||= 'questionDotToken' in link && !!link.questionDotToken;
  }
  return value;
}

/** One property. After a `?.` of the same chain it is not read where that found nothing; otherwise reading it throws there. */
function readLink(x: Extraction, value: Value, link: Link, skips: boolean): Value {
  if (ts.isNonNullExpression(link)) return withoutMissing(value);
  if (isCall(link)) return value;
  const base = link.questionDotToken || !skips ? surely(value) : value;
  let result = property(base, linkName(x, link));
  if (result.kind === 'parameter') result = asTyped(x, result);
  if (link.questionDotToken && !isPresent(x, base)) result = missing(result);
  return narrowed(x, result);
}

/** A property of a parameter whose declared type says that it may be missing. */
export function asTyped(x: Extraction, value: Value): Value {
  if (value.kind !== 'parameter' || value.path.length === 0) return value;
  const type = x.functionById.get(value.function)?.parameters[value.index]?.type;
  return type && typeAt(type, value.path)?.optional ? missing(value) : value;
}

/** Reads through a variable of the function: properties assigned to it, and its declared type. */
function readVariable(x: Extraction, variable: Variable, links: readonly Link[]): Value {
  const [first, ...rest] = links;
  if (!first || isCall(first) || ts.isNonNullExpression(first))
    return read(x, narrowed(x, inlined(valueOfVariable(variable))), links, 0);
  const name = linkName(x, first);
  if (variable.kind === 'module') {
    // An enum or `as const` object: what is constant in it is read through.
    const through = read(x, variable.value, links, 0);
    return through.kind === 'constant'
      ? through
      : read(x, { kind: 'binding', file: x.file, name: variable.name, path: [] }, links, 0);
  }
  const held = surely(
    variable.value.kind === 'choice' || variable.value.kind === 'apply' ? narrowed(x, variable.value) : variable.value,
  );
  let value = propertyOfVariable(held === variable.value ? variable : { ...variable, value: held }, name);
  if (value.kind === 'parameter') value = asTyped(x, value);
  if (variable.type?.properties?.[name]?.optional && value.kind !== 'constant') value = missing(value);
  if (first.questionDotToken && !isPresent(x, held)) value = missing(value);
  return read(x, narrowed(x, inlined(value)), rest, 0, !!first.questionDotToken);
}

/** The name a link reads, '*' for an index that is not a literal. */
function linkName(x: Extraction, link: TS.PropertyAccessExpression | TS.ElementAccessExpression): string {
  if (ts.isPropertyAccessExpression(link)) return link.name.text;
  const argument = link.argumentExpression;
  if (ts.isStringLiteralLike(argument) || ts.isNumericLiteral(argument)) return argument.text;
  const value = evaluate(x, argument);
  return value.kind === 'constant' && value.value !== null ? String(value.value) : '*';
}

function record(
  x: Extraction,
  given: Value | undefined,
  root: TS.Expression,
  links: readonly Link[],
  lastCall: number,
  use: Use,
  awaited: boolean,
): Value {
  const index = x.chains.length;
  const id = `${x.file}#c${index}`;
  const start = startOf(x, root);
  const lastLink = links[lastCall] as Link;
  const steps: Step[] = [];
  const chain: Mutable<CallChain> = {
    id,
    function: x.fn.facts.id,
    receiver: { kind: 'unknown', reason: 'not read' },
    steps,
    awaited,
    use: lastCall < links.length - 1 ? 'other' : use,
    block: x.fn.block,
    span: span(x, start, lastLink.end),
  };
  x.chains.push(chain);
  chain.receiver = given ?? evaluate(x, root, 'receiver');
  let optional = false;
  let present: Value | undefined = chain.receiver;
  for (let i = 0; i <= lastCall; i++) {
    const link = links[i] as Link;
    if (ts.isNonNullExpression(link)) continue;
    let member: TS.PropertyAccessExpression | TS.ElementAccessExpression | undefined;
    let call: Link | undefined = link;
    if (!isCall(link)) {
      member = link;
      while (links[i + 1] && ts.isNonNullExpression(links[i + 1] as Link)) i++;
      const next = links[i + 1];
      call = next && i + 1 <= lastCall && isCall(next) ? next : undefined;
      if (call) i++;
    }
    const name = member ? linkName(x, member) : '';
    const questioned = !!(
      member?.questionDotToken ?? (call && ts.isCallExpression(call) ? call.questionDotToken : undefined)
    );
    if (questioned && !(present && isPresent(x, present))) optional = true;
    present = present && member && !call ? property(withoutMissing(present), name) : undefined;
    steps.push(stepOf(x, name, member, call, questioned, id, steps.length));
  }
  const result = resultOf(x, chain, root, links);
  x.atChain?.(x, chain);
  return read(x, optional ? missing(result) : result, links, lastCall + 1, optional);
}

function stepOf(
  x: Extraction,
  name: string,
  member: TS.PropertyAccessExpression | TS.ElementAccessExpression | undefined,
  call: Link | undefined,
  optional: boolean,
  chain: string,
  step: number,
): Step {
  const start = member
    ? startOf(x, ts.isPropertyAccessExpression(member) ? member.name : member.argumentExpression)
    : call && ts.isCallExpression(call)
      ? call.arguments.pos - 1
      : call
        ? startOf(x, (call as TS.TaggedTemplateExpression).template)
        : 0;
  const made: Mutable<Step> = { name, span: span(x, start, (call ?? member)?.end ?? start) };
  if (optional) made.optional = true;
  if (call && ts.isTaggedTemplateExpression(call)) {
    made.template = true;
    made.arguments = [evaluateTemplate(x, call.template)];
  } else if (call && ts.isCallExpression(call)) {
    made.arguments = call.arguments.map((argument, i) =>
      ts.isSpreadElement(argument)
        ? spreadArgument(evaluate(x, argument.expression))
        : bounded(evaluateArgument(x, argument, chain, step, i)),
    );
  }
  if (call && 'typeArguments' in call && call.typeArguments)
    made.types = call.typeArguments.map((type) => textOf(x, type, 100));
  return made;
}

function evaluateArgument(x: Extraction, node: TS.Expression, chain: string, step: number, argument: number): Value {
  const K = ts.SyntaxKind;
  const { kind } = node;
  if (kind === K.Identifier || kind === K.StringLiteral || kind === K.PropertyAccessExpression)
    return evaluate(x, node);
  return evaluateOr(x, node, undefined, 'argument', { chain, step, argument, path: [] });
}

/** What the calls evaluate to. A few built-in ones that only pass values on are read through. */
function resultOf(x: Extraction, chain: CallChain, root: TS.Expression, links: readonly Link[]): Value {
  const result: Value = { kind: 'result', chain: chain.id, path: [] };
  const last = chain.steps.at(-1);
  const { receiver } = chain;
  if (chain.steps.length === 1 && last?.arguments && receiver.kind === 'global' && receiver.path.length === 0) {
    const [first] = last.arguments;
    if (receiver.name === 'Promise' && last.name === 'all' && first?.kind === 'list') {
      if (chain.awaited) for (const item of first.of) markAwaited(x, item.value);
      return first;
    }
    if (receiver.name === 'Promise' && last.name === 'resolve' && first) return first;
    if (receiver.name === 'Object' && last.name === 'freeze' && first) return first;
    if (last.name === '' && first && conversions.has(receiver.name)) return converted(x, chain, receiver.name, result);
  }
  appendArguments(x, chain, root, links);
  return result;
}

/** Functions of the platform that give the same for the same. */
const conversions: ReadonlySet<string> = new Set(['String', 'Number', 'BigInt', 'parseInt', 'parseFloat']);

/** `Number(req.params.id)` is one value, however often a function says it: what was checked is what is used. */
function converted(x: Extraction, chain: CallChain, name: string, result: Value): Value {
  const args = chain.steps[0]?.arguments ?? [];
  if (args.some((a) => a.kind === 'unknown')) return result;
  const key = [chain.function, name, ...args.map(keyOfValue)].join(' ');
  const known = x.converted.get(key);
  if (!known) x.converted.set(key, result);
  return known ?? result;
}

function markAwaited(x: Extraction, value: Value): void {
  if (value.kind !== 'result' || value.path.length > 0) return;
  const chain = x.chains[Number(value.chain.slice(value.chain.lastIndexOf('c') + 1))];
  if (chain) chain.awaited = true;
}
