import type TS from 'typescript';
import type { CallChain, Decorator, EntryPoint, FileFacts, FunctionFacts, Path, Step, Value } from '@tenant-lint/model';
import type { Extraction, Mutable } from './state.js';
import { markResolvers } from './resolvers.js';
import { ts } from './typescript.js';

type Role = EntryPoint['roles'][number];
type Bindings = Readonly<Record<string, Value>>;

const httpMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const routeSteps = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'del', 'options', 'all']);
const procedureSteps = new Set(['query', 'mutation', 'subscription']);
/** What servers of the Model Context Protocol call the registration of a handler, which comes last. */
const protocolSteps = new Set([
  'setRequestHandler',
  'tool',
  'registerTool',
  'resource',
  'registerResource',
  'prompt',
  'registerPrompt',
]);
const protocolModules = /^@modelcontextprotocol\/|^mcp-handler$|^@vercel\/mcp-adapter$/;
/** Functions that describe a tool of a language model, whose `execute` is called with what the model asks for. */
const toolMakers: readonly { readonly module: RegExp; readonly name: string }[] = [
  { module: /^ai$/, name: 'tool' },
  { module: /^ai$/, name: 'dynamicTool' },
  { module: /^@mastra\/core(?:\/tools)?$/, name: 'createTool' },
  { module: /^@openai\/agents$/, name: 'tool' },
];
/** Names of steps that may register a handler. */
const registering = new Set([...routeSteps, ...procedureSteps, ...protocolSteps, 'use', 'route', 'action', 'on', '']);
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
  'hostname',
  'host',
  'subdomains',
  'ip',
  'ips',
  'path',
  'rawBody',
];
/** Methods by which a request object is read; a context object (Hono, Koa) uses the same names for what middleware put there. */
const requestMethods = ['get', 'header'];
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

type Entries = NonNullable<FileFacts['entries']>;
type Registered = NonNullable<FileFacts['registered']>[number];

/**
 * Marks the functions that the outside world calls, by how frameworks find them: file name and export, registration, decorator. Returns
 * what is known of functions that other files declare: entry points by exported name, and registered handlers.
 */
export function markEntryPoints(x: Extraction, bindings: Bindings): Pick<FileFacts, 'entries' | 'registered'> {
  const entries = markExports(x, bindings);
  const registered: Registered[] = [];
  for (const chain of x.chains) markHandlers(x, chain, bindings, registered);
  markResolvers(x, bindings, (value, roles) => {
    const found = functionsOf(x, bindings, value, 0);
    if (found.length === 0 && isDeclaredElsewhere(bindings, value))
      registered.push({ value, entry: { kind: 'graphql resolver', roles: roles(undefined) } });
    for (const { id } of found) mark(x, id, 'graphql resolver', roles(x.functionById.get(id)));
  });
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
  return {
    ...(Object.keys(entries).length > 0 ? { entries } : {}),
    ...(registered.length > 0 ? { registered } : {}),
  };
}

function mark(x: Extraction, id: string, kind: string, roles: readonly Role[]): void {
  const made = x.functionById.get(id) as Mutable<FunctionFacts> | undefined;
  if (made && !made.entry) made.entry = { kind, roles };
}

/** Every parameter of a function; of one that another file declares, as many as anybody has. */
const everyParameter = (made: FunctionFacts | undefined): Role[] =>
  Array.from({ length: made ? made.parameters.length : 8 }, (_, index) => input(index));

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

/** What a framework does with a name that a file exports. `made` is the function, where this file declares it. */
interface Expected {
  readonly kind: string;
  readonly roles: (made: FunctionFacts | undefined, wrapped: boolean) => Role[];
}

/** What decides how a framework reads a file. */
interface Place {
  /** The name of the file without its extension. */
  readonly base: string;
  readonly path: string;
  readonly isServerFile: boolean;
  readonly isRemix: boolean;
}

const pageRoles = (): Role[] => parts(0, ['params', 'searchParams']);
/** A layout is a component like others: only what Next.js hands over is known. */
const layoutRoles = (): Role[] => [context(0, ['children']), input(0, ['params'])];
const loadRoles = (): Role[] => parts(0, ['params', 'url', 'request', 'cookies']);
const image = /^(opengraph-image|twitter-image|icon|apple-icon)\d?$/;

