import type { CallChain, Decorator, EntryPoint, FunctionFacts, Path, Step, Value } from '@tenant-lint/model';
import type { Extraction, Mutable } from './state.js';
import { ts } from './typescript.js';

type Role = EntryPoint['roles'][number];
type Bindings = Readonly<Record<string, Value>>;

const httpMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const routeSteps = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'del', 'options', 'all']);
const procedureSteps = new Set(['query', 'mutation', 'subscription']);
/** Names of steps that may register a handler. */
const registering = new Set([...routeSteps, ...procedureSteps, 'use', 'route', 'action']);
/** What request objects, handler contexts and procedure options call the parts that the client sends. */
const requestParts = [
  'params',
  'query',
  'body',
  'headers',
  'cookies',
  'searchParams',
  'url',
  'originalUrl',
  'nextUrl',
  'file',
  'files',
  'formData',
  'input',
  'rawInput',
  'parsedInput',
  'req',
  'request',
];
/** Parameter decorators of NestJS and type-graphql that hand over request data. */
const inputDecorators = new Set([
  'Body',
  'Param',
  'Query',
  'Headers',
  'HostParam',
  'UploadedFile',
  'UploadedFiles',
  'Args',
  'Arg',
  'RawBody',
]);
const requestDecorators = new Set(['Req', 'Request']);

const input = (index: number, path: Path = []): Role => ({ index, path, role: 'input' });
const context = (index: number, path: Path = []): Role => ({ index, path, role: 'context' });
const parts = (index: number, names: readonly string[]): Role[] => [
  context(index),
  ...names.map((name) => input(index, [name])),
];

/** Marks the functions that the outside world calls, by how frameworks find them: file name and export, registration, decorator. */
export function markEntryPoints(x: Extraction, bindings: Bindings): void {
  markExports(x, bindings);
  for (const chain of x.chains) markHandlers(x, chain, bindings);
  for (const made of x.classes) {
    const controller = made.decorators.some((d) => decoratorName(d) === 'Controller');
    if (!controller && !made.decorators.some((d) => decoratorName(d) === 'Resolver')) continue;
    for (const id of Object.values(made.methods)) {
      const method = x.functionById.get(id);
      if (method && method.decorators.length > 0)
        mark(x, id, controller ? 'nest handler' : 'graphql resolver', decoratedRoles(method));
    }
  }
  for (const id of x.serverActions) mark(x, id, 'server action', everyParameter(x.functionById.get(id)));
}

function mark(x: Extraction, id: string, kind: string, roles: readonly Role[]): void {
  const made = x.functionById.get(id) as Mutable<FunctionFacts> | undefined;
  if (made && !made.entry) made.entry = { kind, roles };
}

const everyParameter = (made: FunctionFacts | undefined): Role[] =>
  (made?.parameters ?? []).map((_, index) => input(index));

const decoratorName = (decorator: Decorator): string | undefined =>
  decorator.name.kind === 'import' ? decorator.name.name : undefined;

function decoratedRoles(method: FunctionFacts): Role[] {
  return method.parameters.flatMap((parameter, index) => {
    const names = parameter.decorators.map(decoratorName);
    if (names.some((name) => name !== undefined && inputDecorators.has(name))) return [input(index)];
    return names.some((name) => name !== undefined && requestDecorators.has(name))
      ? parts(index, requestParts)
      : [context(index)];
  });
}

function markExports(x: Extraction, bindings: Bindings): void {
  const base = x.file.slice(x.file.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]sx?$/, '');
  const folder = `/${x.file}`;
  const isServerFile = hasDirective(x, 'use server');
  const isRemix = x.imports.some(({ module }) => /^@remix-run\/|^react-router$|^@react-router\//.test(module));
  for (const exported of x.exports) {
    if (!('local' in exported)) continue;
    const { name } = exported;
    const value = bindings[exported.local];
    if (!value) continue;
    const each = (kind: string, roles: (made: FunctionFacts, wrapped: boolean) => Role[]): void => {
      for (const { id, wrapped } of functionsOf(x, bindings, value, 0)) {
        const made = x.functionById.get(id);
        if (made) mark(x, id, kind, roles(made, wrapped));
      }
    };
    if (base === 'route' && httpMethods.has(name))
      each('next route handler', (made, wrapped) =>
        wrapped ? handlerRoles(made) : [input(0), context(1), input(1, ['params'])],
      );
    else if (base === 'page' && (name === 'default' || name === 'generateMetadata'))
      each('next page', () => parts(0, ['params', 'searchParams']));
    else if (folder.includes('/pages/api/') && name === 'default') each('next api handler', handlerRoles);
    else if (name === 'getServerSideProps')
      each('next page', () => parts(0, ['params', 'query', 'req', 'resolvedUrl']));
    else if (base === '+server' && httpMethods.has(name))
      each('sveltekit handler', () => parts(0, ['params', 'url', 'request', 'cookies']));
    else if (/^\+(page|layout)\.server$/.test(base) && name === 'load')
      each('sveltekit load', () => parts(0, ['params', 'url', 'request', 'cookies']));
    else if ((name === 'loader' || name === 'action') && (isRemix || folder.includes('/routes/')))
      each('remix loader', () => parts(0, ['request', 'params']));
    else if (isServerFile)
      each('server action', (made, wrapped) => (wrapped ? handlerRoles(made) : everyParameter(made)));
  }
}

