import type { Path } from '@tenant-lint/model';

/**
 * Where a trusted identity comes from: what a library has verified (a signature, a server-side session) before the value exists.
 * Matched through the import, wrappers are read through; a name alone is never evidence.
 */
export interface TrustedSource {
  readonly modules: RegExp;
  /** Exported names whose call (or whose object's method call) gives the verified value. */
  readonly exports: readonly string[];
  /** Methods called on the export, where not the export itself is called. */
  readonly methods?: readonly string[];
  /** Parts of the result that are not verified (user-editable). */
  readonly except?: readonly Path[];
}

export const trustedSources: readonly TrustedSource[] = [
  {
    modules: /^next-auth(\/.*)?$|^@auth\//,
    exports: ['auth', 'getServerSession', 'unstable_getServerSession', 'getToken', 'default'],
  },
  { modules: /^@clerk\//, exports: ['auth', 'currentUser', 'getAuth'] },
  { modules: /^better-auth(\/.*)?$/, exports: ['betterAuth'], methods: ['getSession'] },
  { modules: /^lucia$/, exports: ['Lucia'], methods: ['validateSession'] },
  { modules: /^iron-session(\/.*)?$/, exports: ['getIronSession'] },
  {
    modules: /^@supabase\//,
    exports: ['createClient', 'createServerClient', 'createServerComponentClient', 'createRouteHandlerClient'],
    methods: ['getUser', 'getClaims'],
    except: [['user_metadata']],
  },
  {
    modules: /^@(?:remix-run|react-router)\/|^react-router$/,
    exports: [
      'createCookieSessionStorage',
      'createSessionStorage',
      'createFileSessionStorage',
      'createMemorySessionStorage',
    ],
    methods: ['getSession', 'get'],
  },
  { modules: /^remix-auth$/, exports: ['Authenticator'], methods: ['isAuthenticated', 'authenticate'] },
  { modules: /^@auth0\//, exports: ['getSession', 'Auth0Client', 'initAuth0'], methods: ['getSession'] },
  { modules: /^@workos-inc\/authkit/, exports: ['withAuth', 'getUser'] },
  { modules: /^@kinde-oss\//, exports: ['getKindeServerSession'] },
  { modules: /^jose$/, exports: ['jwtVerify'] },
  { modules: /^jsonwebtoken$/, exports: ['verify', 'default', '*'], methods: ['verify'] },
  { modules: /^hono\/jwt$/, exports: ['verify'] },
  {
    modules: /^firebase-admin/,
    exports: ['getAuth', 'auth', 'default'],
    methods: ['verifyIdToken', 'verifySessionCookie'],
  },
  { modules: /^(?:node:)?async_hooks$/, exports: ['AsyncLocalStorage'], methods: ['getStore'] },
  { modules: /^nestjs-cls$/, exports: ['ClsService'], methods: ['get'] },
];

/** Calls that read the claims of a token, or of a cookie, and check nothing. */
export const decoders: readonly Pick<TrustedSource, 'modules' | 'exports' | 'methods'>[] = [
  { modules: /^jsonwebtoken$/, exports: ['decode', 'default', '*'], methods: ['decode'] },
  { modules: /^jose(\/.*)?$/, exports: ['decodeJwt', 'UnsecuredJWT', '*'], methods: ['decodeJwt', 'decode'] },
  { modules: /^jwt-decode$/, exports: ['jwtDecode', 'default'] },
  { modules: /^hono\/jwt$/, exports: ['decode'] },
  { modules: /^fast-jwt$/, exports: ['createDecoder'] },
  { modules: /^jwt-simple$/, exports: ['default', '*'], methods: ['decodeUnsafe'] },
  // On a server the session is what the cookie says; getUser() and getClaims() ask whether it is true.
  {
    modules: /^@supabase\//,
    exports: ['createClient', 'createServerClient', 'createServerComponentClient', 'createRouteHandlerClient'],
    methods: ['getSession'],
  },
];

/** What computes or compares a signature. */
export const signatures: readonly Pick<TrustedSource, 'modules' | 'exports' | 'methods'>[] = [
  {
    modules: /^(?:node:)?crypto$/,
    exports: ['createHmac', 'createVerify', 'timingSafeEqual', 'verify', 'default', '*'],
    methods: ['createHmac', 'createVerify', 'timingSafeEqual', 'verify'],
  },
];

/** Functions that turn encoded text into plain text: of a token that is split and read by hand, too. */
export const textDecoders: readonly { readonly called: string; readonly encodings?: readonly string[] }[] = [
  { called: 'atob' },
  { called: 'Buffer.from', encodings: ['base64', 'base64url'] },
];

/** Methods by which a part of a request is read. */
export const readers: ReadonlySet<string> = new Set([
  'get',
  'getAll',
  'header',
  'param',
  'query',
  'queries',
  'cookie',
  'json',
  'text',
  'formData',
  'parseBody',
  'valid',
]);

/** Classes of the platform whose instances hold nothing but what they are made of. */
export const forms: ReadonlySet<string> = new Set(['URL', 'URLSearchParams', 'Headers', 'Set', 'Date', 'Uint8Array']);

/** Functions that read the request wherever they are called. */
export const inputSources: readonly { readonly modules: RegExp; readonly exports: readonly string[] }[] = [
  { modules: /^next\/headers(\.js)?$/, exports: ['headers', 'cookies'] },
  {
    modules: /^next\/navigation(\.js)?$|^@remix-run\/react$|^react-router(-dom)?$/,
    exports: ['useSearchParams', 'useParams'],
  },
];

/** Methods and functions that hand their argument (or receiver) on, checked for form but not for ownership. */
export const conversions: ReadonlySet<string> = new Set([
  'parse',
  'safeParse',
  'parseAsync',
  'safeParseAsync',
  'validate',
  'validateSync',
  'cast',
  'Number',
  'String',
  'BigInt',
  'parseInt',
  'parseFloat',
  'decodeURIComponent',
  'encodeURIComponent',
  'structuredClone',
  'Boolean',
]);

/** Functions of libraries that give one of their arguments in another form, and which. */
export const transformers: readonly {
  readonly modules: RegExp;
  readonly exports: readonly string[];
  readonly argument: number;
}[] = [
  { modules: /^class-transformer$/, exports: ['plainToInstance', 'plainToClass'], argument: 1 },
  { modules: /^class-transformer$/, exports: ['instanceToPlain', 'classToPlain', 'instanceToInstance'], argument: 0 },
];

/** Array methods whose callback receives the elements. */
export const iterations: ReadonlySet<string> = new Set([
  'map',
  'forEach',
  'filter',
  'flatMap',
  'find',
  'some',
  'every',
  'findLast',
  'sort',
  'findIndex',
]);

/** Functions that check a signature made with a secret shared with another system: who passes is that system, not a user. */
export const signatureChecks: readonly {
  readonly modules: RegExp;
  readonly names: readonly string[];
  /** Those that answer with a promise: a test of the promise itself is always true. */
  readonly later?: readonly string[];
}[] = [
  { modules: /^stripe$/, names: ['constructEvent', 'constructEventAsync'] },
  { modules: /^svix$|^standardwebhooks$/, names: ['verify'] },
  {
    modules: /^@upstash\/qstash/,
    names: ['verify', 'verifySignature', 'verifySignatureAppRouter', 'verifySignatureEdge'],
    later: ['verify'],
  },
  { modules: /^@octokit\/webhooks/, names: ['verify', 'verifyAndReceive'] },
];
