import { sameList, type DeclaredChange } from './change.js';

/**
 * A Prisma schema after a change of one model, line by line and in the layout that it has; undefined where the change cannot be said in that language,
 * or not without knowing more. Pure; never throws. https://www.prisma.io/docs/orm/reference/prisma-schema-reference
 */
export function declareInPrisma(text: string, model: string, change: DeclaredChange): string | undefined {
  const block = blockOf(text, model);
  if (!block || !namesOf(change).every((name) => /^\w+$/.test(name))) return undefined;
  const { start, end } = block;
  const lines = text.slice(start, end).split('\n');
  const changed = changedLines(lines, change, text);
  return changed && text.slice(0, start) + changed.join('\n') + text.slice(end);
}

const namesOf = (change: DeclaredChange): readonly string[] =>
  'property' in change
    ? [change.property]
    : [...change.properties, ...('references' in change ? change.references : [])];

/** The lines between the braces of a model. */
function blockOf(text: string, model: string): { readonly start: number; readonly end: number } | undefined {
  const open = new RegExp(
    String.raw`^model[ \t]+${model.replaceAll(/\W/g, String.raw`\$&`)}[ \t]*\{[ \t]*\r?\n`,
    'm',
  ).exec(text);
  if (!open) return undefined;
  const start = open.index + open[0].length;
  const close = /^[ \t]*\}/m.exec(text.slice(start));
  return close ? { start, end: start + close.index } : undefined;
}

const fieldPattern = /^([ \t]*)(\w+)([ \t]+)([\w.]+)(\?|\[\])?([ \t].*|$)/;

function fieldAt(lines: readonly string[], name: string): number {
  return lines.findIndex((line) => fieldPattern.exec(line.trimEnd())?.[2] === name);
}

const listIn = (line: string, pattern: RegExp): string[] | undefined =>
  pattern
    .exec(line)?.[1]
    ?.split(',')
    .map((f) => f.trim().replace(/\(.*$/, ''));

/** The relation that holds these columns. */
const relationAt = (lines: readonly string[], fields: readonly string[]): number =>
  lines.findIndex((line) => {
    const own = listIn(line, /@relation\s*\(.*?\bfields\s*:\s*\[([^\]]*)\]/);
    return own !== undefined && sameList(own, fields);
  });

function changedLines(lines: readonly string[], change: DeclaredChange, text: string): string[] | undefined {
  const put = (at: number, line: string): string[] => lines.map((l, i) => (i === at ? line : l));
  switch (change.kind) {
    case 'not null': {
      const at = fieldAt(lines, change.property);
      if (at < 0) return undefined;
      const changed = put(at, required(lines[at] ?? ''));
      const relation = relationAt(lines, [change.property]);
      // SetNull on a column that cannot be NULL is no schema any more.
      if (relation >= 0) {
        if (/onDelete\s*:\s*SetNull/.test(lines[relation] ?? '')) return undefined;
        changed[relation] = required(lines[relation] ?? '');
      }
      return changed;
    }
    case 'index':
      return withAttribute(lines, `@@index([${change.properties.join(', ')}])`);
    case 'unique': {
      const attribute = `@@unique([${change.properties.join(', ')}])`;
      if (!change.instead) return withAttribute(lines, attribute);
      const whole = lines.findIndex((l) => {
        const own = listIn(l, /@@unique\s*\(\s*(?:fields\s*:\s*)?\[([^\]]*)\]/);
        return own !== undefined && sameList(own, change.instead ?? []);
      });
      if (whole >= 0)
        return put(
          whole,
          (lines[whole] ?? '')
            .replace(/\[[^\]]*\]/, `[${change.properties.join(', ')}]`)
            .replace(/,\s*map\s*:\s*"[^"]*"/, ''),
        );
      const [only, ...more] = change.instead;
      const at = only === undefined || more.length > 0 ? -1 : fieldAt(lines, only);
      const line = lines[at] ?? '';
      if (at < 0 || !/@unique\b/.test(line)) return undefined;
      return withAttribute(
        put(at, line.replace(/[ \t]*@unique\b(?:\s*\([^)]*\))?/, '').trimEnd() + (line.endsWith('\r') ? '\r' : '')),
        attribute,
      );
    }
    case 'reference': {
      const at = relationAt(lines, change.instead);
      const line = lines[at];
      // What is optional would set the tenant to NULL with it.
      if (line === undefined || fieldPattern.exec(line)?.[5] === '?' || /onDelete\s*:\s*SetNull/.test(line))
        return undefined;
      return put(
        at,
        line
          .replace(/(\bfields\s*:\s*)\[[^\]]*\]/, `$1[${change.properties.join(', ')}]`)
          .replace(/(\breferences\s*:\s*)\[[^\]]*\]/, `$1[${change.references.join(', ')}]`)
          .replace(/,\s*map\s*:\s*"[^"]*"/, ''),
      );
    }
    case 'restrict': {
      const at = relationAt(lines, change.properties);
      const line = lines[at];
      if (line === undefined) return undefined;
      if (/onDelete\s*:/.test(line)) return put(at, line.replace(/(onDelete\s*:\s*)\w+/, '$1Restrict'));
      return put(at, line.replace(/(@relation\s*\(.*)\)/, '$1, onDelete: Restrict)'));
    }
    case 'column': {
      const parent = blockOf(text, change.like.table);
      const own = parent && text.slice(parent.start, parent.end).split('\n');
      const line = own?.[fieldAt(own, change.like.property)];
      const last = lines.findLastIndex((l) => fieldPattern.test(l.trimEnd()) && !/@relation\b/.test(l));
      // A relation has two sides, and what the other one is called is for whoever reads it.
      if (line === undefined || last < 0 || own?.some((l) => /@relation\b/.test(l) && l.includes(change.like.property)))
        return undefined;
      const plain = required(line).replace(/[ \t]*@(?:unique|id|default)\b(?:\s*\((?:[^()]|\([^)]*\))*\))?/g, '');
      return [...lines.slice(0, last + 1), plain, ...lines.slice(last + 1)];
    }
  }
}

/** A field that is never NULL, its attributes where they were. */
const required = (line: string): string =>
  line.replace(
    fieldPattern,
    (_, indent: string, name: string, gap: string, type: string, optional: string | undefined, rest: string) =>
      optional === '?'
        ? `${indent}${name}${gap}${type}${rest.trim() === '' ? '' : ' '}${rest}`
        : `${indent}${name}${gap}${type}${optional ?? ''}${rest}`,
  );

/** One more attribute of the model, behind those of its kind, and in front of @@map. */
function withAttribute(lines: readonly string[], attribute: string): string[] | undefined {
  if (lines.some((l) => l.trim() === attribute)) return [...lines];
  const kind = /^@@\w+/.exec(attribute)?.[0] ?? '';
  const alike = lines.findLastIndex((l) => l.trim().startsWith(kind));
  const first = lines.findIndex((l) => /^\s*@@/.test(l));
  const field = lines.findLastIndex((l) => fieldPattern.test(l.trimEnd()));
  if (field < 0) return undefined;
  const sample = lines[alike >= 0 ? alike : first >= 0 ? first : field] ?? '';
  const end = sample.endsWith('\r') ? '\r' : '';
  const line = `${/^[ \t]*/.exec(sample)?.[0] ?? '  '}${attribute}${end}`;
  if (alike >= 0) return [...lines.slice(0, alike + 1), line, ...lines.slice(alike + 1)];
  if (first >= 0) return [...lines.slice(0, first), line, ...lines.slice(first)];
  return [...lines.slice(0, field + 1), end, line, ...lines.slice(field + 1)];
}
