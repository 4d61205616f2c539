import type { Predicate, SchemaFunction, Target, Value, ValueOf } from '@tenant-lint/model';
import type { PolicyLeak } from '../model.js';
import { identityOf, userControlled } from './identity.js';
import { prove } from './prove.js';
import type { ProofQuestion, World } from './question.js';
import { eachValue, isPredicate } from './walk.js';

type Tree = Predicate | Value;
/** What to put in the place of a part; undefined: the part stays. */
type Replace = (node: Tree) => Tree | undefined;

const allParts = ['metadata', 'client', 'email', 'pattern'] as const;

const nothing: Value = { kind: 'constant', value: null };

/**
 * The part of a leaking condition that lets the row through: the one without which it would isolate. Found by asking the same question
 * again with that part taken out, in the functions it calls as well.
 */
export function owedTo(question: ProofQuestion): PolicyLeak['owedTo'] {
  for (const kind of allParts) {
    let found = false;
    const replace: Replace = (node) => {
      const instead = withoutPart(kind, node);
      found ||= instead !== undefined;
      return instead;
    };
    if (!mentions(question, kind)) continue;
    const asked = rewritten(question, replace);
    // The functions are rewritten as they are asked for, so what was found is known afterwards.
    if (prove(asked).kind === 'isolated' && found) return kind;
  }
  return undefined;
}

/** Whether the condition, or a function that it calls, has such a part at all. */
function mentions({ predicate, world }: ProofQuestion, kind: NonNullable<PolicyLeak['owedTo']>): boolean {
  const seen = new Set<SchemaFunction>();
  const look = (tree: Tree): boolean => {
    const { parts, calls } = contentsOf(tree);
    if (parts.has(kind)) return true;
    return calls.some(({ function: name, to }) => {
      const f = world.function?.(name, to.length);
      if (!f?.body.known || seen.has(f)) return false;
      seen.add(f);
      return look(f.body.value);
    });
  };
  return look(predicate);
}

type Part = NonNullable<PolicyLeak['owedTo']>;

/** The parts that a condition or a body has itself, and what it calls. */
interface Contents {
  readonly parts: ReadonlySet<Part>;
  readonly calls: readonly ValueOf<'apply'>[];
}

const contents = new WeakMap<Tree, Contents>();

function contentsOf(tree: Tree): Contents {
  const known = contents.get(tree);
  if (known) return known;
  const parts = new Set<Part>();
  const calls: ValueOf<'apply'>[] = [];
  const look = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(look);
    if (node === null || typeof node !== 'object') return;
    if ('kind' in node && !('ref' in node)) {
      const inner = node as Tree;
      for (const part of allParts) if (!parts.has(part) && withoutPart(part, inner) !== undefined) parts.add(part);
      if (inner.kind === 'apply') calls.push(inner);
    }
    for (const [key, value] of Object.entries(node)) if (key !== 'span') look(value);
  };
  look(tree);
  const found = { parts, calls };
  contents.set(tree, found);
  return found;
}

function withoutPart(kind: NonNullable<PolicyLeak['owedTo']>, node: Tree): Tree | undefined {
  if (isPredicate(node)) {
    if (kind === 'pattern') return isPattern(node) ? { kind: 'never' } : undefined;
    return kind === 'email' && node.kind === 'compare' && [node.left, node.right].some(isPartOfEmail)
      ? { kind: 'never' }
      : undefined;
  }
  return kind !== 'pattern' && kind !== 'email' && userControlled(node) === kind ? nothing : undefined;
}

/** A comparison by pattern with something of the session: LIKE, SIMILAR TO, regular expressions, prefixes. */
function isPattern(p: Predicate): boolean {
  if (p.kind !== 'compare' || !/^(?:i?like|similar to|~\*?|\^@)$/.test(p.operator)) return false;
  let session = false;
  for (const side of [p.left, p.right])
    eachValue(side, (value) => {
      session ||= value.kind === 'setting' || value.kind === 'tenant' || identityOf(value) !== undefined;
    });
  return session;
}

/** A mail address, or what is made of one. */
function isPartOfEmail(value: Value): boolean {
  let found = false;
  eachValue(value, (inner) => {
    found ||= userControlled(inner) === 'email';
  });
  return found;
}

/** The function of the project without whose result the condition would isolate. */
export function through(question: ProofQuestion): SchemaFunction | undefined {
  const { world } = question;
  const called = new Set<SchemaFunction>();
  eachValue(question.predicate, (value) => {
    const f = value.kind === 'apply' ? world.function?.(value.function, value.to.length) : undefined;
    if (f?.body.known) called.add(f);
  });
  return [...called].find((f) => {
    const closed = withFunctions(world, (other) =>
      other === f ? { ...f, body: { known: true, value: nothing } } : other,
    );
    return prove({ ...question, world: closed }).kind === 'isolated';
  });
}

/** The same question with parts of it replaced, in the functions that it calls and the policies of tables it looks up as well. */
export function rewritten(question: ProofQuestion, replace: Replace): ProofQuestion {
  const world = withFunctions(question.world, (f) =>
    f.body.known ? { ...f, body: { known: true, value: rewrite(f.body.value, replace) } } : f,
  );
  const visible = (target: Target): Predicate | undefined => {
    const condition = question.world.rowSecurity?.(target);
    return condition && rewrite(condition, replace);
  };
  return { ...question, predicate: rewrite(question.predicate, replace), world: { ...world, rowSecurity: visible } };
}

/** The same world with other definitions of functions. */
function withFunctions(world: World, change: (f: SchemaFunction) => SchemaFunction): World {
  const changed = new Map<SchemaFunction, SchemaFunction>();
  return {
    tenancy: (target) => world.tenancy(target),
    column: (target, column) => world.column(target, column),
    function: (name, args) => {
      const f = world.function?.(name, args);
      if (!f) return undefined;
      let now = changed.get(f);
      if (!now) changed.set(f, (now = change(f)));
      return now;
    },
    columns: (target) => world.columns?.(target),
    bound: (f) => world.bound?.(f),
    rowSecurity: (target) => world.rowSecurity?.(target),
    classify: (value) => world.classify?.(value),
    ...(world.staff ? { staff: world.staff } : {}),
    ...(world.settings ? { settings: world.settings } : {}),
    ...(world.roles ? { roles: world.roles } : {}),
    ...(world.name ? { name: (target) => world.name!(target) } : {}),
  };
}

/** Replaces parts from the outside in; what is replaced is not looked into. */
function rewrite<T extends Tree>(tree: T, replace: Replace): T {
  return rewriteNode(tree, replace) as T;
}

function rewriteNode(node: unknown, replace: Replace): unknown {
  if (Array.isArray(node)) {
    const items = node.map((item: unknown) => rewriteNode(item, replace));
    return items.some((item, i) => item !== node[i]) ? items : (node as unknown[]);
  }
  if (node === null || typeof node !== 'object') return node;
  if ('kind' in node && !('ref' in node)) {
    const instead = replace(node as Tree);
    if (instead) return instead;
  }
  // What stays as it is is handed on, so that what is known of it by identity stays known.
  let copy: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(node)) {
    const now = key === 'span' || typeof value !== 'object' ? (value as unknown) : rewriteNode(value, replace);
    if (now !== value) (copy ??= { ...node })[key] = now;
  }
  return copy ?? node;
}
