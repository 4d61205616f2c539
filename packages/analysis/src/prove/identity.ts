import type { Query, Value, ValueOf } from '@tenant-lint/model';
import type { ValueClass } from './question.js';

/** SQL names of the user or role of the session: of Postgres, and of the platforms that put a verified token into settings. */
const identities: Readonly<Record<string, ValueClass>> = {
  'auth.uid': 'caller',
  'auth.email': 'caller',
  'auth.role': 'role',
  current_user: 'role',
  session_user: 'role',
  current_role: 'role',
  user: 'role',
};

/** Settings that a gateway fills from the verified token. */
const claimSettings = /^request\.jwt\.claims?$/;
/** Settings that a gateway fills with what the client sent. */
const clientSettings = /^request\.(headers?|cookies?|method|path)(\.|$)/;
const jsonOperator = /^(->|->>|#>|#>>|jsonb?_extract_path(_text)?)$/;
/** Parts of a token that the user may edit. */
const userEditable: ReadonlySet<string> = new Set(['user_metadata', 'raw_user_meta_data']);

/**
 * Recognises expressions of SQL text that read the identity of the session: functions and settings of the platform, and the path that is
 * taken from a token's claims. Undefined: not one of them.
 */
export function identityOf(value: Value): ValueClass | undefined {
  if (value.kind === 'setting') return ofSetting(value.name);
  if (value.kind === 'element') return ofPath(jsonPath(value));
  if (value.kind === 'query') return isOwnAddress(value.query) ? 'caller' : undefined;
  if (value.kind !== 'apply') return undefined;
  if (value.to.length === 0 && Object.hasOwn(identities, value.function)) return identities[value.function];
  return jsonOperator.test(value.function) ? ofPath(jsonPath(value)) : undefined;
}

/** `SELECT email FROM auth.users WHERE id = auth.uid()`: where the identity provider keeps the address of whoever has signed in. */
function isOwnAddress({ targets, condition, output, arms }: Query): boolean {
  const [target, ...others] = targets;
  const [column] = output;
  if (!target?.table.known || others.length > 0 || arms?.length || output.length !== 1) return false;
  const { schema, name } = target.table.value.by === 'sql' ? target.table.value : {};
  if (schema !== 'auth' || name !== 'users' || condition.kind !== 'compare' || condition.operator !== '=') return false;
  // No migration makes that table, but it surely has these columns.
  const isOf = (value: ValueOf<'column'>): boolean =>
    value.target === target.ref || (value.target === undefined && value.candidates?.[0]?.includes(target.ref) === true);
  const isColumn = (value: Value | undefined, called: RegExp): boolean =>
    value?.kind === 'apply' && value.function.startsWith('cast:')
      ? isColumn(value.to[0], called)
      : value?.kind === 'column' && isOf(value) && called.test(value.column);
  const sides = [condition.left, condition.right];
  return (
    isColumn(column, /^(?:email|phone)$/) &&
    sides.some((side) => isColumn(side, /^id$/)) &&
    sides.some((side) => identityOf(side) === 'caller')
  );
}

/** What a value of the session owes to its user: the part of the token that users edit, what the client sent, a mail address. */
export type UserControlled = 'metadata' | 'client' | 'email';

/** Recognises values that whoever asks may choose or change. Undefined: not one of them, or not known to be. */
export function userControlled(value: Value): UserControlled | undefined {
  if (value.kind === 'setting' && value.name === 'request.jwt.claim.email') return 'email';
  if (value.kind === 'apply' && value.function === 'auth.email' && value.to.length === 0) return 'email';
  if (value.kind === 'column' && userEditable.has(value.column)) return 'metadata';
  const path = value.kind === 'apply' || value.kind === 'element' ? jsonPath(value) : undefined;
  if (path?.source === 'claims' && path.steps.length === 1 && path.steps[0] === 'email') return 'email';
  if (identityOf(value) !== 'foreign-possible') return undefined;
  return path?.source === 'client' || (value.kind === 'setting' && clientSettings.test(value.name))
    ? 'client'
    : 'metadata';
}

/** The steps by which a value is taken from the claims of a verified token; undefined: it is not. */
export function claimPath(value: Value): readonly string[] | undefined {
  if (value.kind !== 'apply' && value.kind !== 'element') return undefined;
  const path = jsonPath(value);
  return path?.source === 'claims' ? path.steps : undefined;
}

function ofPath(path: JsonPath | undefined): ValueClass | undefined {
  if (!path) return undefined;
  if (path.source === 'client') return 'foreign-possible';
  if (path.steps.some((step) => userEditable.has(step))) return 'foreign-possible';
  const last = path.steps.at(-1);
  if (path.steps.length === 1 && (last === 'sub' || last === 'email')) return 'caller';
  if (path.steps.length === 1 && last === 'role') return 'role';
  return path.steps.length === 0 ? undefined : 'tenant-verified';
}

function ofSetting(name: string): ValueClass | undefined {
  if (clientSettings.test(name)) return 'foreign-possible';
  if (!name.startsWith('request.jwt.claim.')) return name === 'role' ? 'role' : undefined;
  const claim = name.slice('request.jwt.claim.'.length);
  if (claim === 'sub' || claim === 'email') return 'caller';
  if (claim === 'role') return 'role';
  return userEditable.has(claim) ? 'foreign-possible' : 'tenant-verified';
}

interface JsonPath {
  readonly source: 'claims' | 'client';
  readonly steps: readonly string[];
}

/** Reads `source -> 'a' ->> 'b'`, with casts and other wrappers in between. */
function jsonPath(value: Value): JsonPath | undefined {
  if (value.kind === 'setting') {
    if (claimSettings.test(value.name)) return { source: 'claims', steps: [] };
    return clientSettings.test(value.name) ? { source: 'client', steps: [] } : undefined;
  }
  if (value.kind === 'query') {
    const only = value.query.output[0];
    return value.query.targets.length === 0 && value.query.output.length === 1 && only ? jsonPath(only) : undefined;
  }
  if (value.kind === 'element') {
    const before = jsonPath(value.of);
    return before && { ...before, steps: [...before.steps, ...value.path] };
  }
  if (value.kind !== 'apply') return undefined;
  if (value.function === 'auth.jwt' && value.to.length === 0) return { source: 'claims', steps: [] };
  const [inner, ...rest] = value.to;
  if (!inner) return undefined;
  if (/^cast:jsonb?$/.test(value.function)) return jsonPath(inner);
  // NULLIF(current_setting(...), '')::json and COALESCE(..., '{}') hand the claims on.
  if (value.function === 'nullif' || value.function === 'coalesce') return jsonPath(inner);
  if (!jsonOperator.test(value.function)) return undefined;
  const before = jsonPath(inner);
  if (!before) return undefined;
  const steps = rest.flatMap((step) =>
    step.kind === 'constant' ? pathSteps(String(step.value), value.function) : ['*'],
  );
  return { ...before, steps: [...before.steps, ...steps] };
}

const pathSteps = (text: string, operator: string): readonly string[] =>
  operator.startsWith('#') ? text.replace(/^\{|\}$/g, '').split(',') : [text];
