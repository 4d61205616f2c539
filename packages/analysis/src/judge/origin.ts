import type { Reason, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { Origin } from '../model.js';
import type { Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import type { Ground } from './ground.js';

/** Who decides what a value is; the worst of its sources. */
export function originOf(value: Value, ground: Ground): Origin {
  const parts = partsOf(value).filter((part) => !isFixed(part, ground));
  if (parts.length === 0) return 'fixed';
  const kinds = new Set(parts.flatMap((part) => ground.sourcesOf(part).map((s) => s.kind)));
  if (kinds.has('input')) return 'input';
  if ((kinds.has('parameter') || kinds.has('unknown')) && parts.every((part) => isMatched(part, ground.program, 3)))
    return 'fixed';
  const handed = parts.filter((part) => ground.sourcesOf(part).some((s) => s.kind === 'parameter'));
  if (handed.some((part) => !isOfObject(part, ground))) return 'handed';
  if (handed.length > 0) return 'unknown';
  if (kinds.has('unknown')) return 'unknown';
  return kinds.has('row') || kinds.has('trusted') ? 'trusted' : 'fixed';
}

/** What the program decides by itself: made when a module was loaded, or picked from a list of constants. */
function isFixed(value: Value, ground: Ground): boolean {
  const { program } = ground;
  if (program.isModuleState(value) || isOfClosedType(value, program, 8)) return true;
  const own = stripped(value);
  if (own.kind !== 'result' || own.path[0] !== '*') return false;
  // `Object.keys(data).filter((key) => ['name', 'url'].includes(key))`
  const last = program.chain(own.chain)?.steps.at(-1);
  const test = last?.name === 'filter' ? last.arguments?.[0] : undefined;
  const returns = test?.kind === 'function' ? (program.function(test.function)?.returns ?? []) : [];
  return returns.length > 0 && returns.every((r) => isOneOfConstants(r.value, program));
}

/**
 * What an object says that a function was handed, or what it was made with: `source.getRepository(Report).metadata.tableName`, `this.table`.
 * Whoever calls hands over the object.
 */
function isOfObject(value: Value, ground: Ground): boolean {
  const { program } = ground;
  const own = stripped(value);
  const chain = own.kind === 'result' ? program.chain(own.chain) : undefined;
  const called = chain?.steps.filter((s) => s.arguments !== undefined) ?? [];
  if (own.kind === 'result' && own.path.length > 0 && called.length > 0 && !program.calleeOf(chain!)) return true;
  return ground.sourcesOf(own).every((s) => {
    const file = s.kind === 'parameter' ? program.function(s.function)?.span.file : undefined;
    const facts = file === undefined ? undefined : program.facts(file);
    return s.kind !== 'parameter' || facts?.classes.some((c) => c.construct === s.function) === true;
  });
}

/** Types whose values cannot be any text: numbers, and one of some texts. */
const closed =
  /^\s*(?:\|\s*)?(?:number|bigint|boolean|null|undefined|"[^"]*"|'[^']*')(?:\s*\|\s*(?:number|bigint|boolean|null|undefined|"[^"]*"|'[^']*'))*\s*$/;
const forms: ReadonlySet<string> = new Set(['toUpperCase', 'toLowerCase', 'trim', 'toString']);

/** What the declared type of a parameter lets be no other text than the program fixes, in whatever form. */
function isOfClosedType(value: Value, program: Program, depth: number): boolean {
  const own = stripped(value);
  if (depth <= 0) return false;
  const again = (v: Value): boolean => isOfClosedType(v, program, depth - 1);
  if (own.kind === 'constant') return true;
  if (own.kind === 'text') return own.parts.every((part) => 'text' in part || again(part.hole));
  if (own.kind === 'choice') return own.of.every(again);
  if (own.kind === 'apply' && (own.function === '??' || own.function === '||')) return own.to.every(again);
  if (own.kind === 'parameter') return closed.test(program.typeOf(own)?.text ?? '');
  const chain = own.kind === 'result' && own.path.length === 0 ? program.chain(own.chain) : undefined;
  const callee = chain && program.calleeOf(chain);
  const returns = callee && !callee.wrapped ? (program.function(callee.function)?.returns ?? []) : [];
  if (returns.length > 0) return returns.every((r) => again(r.value));
  const [only, more] = chain?.steps.filter((s) => s.arguments !== undefined) ?? [];
  return (
    chain !== undefined && only !== undefined && more === undefined && forms.has(only.name) && again(chain.receiver)
  );
}

/** What comes out of a function that goes on only with text of a certain form: `if (!/^\w+$/.test(name)) throw`. */
function isMatched(value: Value, program: Program, depth: number): boolean {
  const own = stripped(value);
  const chain = own.kind === 'result' && own.path.length === 0 ? program.chain(own.chain) : undefined;
  const f = program.function(chain === undefined || depth <= 0 ? '' : (program.calleeOf(chain)?.function ?? ''));
  if (!f || f.returns.length === 0) return false;
  const isTest = (condition: Value): boolean => {
    const tested = stripped(condition);
    if (tested.kind === 'apply') return tested.to.some(isTest);
    const call = tested.kind === 'result' ? program.chain(tested.chain) : undefined;
    return call?.steps.at(-1)?.name === 'test' && call.steps.at(-1)?.arguments?.length === 1;
  };
  const refuses = f.blocks.some((b) => b.because === 'exit' && b.holds !== undefined && isTest(b.holds));
  return refuses || f.returns.every((r) => isMatched(r.value, program, depth - 1));
}

/** The values that a text is put together from. */
function partsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'text':
      return value.parts.flatMap((part) => ('hole' in part ? partsOf(part.hole) : []));
    case 'list':
      return value.of.flatMap((item) => partsOf(item.value));
    case 'choice':
      return value.of.flatMap(partsOf);
    case 'missing-able':
      return partsOf(value.of);
    default:
      return [value];
  }
}

/** `['name', 'url'].includes(key)`, alone or with more. */
function isOneOfConstants(condition: Value, program: Program): boolean {
  const own = stripped(condition);
  if (own.kind === 'apply') return own.function === '&&' && own.to.some((part) => isOneOfConstants(part, program));
  const chain = own.kind === 'result' ? program.chain(own.chain) : undefined;
  const [only, more] = chain?.steps ?? [];
  const list = chain && program.resolve(chain.receiver);
  return (
    only?.name === 'includes' &&
    more === undefined &&
    list?.kind === 'list' &&
    list.of.every((item) => item.value.kind === 'constant' && !item.spread)
  );
}

/** Where a value comes from, in words; undefined where neither the request nor a parameter supplies it. */
export function sourceReason(sources: readonly Provenance[], program: Program): Reason | undefined {
  const input = sources.find((s) => s.kind === 'input');
  if (input)
    return { text: `${input.what} of the request`, ...(input.via[0]?.span ? { span: input.via[0].span } : {}) };
  const parameter = sources.find((s) => s.kind === 'parameter');
  if (!parameter) return undefined;
  const f = program.function(parameter.function);
  return { text: `parameter ${parameter.name}${f?.name ? ` of ${f.name}` : ''}`, ...(f ? { span: f.span } : {}) };
}
