import {
  keyOfValue,
  type ChainId,
  type FunctionId,
  type Path,
  type Reason,
  type Span,
  type Value,
} from '@tenant-lint/model';

/** Where a value comes from, as far as it matters for tenancy. */
export type Provenance =
  /** Verified by a session, a token, the request's context. */
  | {
      readonly kind: 'trusted';
      readonly what: string;
      readonly path: Path;
      readonly via: readonly Reason[];
      /** The function whose context it is a part of. */
      readonly at?: FunctionId;
    }
  /** A property of a row that an access returned; `access` is the id of its chain. */
  | { readonly kind: 'row'; readonly chain: string; readonly path: Path; readonly via: readonly Reason[] }
  | {
      readonly kind: 'input';
      readonly what: string;
      readonly via: readonly Reason[];
      readonly assumed?: string;
      /** The function that receives it. */
      readonly at?: FunctionId;
      /** The calls that hand it on, the last one first. */
      readonly through?: readonly ChainId[];
      /** Where it is read from the request, and the name it is read under there: `headers.get('x-tenant')`. */
      readonly span?: Span;
      readonly named?: string;
      /** What of it is read, where that is known: `projectId` of `await request.json()`. */
      readonly property?: Path;
      /** The claims of a token whose signature nobody has checked. */
      readonly decoded?: true;
      /** The last call that brought it into a form: `schema.parse(body)`. */
      readonly parsed?: ChainId;
      /** A call whose body is not in the program, and that is taken to keep a property of what it was handed. */
      readonly unread?: ChainId;
    }
  /** A parameter that nobody in the program supplies. */
  | {
      readonly kind: 'parameter';
      readonly function: FunctionId;
      readonly name: string;
      readonly via: readonly Reason[];
      /** The calls that hand it on, the last one first. */
      readonly through?: readonly ChainId[];
    }
  | { readonly kind: 'constant' }
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      /** It is there only where this is: an option that some callers hand over. */
      readonly given?: Value;
    };

export type InputProvenance = Extract<Provenance, { kind: 'input' }>;

/** Whether two sources may be the same part of a request, or one holds the other. */
export const mayBeSameInput = (a: InputProvenance, b: InputProvenance): boolean =>
  a.at === b.at && a.what === b.what && a.named === b.named && sameProperty(a.property, b.property);

const sameProperty = (a: Path = [], b: Path = []): boolean => a.every((name, i) => i >= b.length || b[i] === name);

/** A value in a few words, for reasons. */
export function describe(value: Value): string {
  switch (value.kind) {
    case 'import':
    case 'binding':
    case 'global':
      return [value.name, ...value.path].join('.');
    case 'this':
      return ['this', ...value.path].join('.');
    case 'parameter':
      return `parameter ${value.path.join('.')}`;
    case 'input':
      return [value.source, ...value.path].join('.');
    case 'constant':
      return JSON.stringify(value.value);
    case 'missing-able':
    case 'element':
      return describe(value.of);
    default:
      return value.kind;
  }
}

/** Sources without those that say the same. */
export function distinct(sources: readonly Provenance[]): readonly Provenance[] {
  if (sources.length < 2) return sources;
  const seen = new Set<string>();
  return sources.filter((s) => {
    const key = keyOf(s);
    return seen.has(key) ? false : (seen.add(key), true);
  });
}

/** Sources never change, and are compared again at each function that hands them on. */
const keys = new WeakMap<Provenance, string>();

function keyOf(source: Provenance): string {
  if (source.kind === 'constant') return source.kind;
  if (source.kind === 'unknown') return source.given ? `unknown/${keyOfValue(source.given)}` : source.kind;
  let key = keys.get(source);
  if (key === undefined) {
    const {
      kind,
      chain = '',
      at = '',
      what = '',
      name = '',
      path = [],
      via,
      ...rest
    } = source as Partial<AllOf> & Named;
    const read = rest.property ?? path;
    key = `${kind}/${chain}/${at}/${what}/${name}/${read.join('.')}/${via.length > 0}`;
    keys.set(source, key);
  }
  return key;
}

type Named = Extract<Provenance, { via: readonly Reason[] }>;
type AllOf = Record<'chain' | 'at' | 'what' | 'name', string> & { path: Path; property: Path };

/** Whether two reasons stand at the same place. */
export const sameReason = (a: Reason, b: Reason): boolean =>
  a.span?.file === b.span?.file && a.span?.start === b.span?.start && a.span?.end === b.span?.end;

/** Whether nothing but verified identities (and fixed values) supplies what has these sources. */
export const areVerified = (sources: readonly Provenance[]): boolean =>
  sources.some((s) => s.kind === 'trusted') && sources.every((s) => s.kind === 'trusted' || s.kind === 'constant');
