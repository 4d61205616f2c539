import type { Value } from '@tenant-lint/model';
import type { Lowering } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { settled } from '../prisma/shape.js';

/** The fields that a projection lets through; undefined: all, or not known. */
export function projected(value: Value, l: Lowering): readonly string[] | undefined {
  const v = value.kind === 'constant' ? value : l.context.resolve(value);
  if (v.kind === 'constant') {
    const names = typeof v.value === 'string' ? v.value.split(/\s+/).filter((n) => n !== '') : [];
    return names.length === 0 || names.some((n) => /^[-+]/.test(n)) ? undefined : ['_id', ...names];
  }
  const object = v.kind === 'object' ? readObject(v, l) : undefined;
  if (!object || object.unseen.length > 0 || object.properties.size === 0) return undefined;
  const names: string[] = [];
  let id = true;
  for (const { name, value: given } of object.properties.values()) {
    const shown = settled(given, l);
    const isOff = shown.kind === 'constant' && (shown.value === 0 || shown.value === false);
    if (name === '_id') id = !isOff;
    else if (isOff) return undefined;
    else names.push(name);
  }
  if (names.length === 0) return undefined;
  return id ? ['_id', ...names] : names;
}
