import type { Model, Origin } from '@tenant-lint/analysis';
import { defineRule, servingAccesses } from '@tenant-lint/engine';
import type { Confidence, Interpolation, Span, Value } from '@tenant-lint/model';
import { functionPath } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-dynamic-schema-name',
    group: 'identifier',
    summary: 'Disallow schema, table and database names that are made of unchecked text',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    catalogue: ['C-70', 'C-71', 'C-72', 'C-73', 'C-74', 'C-75', 'C-78', 'F12'],
    messages: {
      unquoted: {
        what: 'The {name} in "{around}" is put into the statement as plain text.',
        why: "Whoever controls that text names another tenant's {name}, or runs SQL of their own.",
        fix: 'Quote it as one identifier (escapeIdentifier, sql.identifier, %I) and take it from a list of known tenants.',
      },
      untrusted: {
        what: 'The {name} in "{around}" is quoted, but it is {source}.',
        why: 'Quoting prevents injection, yet the request still chooses whose {name} is used.',
        fix: 'Derive it from the verified tenant of the session, or look it up among the tenants that the user belongs to.',
      },
      value: {
        what: 'The value in "{around}" is put into a dynamic statement as plain text.',
        why: 'The function runs with the rights of its owner, past row security, and whoever calls it writes a part of the statement.',
        fix: 'Hand the value over by EXECUTE ... USING, or quote it by %L.',
      },
      setting: {
        what: 'The value in "{around}" is put into a SET statement as plain text.',
        why: 'Whoever controls that text sets another tenant, or runs SQL of their own.',
        fix: "Use set_config('name', $1, true) with a bind parameter instead of SET.",
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const seen = new Set<string>();
    for (const { part, span, key, definer } of partsOf(model)) {
      const origin = model.originOf(part.value);
      const message = messageFor(part, origin, definer === true);
      if (message === undefined) continue;
      const data = {
        name: part.position === 'schema' ? 'schema name' : 'name',
        around: part.around,
        source: sourceOf(part.value) ?? 'a value of the request',
      };
      // A text that differs from path to path is an access for each path, and says the same thing of the same part.
      const same = JSON.stringify([message, data, span]);
      if (seen.has(same)) continue;
      seen.add(same);
      yield {
        message,
        data,
        span,
        confidence: confidenceOf(part, origin),
        related: [{ span: part.span, text: 'this becomes part of the statement' }],
        key: `${key} ${part.around}`,
      };
    }
  },
});

interface Part {
  readonly part: Interpolation;
  readonly span: Span;
  readonly key: string;
  /** It becomes part of what a function does with the rights of its owner. */
  readonly definer?: boolean;
}

/** What becomes part of a statement: in code and query files, and in the dynamic statements of functions. */
function* partsOf(model: Model): Iterable<Part> {
  for (const access of servingAccesses(model)) {
    const key = [access.file, functionPath(model, access), `${access.library}.${access.method}`].join(' ');
    for (const part of access.interpolations ?? []) yield { part, span: access.span, key };
  }
  for (const declared of [...model.schema.functions.values()].flat()) {
    const key = `function ${declared.name.schema ?? 'public'}.${declared.name.name}`;
    for (const query of declared.queries) {
      for (const part of query.interpolations ?? [])
        yield { part, span: declared.origin.created, key, definer: declared.securityDefiner };
    }
  }
}

function messageFor(
  part: Interpolation,
  origin: Origin,
  definer: boolean,
): 'unquoted' | 'untrusted' | 'setting' | 'value' | undefined {
  if (origin === 'fixed') return undefined;
  if (part.position === 'value') {
    if (part.quoted) return undefined;
    if (isSet(part.around)) return 'setting';
    // In code this is the business of no-interpolated-sql. In a function only what its caller hands over is.
    return definer && holdsParameter(part.value) ? 'value' : undefined;
  }
  if (part.position !== 'schema' && part.position !== 'identifier') return undefined;
  if (!part.quoted) return 'unquoted';
  return origin === 'input' ? 'untrusted' : undefined;
}

/**
 * What the request says is certain, and what a caller from elsewhere hands over likely. Where nobody knows who decides, the name of a schema is
 * a tenant's more often than not, the name of a table or a database the program's own.
 */
function confidenceOf(part: Interpolation, origin: Origin): Confidence {
  if (origin === 'input') return 'certain';
  const namesSchema = part.position !== 'identifier' || /\bschema\b|\bsearch_path\b/i.test(part.around);
  return origin === 'handed' || part.value.kind === 'placeholder' || namesSchema ? 'likely' : 'possible';
}

// SET takes no bind parameters, so code is tempted to concatenate. Only settings that carry a tenant matter: custom ones (with a dot), the
// search path, the role. UPDATE ... SET does take parameters and is no business of this rule.
const isSet = (around: string): boolean =>
  /^\s*set\s+(?:local\s+|session\s+)?(?:[\w]+\.[\w.]+|search_path|role)\s*(?:=|to)/i.test(around);

/** Whether a parameter becomes part of the text as it is: quote_literal() and numbers are safe. */
function holdsParameter(value: Value): boolean {
  switch (value.kind) {
    case 'placeholder':
    case 'parameter':
      return true;
    case 'text':
      return value.parts.some((part) => 'hole' in part && holdsParameter(part.hole));
    case 'choice':
      return value.of.some(holdsParameter);
    case 'missing-able':
      return holdsParameter(value.of);
    case 'apply':
      return /^(?:\|\||concat|coalesce|lower|upper|trim|btrim|format|cast:(?:text|varchar.*))$/.test(value.function)
        ? value.to.some(holdsParameter)
        : false;
    default:
      return false;
  }
}

/** The request data in a value, in words. */
function sourceOf(value: Value): string | undefined {
  switch (value.kind) {
    case 'input':
      return [value.source, ...value.path].join('.');
    case 'choice':
      return first(value.of);
    case 'text':
      return first(value.parts.flatMap((p) => ('hole' in p ? [p.hole] : [])));
    case 'missing-able':
    case 'element':
      return sourceOf(value.of);
    case 'apply':
      return first(value.to);
    default:
      return undefined;
  }
}

const first = (values: readonly Value[]): string | undefined => values.map(sourceOf).find((s) => s !== undefined);
