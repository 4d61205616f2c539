import type { FunctionId, Predicate, Value } from '@tenant-lint/model';

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);
const dotted = (name: string, path: readonly string[]): string => [name, ...path].filter((s) => s !== '').join('.');

/** A value in the words of the code it comes from, at most 80 characters. */
export function describeValue(value: Value, nameOf: NameOf = () => undefined): string {
  return short(words(value, 4, nameOf));
}

/** The name of a parameter, where the program knows it. */
export type NameOf = (f: FunctionId, index: number) => string | undefined;

function words(value: Value, depth: number, nameOf: NameOf): string {
  if (depth === 0) return '...';
  const inner = (v: Value): string => words(v, depth - 1, nameOf);
  switch (value.kind) {
    case 'constant':
      return typeof value.value === 'string' ? `'${value.value}'` : String(value.value);
    case 'undefined':
      return 'undefined';
    case 'column':
      return value.target === undefined ? value.column : `${value.target}.${value.column}`;
    case 'tenant':
      return value.source;
    case 'setting':
      return `setting ${value.name}`;
    case 'placeholder':
      return /^\d+$/.test(value.name) ? `$${value.name}` : `:${value.name}`;
    case 'row':
      return dotted('row', value.path);
    case 'input':
      return dotted(value.source, value.path);
    case 'parameter':
      // A destructured parameter has no name of its own; what is read from it has.
      return dotted(nameOf(value.function, value.index) ?? '', value.path) || `parameter ${value.index + 1}`;
    case 'result':
      return dotted('result', value.path);
    case 'import':
    case 'binding':
    case 'global':
      return dotted(value.name, value.path);
    case 'this':
      return dotted('this', value.path);
    case 'function':
      return 'a function';
    case 'instance':
      return `new ${inner(value.of)}`;
    case 'missing-able':
      return inner(value.of);
    case 'object':
      return 'an object';
    case 'list':
      return `[${value.of.map((item) => inner(item.value)).join(', ')}]`;
    case 'element':
      return dotted(inner(value.of), value.path);
    case 'apply': {
      if (value.function.startsWith('cast:') && value.to[0]) return inner(value.to[0]);
      if (value.to.length === 2 && !/^[a-z_]/i.test(value.function))
        return value.to.map(inner).join(` ${value.function} `);
      return `${value.function}(${value.to.map(inner).join(', ')})`;
    }
    case 'choice':
      return value.of.map(inner).join(' or ');
    case 'text':
      return value.parts.map((part) => ('hole' in part ? `\${${inner(part.hole)}}` : part.text)).join('');
    case 'query':
      return 'a sub-query';
    case 'predicate':
      return describePredicate(value.predicate);
    case 'unknown':
      return `something unknown (${value.reason})`;
  }
}

/** A condition in a few words. */
export function describePredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'compare':
      return `${describeValue(predicate.left)} ${predicate.operator} ${describeValue(predicate.right)}`;
    case 'null':
      return `${describeValue(predicate.of)} is null`;
    case 'in':
      return `${describeValue(predicate.left)} in (${predicate.right.map((v) => describeValue(v)).join(', ')})`;
    case 'in-query':
      return `${predicate.left.map((v) => describeValue(v)).join(', ')} in a sub-query`;
    case 'exists':
      return 'a sub-query with a row';
    case 'value':
      return describeValue(predicate.of);
    case 'not':
      return `not (${describePredicate(predicate.of)})`;
    case 'and':
    case 'or':
      return short(predicate.of.map(describePredicate).join(` ${predicate.kind} `));
    case 'always':
      return predicate.why;
    case 'unknown':
      return predicate.reason;
    default:
      return `a condition (${predicate.kind})`;
  }
}
