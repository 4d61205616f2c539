import {
  equal,
  type Policy,
  type Predicate,
  type Query,
  type Table,
  type Target,
  type Value,
} from '@tenant-lint/model';
import type { Command, PolicyLeak } from '../model.js';
import { rewritten } from './blame.js';
import { policiesFor, type RoleView } from './compose.js';
import { identityOf } from './identity.js';
import { prove } from './prove.js';
import type { ProofQuestion } from './question.js';
import { bareOf, callersRow, partsOf } from './staff.js';
import { eachValue, isPredicate, targetsIn } from './walk.js';

/**
 * Why a row of another tenant that gets through may be meant to: it names the caller, or its owner published it. Found by asking the same
 * question again, with rows that name the caller taken for the caller's own, and with the conditions on publication taken out.
 */
export function excuseOf(question: ProofQuestion, command: Command): PolicyLeak['excuse'] {
  const named = rewritten({ ...question, named: true }, (node) => (isPredicate(node) ? byPerson(node) : undefined));
  if (prove(named).kind === 'isolated') return 'named';
  if (command !== 'select') return undefined;
  if (isPublicationTable(question.target)) return 'published';
  if (!saysPublished(question.predicate)) return undefined;
  const closed = rewritten(named, (node) => (isPredicate(node) && isPublication(node) ? { kind: 'never' } : undefined));
  return prove(closed).kind === 'isolated' ? 'published' : undefined;
}

/**
 * `author_id IN (SELECT id FROM people WHERE user_id = auth.uid())`, and the same as EXISTS: a row of the caller's own stands for him, and the row in
 * question names that one.
 */
function byPerson(p: Predicate): Predicate | undefined {
  if (p.kind === 'in-query' && p.left.length === 1) {
    const [left] = p.left;
    const [output] = p.query.output;
    const person = isCallers(p.query) && output !== undefined && isKeyOf(output, p.query);
    return left && person && isOwn(left) ? equal(left, caller) : undefined;
  }
  if (p.kind !== 'exists' || !isCallers(p.query)) return undefined;
  for (const part of partsOf(p.query.condition)) {
    if (part.kind !== 'compare' || part.operator !== '=') continue;
    const own = [part.left, part.right].find(isOwn);
    if (own && [part.left, part.right].some((side) => isKeyOf(side, p.query))) return equal(own, caller);
  }
  return undefined;
}

const caller: Value = { kind: 'apply', function: 'auth.uid', to: [] };

const isOwn = (value: Value): boolean => {
  const inner = bareOf(value);
  return inner.kind === 'column' && inner.target === 'self';
};

/** A look-up in one table, of the row that names the caller. */
const isCallers = (query: Query): boolean =>
  query.targets.length === 1 && !query.arms?.length && callersRow(query) !== undefined;

/** The column by which others refer to the looked-up row. */
function isKeyOf(value: Value, query: Query): boolean {
  const inner = bareOf(value);
  return inner.kind === 'column' && inner.column === 'id' && inner.target === query.targets[0]?.ref;
}

/** Columns and states by which whoever owns a row shows it to others, or by which it is meant for all. Not 'active', which every row in use is. */
const publication =
  /^(?:is_)?(?:public|published|shared|listed|publicly|public[ao]|publicad[ao])(?:_|$)|^is_(?:system|global|built_?in|predefined|template)(?:_|$)|^(?:visibility|visible_to_public|sharing|share)(?:_|$)|_(?:is_public|public|published|sharing|visibility)$/;
const states = /^(?:public|published|shared|listed|unlisted|anyone|everyone|public[ao]|publicad[ao])$/;

const nameOf = (value: Value): string | undefined => {
  const inner = bareOf(value);
  return inner.kind === 'column' ? inner.column.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase() : undefined;
};

/** A column of publication compared with a literal, a column whose state is one of publication, a link for sharing that is there. */
function isPublication(p: Predicate): boolean {
  switch (p.kind) {
    case 'value':
      return isPublicationColumn(p.of);
    case 'exists':
    case 'in-query':
      return p.query.targets.some(isPublicationTable);
    case 'is':
      return p.test === true && isPublication(p.of);
    case 'not':
      return p.of.kind === 'null' && isPublicationColumn(p.of.of);
    case 'compare': {
      const constant = [p.left, p.right].map(bareOf).find((v) => v.kind === 'constant');
      const column = [p.left, p.right].find((v) => nameOf(v) !== undefined);
      return constant?.kind === 'constant' && column !== undefined && publishes(column, p.operator, constant.value);
    }
    case 'in':
      return p.right.every((item) => {
        const value = bareOf(item);
        return value.kind === 'constant' && publishes(p.left, '=', value.value);
      });
    default:
      return false;
  }
}

/** A table of what is published, `public_shares`: a row there says so of another one. */
const isPublicationTable = ({ table }: Target): boolean =>
  table.known && /^(?:public|published)_/.test(table.value.name.toLowerCase());

function publishes(column: Value, operator: string, value: unknown): boolean {
  if (operator === '=' && typeof value === 'string' && states.test(value.toLowerCase())) return true;
  return isPublicationColumn(column) && (operator === '=' ? value !== false : /^(?:<>|!=)$/.test(operator));
}

const isPublicationColumn = (value: Value): boolean => publication.test(nameOf(value) ?? '');

function saysPublished(predicate: Predicate): boolean {
  let found = targetsIn(predicate).some(isPublicationTable);
  eachValue(predicate, (value) => {
    // A function may look the parent up, and ask whether that is published.
    found ||=
      isPublicationColumn(value) ||
      value.kind === 'apply' ||
      (value.kind === 'constant' && typeof value.value === 'string' && states.test(value.value.toLowerCase()));
  });
  return found;
}

/**
 * Whether whoever may read a row of a table is named by it, by every policy for reading: then a row that somebody writes for another tenant is seen by
 * nobody there.
 */
export function isPersonal(table: Table, role: RoleView): boolean {
  const { permissive } = policiesFor(table, 'select', role);
  return permissive.length > 0 && permissive.every((policy) => showsOwnOnly(policy));
}

const showsOwnOnly = ({ using }: Policy): boolean => using === undefined || requiresCaller(using);

function requiresCaller(p: Predicate): boolean {
  switch (p.kind) {
    case 'and':
      return p.of.some((part) => requiresCaller(part));
    case 'or':
      return p.of.every((part) => requiresCaller(part));
    case 'compare': {
      if (p.operator !== '=') return false;
      const sides = [p.left, p.right].map(bareOf);
      return (
        sides.some((v) => identityOf(v) === 'caller') && sides.some((v) => v.kind === 'column' && v.target === 'self')
      );
    }
    case 'never':
      return true;
    default:
      return false;
  }
}
