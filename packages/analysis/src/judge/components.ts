import type { Value } from '@tenant-lint/model';

/** The values that a literal, a choice, an operation or an element is put together from or taken of; none of any other kind. */
export function componentsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'object':
      return value.entries.map((e) => ('spread' in e ? e.spread : e.value));
    case 'list':
      return value.of.map((item) => item.value);
    case 'choice':
      return value.of;
    case 'apply':
      return value.to;
    case 'element':
      return [value.of];
    default:
      return [];
  }
}