function hasDirective(x: Extraction, directive: string): boolean {
  for (const statement of x.source.statements) {
    if (!ts.isExpressionStatement(statement) || !ts.isStringLiteral(statement.expression)) return false;
    if (statement.expression.text === directive) return true;
  }
  return false;
}

/** Of a handler whose first parameter is a request, or an object that holds one. */
function handlerRoles(made: FunctionFacts): Role[] {
  const [first] = made.parameters;
  const type = first?.type?.name;
  const isRequest = type !== undefined && 'name' in type && /^(Next)?Request$/.test(type.name);
  const whole = isRequest ? [input(0)] : parts(0, requestParts);
  const rest = made.parameters.slice(1).flatMap((_, i) => [context(i + 1), input(i + 1, ['params'])]);
  return [...whole, ...rest];
}

/** The functions of this file that a value stands for, through aliases and through wrappers they are handed to. */
function functionsOf(
  x: Extraction,
  bindings: Bindings,
  value: Value,
  depth: number,
): { id: string; wrapped: boolean }[] {
  if (depth > 4) return [];
  if (value.kind === 'function') return [{ id: value.function, wrapped: false }];
  if (value.kind === 'binding' && value.path.length === 0) {
    const held = Object.hasOwn(bindings, value.name) ? bindings[value.name] : undefined;
    return held ? functionsOf(x, bindings, held, depth + 1) : [];
  }
  if (value.kind !== 'result' || value.path.length > 0) return [];
  const chain = x.chains[Number(value.chain.slice(value.chain.lastIndexOf('c') + 1))];
  const handed = (chain?.steps ?? []).flatMap((step) => step.arguments ?? []);
  return handed
    .flatMap((argument) => functionsOf(x, bindings, argument, depth + 1))
    .map(({ id }) => ({ id, wrapped: true }));
}

/** Handlers that a chain registers: `app.get('/x', handler)`, `procedure.input(...).query(handler)`. */
function markHandlers(x: Extraction, chain: CallChain, bindings: Bindings): void {
  chain.steps.forEach((step, at) => {
    if (!registering.has(step.name) || !step.arguments || step.arguments.length === 0) return;
    const all = (values: readonly Value[], kind: string, roles: (made: FunctionFacts) => Role[]): void => {
      for (const value of values) {
        for (const { id } of functionsOf(x, bindings, value, 0)) {
          const made = x.functionById.get(id);
          if (made && made.parameters.length > 0) mark(x, id, kind, roles(made));
        }
      }
    };
    if (routeSteps.has(step.name) && isPath(step, chain, at)) all(step.arguments, 'http handler', handlerRoles);
    else if (step.name === 'use' && step.arguments.some(isFunction))
      all(step.arguments, 'http middleware', handlerRoles);
    else if (step.name === 'route' && step.arguments[0]?.kind === 'object')
      all(
        step.arguments[0].entries.flatMap((e) => ('set' in e && e.set === 'handler' ? [e.value] : [])),
        'http handler',
        handlerRoles,
      );
    else if (procedureSteps.has(step.name) && step.arguments.length === 1)
      all(step.arguments, 'trpc procedure', () => [
        context(0),
        input(0, ['input']),
        input(0, ['rawInput']),
        context(0, ['ctx']),
      ]);
    else if (step.name === 'action' && chain.steps.slice(0, at).some((s) => /schema$/i.test(s.name)))
      all(step.arguments, 'server action', () => parts(0, ['parsedInput', 'clientInput', 'bindArgsParsedInputs']));
  });
}

const isFunction = (value: Value): boolean => value.kind === 'function';

/** Whether a route is named: by a text before the handler, or by an earlier `.route('/x')`. */
function isPath(step: Step, chain: CallChain, at: number): boolean {
  const first = step.arguments?.[0];
  if (!first || (step.arguments?.length ?? 0) < 2)
    return at > 0 && chain.steps.slice(0, at).some((s) => s.name === 'route' && s.arguments);
  return (
    (first.kind === 'constant' && typeof first.value === 'string') ||
    first.kind === 'text' ||
    first.kind === 'list' ||
    first.kind === 'binding' ||
    (first.kind === 'apply' && first.function === 'regexp')
  );
}
