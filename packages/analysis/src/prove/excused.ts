import type { Policy, Predicate, Table, Value } from '@tenant-lint/model';
import type { Command, PolicyLeak } from '../model.js';
import { rewritten } from './blame.js';
import { policiesFor, type RoleView } from './compose.js';
import { identityOf } from './identity.js';
import { prove } from './prove.js';
import type { ProofQuestion } from './question.js';
import { bareOf } from './staff.js';
import { eachValue, isPredicate } from './walk.js';

/**
 * Why a row of another tenant that gets through may be meant to: it names the caller, or its owner published it. Found by asking the same
 * question again, with rows that name the caller taken for the caller's own, and with the conditions on publication taken out.
 */
export function excuseOf(question: ProofQuestion, command: Command): PolicyLeak['excuse'] {
  const named: ProofQuestion = { ...question, named: true };
  if (prove(named).kind === 'isolated') return 'named';
  if (command !== 'select' || !saysPublished(question.predicate)) return undefined;
  const closed = rewritten(named, (node) => (isPredicate(node) && isPublication(node) ? { kind: 'never' } : undefined));
  return prove(closed).kind === 'isolated' ? 'published' : undefined;
}

/** Columns and states by which whoever owns a row shows it to others. Not 'active', which every row in use is. */
const publication =
  /^(?:is_)?(?:public|published|shared|listed|publicly|public[ao]|publicad[ao])(?:_|$)|^(?:visibility|visible_to_public|sharing|share|shared)(?:_|$)|_(?:is_public|public|published|sharing|visibility)$/;
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

function publishes(column: Value, operator: string, value: unknown): boolean {
  if (operator === '=' && typeof value === 'string' && states.test(value.toLowerCase())) return true;
  return isPublicationColumn(column) && (operator === '=' ? value !== false : /^(?:<>|!=)$/.test(operator));
}

const isPublicationColumn = (value: Value): boolean => publication.test(nameOf(value) ?? '');

function saysPublished(predicate: Predicate): boolean {
  let found = false;
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