function expectedOf(place: Place, name: string): Expected | undefined {
  const { base, path } = place;
  const isDefault = name === 'default';
  if (base === 'route' && httpMethods.has(name))
    return {
      kind: 'next route handler',
      roles: (made, wrapped) => (wrapped ? handlerRoles(made) : [input(0), context(1), input(1, ['params'])]),
    };
  if (base === 'page' && (isDefault || name === 'generateMetadata')) return { kind: 'next page', roles: pageRoles };
  if (path.includes('/app/') && (base === 'layout' || base === 'default' || image.test(base))) {
    if (isDefault) return { kind: base === 'layout' ? 'next layout' : 'next page', roles: layoutRoles };
    if (name === 'generateMetadata') return { kind: 'next page', roles: pageRoles };
  }
  if (path.includes('/pages/api/') && isDefault) return { kind: 'next api handler', roles: handlerRoles };
  if (name === 'getServerSideProps')
    return { kind: 'next page', roles: () => parts(0, ['params', 'query', 'req', 'resolvedUrl']) };
  if (base === '+server' && httpMethods.has(name)) return { kind: 'sveltekit handler', roles: loadRoles };
  if (/^\+(page|layout)\.server$/.test(base) && name === 'load') return { kind: 'sveltekit load', roles: loadRoles };
  if ((name === 'loader' || name === 'action') && (place.isRemix || path.includes('/routes/')))
    return { kind: 'remix loader', roles: () => parts(0, ['request', 'params']) };
  if (place.isServerFile)
    return { kind: 'server action', roles: (made, wrapped) => (wrapped ? handlerRoles(made) : everyParameter(made)) };
  return undefined;
}

/** Names that `export *` may bring in and that some framework looks for. */
const expectedNames = [...httpMethods, 'generateMetadata', 'getServerSideProps', 'load', 'loader', 'action'];

/** Marks functions that a framework finds by file and exported name; returns the names whose function another file declares. */
function markExports(x: Extraction, bindings: Bindings): Entries {
  const place: Place = {
    base: x.file.slice(x.file.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]sx?$/, ''),
    path: `/${x.file}`,
    isServerFile: hasDirective(x.source, 'use server'),
    isRemix: x.imports.some(({ module }) => /^@remix-run\/|^react-router$|^@react-router\//.test(module)),
  };
  const elsewhere: Record<string, EntryPoint> = {};
  for (const exported of x.exports) {
    if (exported.name === '*') {
      for (const name of expectedNames) {
        const expected = expectedOf({ ...place, isServerFile: false }, name);
        if (expected) elsewhere[name] ??= { kind: expected.kind, roles: expected.roles(undefined, false) };
      }
      continue;
    }
    const expected = expectedOf(place, exported.name);
    if (!expected) continue;
    const value = 'local' in exported ? valueOfExport(x, bindings, exported.local) : undefined;
    const found = value ? functionsOf(x, bindings, value, 0) : [];
    for (const { id, wrapped } of found) {
      const made = x.functionById.get(id);
      if (made) mark(x, id, expected.kind, expected.roles(made, wrapped));
    }
    if (found.length === 0 && (!value || comesFromElsewhere(value)) && ('module' in exported || value))
      elsewhere[exported.name] = {
        kind: expected.kind,
        roles: expected.roles(undefined, value?.kind === 'result'),
      };
  }
  return elsewhere;
}

/** The value of a local name that is exported: a binding of the module, or what it imports. */
function valueOfExport(x: Extraction, bindings: Bindings, local: string): Value | undefined {
  if (Object.hasOwn(bindings, local)) return bindings[local];
  const imported = x.imports.find((i) => i.local === local && !i.typeOnly);
  return imported && { kind: 'import', from: x.file, module: imported.module, name: imported.name, path: [] };
}

/** Whether a function that is not of this file may be behind the value. */
const comesFromElsewhere = (value: Value): boolean =>
  ['import', 'binding', 'result', 'element', 'this', 'choice'].includes(value.kind);

/** Whether a file begins with a directive like 'use server'. */
export function hasDirective(source: TS.SourceFile, directive: string): boolean {
  for (const statement of source.statements) {
    if (!ts.isExpressionStatement(statement) || !ts.isStringLiteral(statement.expression)) return false;
    if (statement.expression.text === directive) return true;
  }
  return false;
}

