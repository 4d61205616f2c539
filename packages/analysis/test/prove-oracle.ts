import type { Predicate, Value } from '@tenant-lint/model';
import type { Concrete } from './prove-generate.js';

type Truth = boolean | null;
type Scope = Concrete & { readonly m?: Concrete['members'][number] };

/** SQL's meaning of a generated condition in one concrete world, written down as plainly as possible and sharing nothing with the prover. */
export function holds(p: Predicate, s: Scope): Truth {
  switch (p.kind) {
    case 'and': {
      const all = p.of.map((q) => holds(q, s));
      return all.includes(false) ? false : all.includes(null) ? null : true;
    }
    case 'or': {
      const all = p.of.map((q) => holds(q, s));
      return all.includes(true) ? true : all.includes(null) ? null : false;
    }
    case 'not':
      return not(holds(p.of, s));
    case 'is':
      return holds(p.of, s) === p.test;
    case 'case': {
      for (const [when, then] of p.of) if (holds(when, s) === true) return holds(then, s);
      return holds(p.otherwise, s);
    }
    case 'compare':
      return compared(p.operator, valueOf(p.left, s), valueOf(p.right, s));
    case 'null':
      return valueOf(p.of, s) === null;
    case 'in': {
      const left = valueOf(p.left, s);
      const all = p.right.map((r) => compared('=', left, valueOf(r, s)));
      return all.includes(true) ? true : all.includes(null) ? null : false;
    }
    case 'value':
      return valueOf(p.of, s) as Truth;
    case 'exists':
      return s.members.some((m) => holds(p.query.condition, { ...s, m }) === true);
    case 'in-query': {
      const left = valueOf(p.left[0]!, s);
      const rows = s.members.filter((m) => holds(p.query.condition, { ...s, m }) === true);
      const all = rows.map((m) => compared('=', left, valueOf(p.query.output[0]!, { ...s, m })));
      return all.includes(true) ? true : all.includes(null) ? null : false;
    }
    default:
      throw new Error(`the generator makes no ${p.kind}`);
  }
}

const not = (t: Truth): Truth => (t === null ? null : !t);

function valueOf(v: Value, s: Scope): string | boolean | null {
  switch (v.kind) {
    case 'column':
      return (v.target === 'm' ? s.m : s)![v.column as 'tenant_id'];
    case 'setting':
      return v.name === 'app.tenant_id' ? s.own : s.free;
    case 'constant':
      return v.value === null ? null : String(v.value);
    case 'apply': {
      if (v.function === 'auth.uid') return 'me';
      const of = v.to.map((x) => valueOf(x, s));
      if (v.function === 'coalesce') return of.find((x) => x !== null) ?? null;
      if (v.function === 'nullif') return of[0] === of[1] ? null : of[0]!;
      return of.includes(null) ? null : of.join('');
    }
    default:
      throw new Error(`the generator makes no ${v.kind}`);
  }
}

function compared(operator: string, a: string | boolean | null, b: string | boolean | null): Truth {
  if (operator === 'is not distinct from') return a === b;
  if (operator === 'is distinct from') return a !== b;
  if (a === null || b === null) return null;
  switch (operator) {
    case '=':
      return a === b;
    case '<>':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case 'like': {
      const [text, pattern] = [String(a), String(b)];
      const literal = pattern.replaceAll('%', '');
      if (pattern === literal) return text === literal;
      if (pattern.startsWith('%') && pattern.endsWith('%')) return text.includes(literal);
      return pattern.startsWith('%') ? text.endsWith(literal) : text.startsWith(literal);
    }
    default:
      throw new Error(`the generator makes no ${operator}`);
  }
}
