import type { ScannedImport } from '@tenant-lint/typescript';

/** Code that runs in tests, stories and mocks: it crosses tenants on purpose and reaches no customer. */
export const isTestCode = (file: string): boolean =>
  /(?:^|\/)(?:__\w+__|tests?|e2e|cypress|playwright|mocks?|test-utils|testing|stories)\//.test(file) ||
  /\.(?:[\w-]*test|[\w-]*spec|e2e|bench|stories|story|mock|cy)\.[cm]?[jt]sx?$/.test(file);

/** Code that fills a database with example data. */
export const isSeedCode = (file: string): boolean =>
  /(?:^|\/)seeds?(?:ers?|ing)?(?:\/|[.-][^/]*$|\.[cm]?[jt]sx?$)/.test(file);

/** Text that takes a request apart. */
export const requestVocabulary =
  /\b(?:NextRequest|IncomingMessage|NextApiRequest)\b|\breq(?:uest)?\b\??\.(?:json|body|headers|query|params|nextUrl|formData|text|url)\b|\breq(?:uest)?\s*:\s*(?:Request|NextRequest)\b/;

/** Text that says which function answers a request: `app.get('/users', show)`. */
export const routeVocabulary = /\.(?:get|post|put|patch|delete|all)\(\s*['"`][^'"`\n]*\//;

/** Text that describes an object by a library of schemas: `z.object({`, `schema.omit({`. */
export const schemaVocabulary =
  /from\s+['"](?:zod|valibot|yup|superstruct|@hono\/zod-openapi)(?:\/[^'"]*)?['"][^]*\.(?:strictObject|object|extend|omit|pick|merge)\s*\(/;

/** Sources of trust are read even where they hold no data vocabulary: the session helper decides what is verified. */
export const trustVocabulary =
  /next-auth|@auth\/|@clerk\/|better-auth|\blucia\b|iron-session|createCookieSessionStorage|createSessionStorage|@auth0\/|authkit|@kinde-oss|jwtVerify|jsonwebtoken|AsyncLocalStorage|nestjs-cls|verifyIdToken|@upstash\/qstash|\bsvix\b|standardwebhooks|constructEvent/;

/** Text that replaces the context of whatever runs on. */
export const contextVocabulary = /\.enterWith\s*\(/;

/** React's convention for the names of hooks, on which its own lint rule rests. */
export const isHook = (name: string): boolean => /^use[A-Z]/.test(name);

/** The directive by which React's frameworks keep a module out of the server. */
const clientDirective = /^(?:\s|\/\/[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*['"]use client['"]/;

/** What React exports to client code and not to server components (the `react-server` condition of its package leaves them out). */
const clientNames = new Set([
  'Component',
  'PureComponent',
  'createContext',
  'useActionState',
  'useContext',
  'useDeferredValue',
  'useEffect',
  'useImperativeHandle',
  'useInsertionEffect',
  'useLayoutEffect',
  'useOptimistic',
  'useReducer',
  'useRef',
  'useState',
  'useSyncExternalStore',
  'useTransition',
]);
const clientMember = new RegExp(`\\bReact\\.(?:${[...clientNames].join('|')})\\b`);

/** Ways by which a module of components holds code for the server too: loaders of pages, server functions. */
const serverPart =
  /\bget(?:ServerSide|Static|Initial)Props\b|\bgetStaticPaths\b|\bexport\s+(?:(?:async\s+)?function|const)\s+(?:loader|action)\b|\bcreateServerFn\b|\bcreateFileRoute\b|['"]use server['"]|['"]server-only['"]|\bserver\$\(/;

/** Hooks of clients of queries, which keep their state in React's. */
const queryHook = /\.use(?:Suspense|Infinite|SuspenseInfinite)?(?:Query|Queries|Mutation)\s*[(<]|\.useUtils\s*\(/;

/** Whether a module runs in the browser, and whether it would if a hook that it imports did. */
export function clientOf(
  text: string,
  imports: readonly ScannedImport[],
): { readonly client: boolean; readonly component: boolean } {
  if (clientDirective.test(text)) return { client: true, component: true };
  const react = imports.find((i) => i.module === 'react');
  const uses =
    (react && (react.names?.some((name) => clientNames.has(name)) || clientMember.test(text))) || queryHook.test(text);
  const component = (uses || imports.some((i) => i.names?.some(isHook))) && !serverPart.test(text);
  return { client: uses && component, component };
}

/** Whether a text holds functions that a migration tool calls. */
export const isMigrationText = (text: string): boolean => /\bup\b/.test(text) && migrationVocabulary.test(text);

const migrationVocabulary =
  /\bexports\.up\b|\bexport\s+(?:async\s+)?(?:function|const|let)\s+up\b|^[ \t]*(?:public\s+)?(?:override\s+)?(?:async\s+)?up\s*(?:\(|[:=]\s*(?:async\b|function\b|\())/m;
