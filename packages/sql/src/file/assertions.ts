import type { Access, Asserted, Value } from '@tenant-lint/model';
import { lowerEmbedded } from '../lower/embedded.js';

/** Assertions of pgTAP that may be handed the name of a prepared statement. https://pgtap.org/documentation.html */
const takesPrepared = /^(?:throws|lives|performs|results|set|bag|row|is_empty|isnt_empty)(?:_|$)/;

/** The SQL text that statements of a test hand to functions. Whose text is neither SQL nor may name a prepared statement is none. */
export function assertedIn(queries: readonly Access[]): Asserted[] {
  return queries.flatMap((query) =>
    (query.output ?? []).flatMap((column) => ('value' in column ? (asserted(query, column.value) ?? []) : [])),
  );
}

function asserted(query: Access, value: Value): Asserted | undefined {
  if (value.kind !== 'apply') return undefined;
  const [text, ...others] = value.to;
  if (text?.kind !== 'constant' || typeof text.value !== 'string') return undefined;
  const name = value.function.slice(value.function.lastIndexOf('.') + 1);
  const accesses = runBy(query, text.value);
  if (accesses.length === 0 && !(takesPrepared.test(name) && /^\w+$/.test(text.value.trim()))) return undefined;
  const expects = others.flatMap((other) => (bare(other).kind === 'constant' ? [constantOf(bare(other))] : []));
  return { name, accesses, expects, span: query.span };
}

/** Texts are cast where functions of one name take different types: `'42501'::char(5)`. */
const bare = (value: Value): Value =>
  value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0] ? bare(value.to[0]) : value;

const constantOf = (value: Value): string | number | boolean | null => (value.kind === 'constant' ? value.value : null);

/** What a text does when it is run; nothing where it is no SQL, or reaches no table. Places are those of the whole statement. */
function runBy(query: Access, text: string): readonly Access[] {
  if (!/\s/.test(text.trim())) return [];
  const { accesses } = lowerEmbedded({
    file: query.span.file,
    text,
    idPrefix: `${query.id}/asserted`,
    library: 'sql',
    span: query.span,
    position: () => query.span.start,
  });
  return accesses.filter((access) => access.targets.length > 0);
}
