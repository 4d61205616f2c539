import type { Model } from '@tenant-lint/analysis';
import type { Confidence, ResourceAccess } from '@tenant-lint/model';
import { partsByKind } from './resources.js';

/** Keys of all tenants that a pattern goes over. */
export interface Passed {
  /** Why: the client's prefix that patterns are not given, or a wildcard where keys have the tenant. */
  readonly how: 'prefix' | 'wildcard';
  readonly confidence: Confidence;
  /** What is kept under such a key, where that is what shows it. */
  readonly kept?: ResourceAccess;
}

/** Whether a use of a cache goes over the keys of other tenants for the request of one; undefined where that is not so, or not known. */
export function passedTenants(model: Model, found: ResourceAccess): Passed | undefined {
  if (found.kind !== 'cache' || (found.operation !== 'find' && found.operation !== 'delete')) return undefined;
  const parts = model.partsOf(found, found.key);
  if (parts.some((p) => p.kind !== 'fixed')) return undefined;
  const pattern = parts.map((p) => (p.kind === 'fixed' ? p.text : '')).join('');
  const reached = model.reachOf(found.function);
  if (reached === 'staff' || reached === 'system') return undefined;
  if (found.prefix) {
    const { own, unknown, request } = partsByKind(model.partsOf(found, found.prefix));
    if (own.length > 0) return { how: 'prefix', confidence: 'likely' };
    if (unknown.length > 0 || request.length > 0) return { how: 'prefix', confidence: 'possible' };
  }
  if (reached === 'no request') return undefined;
  const kept = model.resources.find((r) => {
    if (r.kind !== 'cache' || r.operation !== undefined || r.library !== found.library) return false;
    const key = model.partsOf(r, r.key);
    return (
      key.some((p) => p.kind === 'own') &&
      matches(pattern, key.map((p) => (p.kind === 'fixed' ? p.text : 'x')).join(''))
    );
  });
  return kept && { how: 'wildcard', confidence: found.operation === 'find' ? 'likely' : 'possible', kept };
}

/** Whether a key matches a pattern of Redis; a set of characters (`[ab]`) is taken for any one. */
export function matches(pattern: string, key: string): boolean {
  const signs = [...pattern.matchAll(/\\([\s\S])|\[(?:\\[\s\S]|[^\]])*\]|[\s\S]/g)].map(([text, escaped]) =>
    escaped !== undefined
      ? { is: escaped }
      : text === '*'
        ? 'many'
        : text === '?' || text.length > 1
          ? 'one'
          : { is: text },
  );
  let at = 0;
  let star: { readonly sign: number; at: number } | undefined;
  let sign = 0;
  while (at < key.length) {
    const now = signs[sign];
    if (now === 'many') {
      star = { sign: ++sign, at };
    } else if (now === 'one' || (typeof now === 'object' && now.is === key[at])) {
      sign++;
      at++;
    } else if (star) {
      sign = star.sign;
      at = ++star.at;
    } else return false;
  }
  return signs.slice(sign).every((s) => s === 'many');
}