/** Of a handler whose first parameter is a request, or an object that holds one. */
function handlerRoles(made: FunctionFacts | undefined): Role[] {
  if (!made) return [...parts(0, requestParts), context(1), input(1, ['params'])];
  const [first] = made.parameters;
  const type = first?.type?.name;
  const isRequest = type !== undefined && 'name' in type && /^(Next)?Request$/.test(type.name);
  // A handler of a request and a response takes the request itself first, any other a context.
  const isPair = made.parameters.length > 1;
  const whole = isRequest ? [input(0)] : parts(0, isPair ? [...requestParts, ...requestMethods] : requestParts);
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
function markHandlers(x: Extraction, chain: CallChain, bindings: Bindings, registered: Registered[]): void {
  chain.steps.forEach((step, at) => {
    const serves = isServer(chain, step);
    if (!(serves || registering.has(step.name)) || !step.arguments || step.arguments.length === 0) return;
    const all = (values: readonly Value[], kind: string, roles: (made: FunctionFacts | undefined) => Role[]): void => {
      for (const value of values) {
        const found = functionsOf(x, bindings, value, 0);
        if (found.length === 0 && (isDeclaredElsewhere(bindings, value) || wrapsWhatIsElsewhere(x, bindings, value, 0)))
          registered.push({ value, entry: { kind, roles: roles(undefined) } });
        for (const { id } of found) {
          const made = x.functionById.get(id);
          // A function without parameters behind a name that is no path is what a cache or a map is given.
          if (made && (made.parameters.length > 0 || isRoute(step))) mark(x, id, kind, roles(made));
        }
      }
    };
    if (serves) all(step.arguments, 'http handler', () => [input(0)]);
    else if (step.name === '') {
      if (makesTool(chain)) all(executed(step), 'model tool', () => [input(0), context(1)]);
    } else if (protocolSteps.has(step.name) && x.imports.some((i) => protocolModules.test(i.module)))
      all(step.arguments.slice(-1), 'model tool', () => [input(0), context(1)]);
    else if (step.name === 'on' && isOfSocket(x, chain))
      all(step.arguments.slice(1), 'socket handler', (made) => everyParameter(made));
    else if (routeSteps.has(step.name) && isPath(step, chain, at)) all(step.arguments, 'http handler', handlerRoles);
    else if (step.name === 'use' && step.arguments.some((a) => isFunction(a) || isDeclaredElsewhere(bindings, a)))
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

/** `socket.on(event, handler)` on what the handler of `io.on('connection', ...)` is given: what the client sends. */
function isOfSocket(x: Extraction, { receiver, steps }: CallChain): boolean {
  if (receiver.kind !== 'parameter' || receiver.index !== 0 || steps.length !== 1) return false;
  const handed = x.functionById.get(receiver.function)?.handedTo;
  const outer = handed && x.chains[Number(handed.chain.slice(handed.chain.lastIndexOf('c') + 1))];
  const step = handed && outer?.steps[handed.step];
  const [event] = step?.arguments ?? [];
  return step?.name === 'on' && event?.kind === 'constant' && /^connect(?:ion)?$/.test(String(event.value));
}

const makesTool = ({ receiver }: CallChain): boolean =>
  receiver.kind === 'import' &&
  receiver.path.length === 0 &&
  toolMakers.some((m) => m.name === receiver.name && m.module.test(receiver.module));

/** `tool({ execute: async (input) => ... })` */
const executed = (step: Step): readonly Value[] =>
  (step.arguments ?? []).flatMap((a) =>
    a.kind === 'object' ? a.entries.flatMap((e) => ('set' in e && e.set === 'execute' ? [e.value] : [])) : [],
  );

/** `Deno.serve(handler)`, and `serve(handler)` of its standard library. */
function isServer({ receiver }: CallChain, { name }: Step): boolean {
  if (receiver.kind === 'global') return receiver.name === 'Deno' && (name === 'serve' || receiver.path[0] === 'serve');
  return (
    receiver.kind === 'import' &&
    receiver.name === 'serve' &&
    name === '' &&
    /deno\.land\/std[^/]*\/http\b|^(?:jsr:)?@std\/http\b/.test(receiver.module)
  );
}

/** An import, as it stands or through a name of this module: `app.get('/users', show)`, `app.get('/users', users.list)`. */
function isDeclaredElsewhere(bindings: Bindings, value: Value): boolean {
  const held = value.kind === 'binding' && Object.hasOwn(bindings, value.name) ? bindings[value.name] : value;
  return held?.kind === 'import' || (held?.kind === 'instance' && held.of.kind === 'import');
}

/** A wrapper around something that another file declares: `app.get('/users', catching(require('./show').default))`. */
function wrapsWhatIsElsewhere(x: Extraction, bindings: Bindings, value: Value, depth: number): boolean {
  if (value.kind !== 'result' || value.path.length > 0 || depth > 4) return false;
  const chain = x.chains[Number(value.chain.slice(value.chain.lastIndexOf('c') + 1))];
  return (chain?.steps ?? []).some((step) =>
    step.arguments?.some((a) => isDeclaredElsewhere(bindings, a) || wrapsWhatIsElsewhere(x, bindings, a, depth + 1)),
  );
}

/** `app.get('/health', () => ...)` */
function isRoute({ arguments: [first] = [] }: Step): boolean {
  return first?.kind === 'constant' && typeof first.value === 'string' && first.value.startsWith('/');
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
