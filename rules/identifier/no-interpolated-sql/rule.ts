import type { LinkedAccess, Model, Origin } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import {
  sameValue,
  spanContains,
  type Confidence,
  type Interpolation,
  type Related,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { functionPath } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-interpolated-sql',
    group: 'identifier',
    summary: 'Disallow values that become part of SQL text instead of bind parameters',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['code'],
    catalogue: ['C-69', 'C-77', 'C-79'],
    messages: {
      value: {
        what: 'A value in "{around}" is put into the statement as plain text.',
        why: 'Whoever controls that text can end the condition on the tenant and read or change any row.',
        fix: 'Hand it over as a bind parameter.',
      },
      fragment: {
        what: 'A part of the statement "{around}" is plain text that the program does not fix.',
        why: 'An expression in its place can look into rows of other tenants by a sub-query.',
        fix: 'Choose it from a list of expressions that the program states, or quote it as one identifier.',
      },
    },
  },
  subject: 'access',
  *check(access, model) {
    const told = toldBefore(access, model);
    for (const part of access.interpolations ?? []) {
      const found = judged(part, access, model);
      if (!found) continue;
      // One statement, one finding, however many parts it has; a text that differs from path to path says the same thing of the same part.
      if (told.has(placeKey(part))) return;
      yield {
        message: found.message,
        data: { around: part.around },
        ...placeOf(part.span, access, model),
        confidence: found.confidence,
        key: [access.file, functionPath(model, access), `${access.library}.${access.method}`, part.around].join(' '),
        cause: `interpolation ${access.id}`,
      };
      return;
    }
  },
});

const placeKey = (part: Interpolation): string => `${part.span.file} ${part.span.start} ${part.span.end}`;

/** The parts of which the other texts that the same call sends, on another path to it, speak first. */
function toldBefore(access: LinkedAccess, model: Model): ReadonlySet<string> {
  const told = new Set<string>();
  if (access.chain === undefined || !access.interpolations?.length) return told;
  for (const other of model.accesses) {
    if (other.id === access.id) break;
    if (other.chain !== access.chain) continue;
    const first = other.interpolations?.find((part) => judged(part, other, model));
    if (first) told.add(placeKey(first));
  }
  return told;
}

/** The part itself where it stands in the call; what is made elsewhere is named beside the call. */
function placeOf(
  part: Span,
  access: LinkedAccess,
  model: Model,
): { readonly span: Span; readonly related: readonly Related[] } {
  const call = model.files.get(access.file)?.chains.find((c) => c.id === access.chain)?.span ?? access.span;
  return spanContains(call, part)
    ? { span: part, related: [{ span: access.span, text: 'the statement that it becomes part of' }] }
    : { span: access.span, related: [{ span: part, text: 'this becomes part of the statement' }] };
}

function judged(
  part: Interpolation,
  access: LinkedAccess,
  model: Model,
): { readonly message: 'value' | 'fragment'; readonly confidence: Confidence } | undefined {
  if (part.quoted || part.position === 'schema' || part.position === 'identifier') return undefined;
  // SET takes no parameters, and names of schemas are another rule's business.
  if (/^\s*set\s/i.test(part.around) || isNumber(part.value, model)) return undefined;
  const origin = model.originOf(part.value);
  if (origin === 'fixed' || origin === 'trusted') return undefined;
  const confidence = isListed(part.value, access, model)
    ? 'possible'
    : confidenceOf(part, origin, isHanded(part.value, model));
  return { message: part.position === 'value' ? 'value' : 'fragment', confidence };
}

/** The request decides: certain. A parameter is as good as its callers, which nobody knows; of a whole condition they may have built it safely. */
function confidenceOf(part: Interpolation, origin: Origin, handed: boolean): Confidence {
  if (origin === 'input') return 'certain';
  return handed && part.position === 'value' ? 'likely' : 'possible';
}

/** Whether the function asks before whether a list has the value; what it does with the answer is not looked into. */
const isListed = (value: Value, access: LinkedAccess, model: Model): boolean =>
  (model.files.get(access.file)?.chains ?? []).some((chain) => {
    const last = chain.steps.at(-1);
    return (
      chain.function === access.function &&
      chain.span.end <= access.span.end &&
      (last?.name === 'includes' || last?.name === 'has') &&
      last.arguments?.some((argument) => sameValue(argument, value)) === true
    );
  });

const isHanded = (value: Value, model: Model): boolean => {
  if (value.kind === 'missing-able' || value.kind === 'element') return isHanded(value.of, model);
  return value.kind === 'parameter';
};

/** A number holds no SQL: what a parameter is declared to be, or a function makes of a text. */
function isNumber(value: Value, model: Model): boolean {
  switch (value.kind) {
    case 'missing-able':
      return isNumber(value.of, model);
    case 'constant':
      return typeof value.value === 'number' || typeof value.value === 'boolean';
    case 'choice':
      return value.of.every((v) => isNumber(v, model));
    case 'apply':
      if (value.function === '??' || value.function === '||') return value.to.every((v) => isNumber(v, model));
      return /^(?:[-*/%]|\*\*)$/.test(value.function);
    case 'parameter': {
      const facts = model.files.get(value.function.slice(0, value.function.lastIndexOf('#')));
      const type = facts?.functions.find((f) => f.id === value.function)?.parameters[value.index]?.type;
      const own =
        value.path.length === 0 ? type : value.path.length === 1 ? type?.properties?.[value.path[0]!] : undefined;
      return own !== undefined && /^(?:number|bigint|boolean)(?: \| (?:undefined|null))*$/.test(own.text);
    }
    case 'result': {
      if (value.path.length > 0) return false;
      const facts = model.files.get(value.chain.slice(0, value.chain.lastIndexOf('#')));
      const chain = facts?.chains.find((c) => c.id === value.chain);
      if (chain?.receiver.kind !== 'global') return false;
      const name = [chain.receiver.name, ...chain.receiver.path, ...chain.steps.map((s) => s.name)].join('.');
      return /^(?:Number|parseInt|parseFloat|BigInt|Math|Date\.now)\b/.test(name);
    }
    default:
      return false;
  }
}
