import type { CallChain, ChainId, Client, FileFacts, LowerContext, Lowered, Value } from '@tenant-lint/model';
import { traceSteps, type ClientKinds } from '../client-trace.js';
import { accessesOf } from '../finish.js';
import { expandMarked } from '../markers.js';
import { lowerSqlText } from '../sql-text.js';
import { expandHole, partsOf, templateIn, templateOf, type Template } from './fragments.js';

/** Methods that run a statement. */
const methods = new Set([
  ...['any', 'anyFirst', 'exists', 'many', 'manyFirst', 'maybeOne', 'maybeOneFirst', 'one', 'oneFirst', 'query'],
  ...['stream', 'copyFromBinary'],
]);

const typeWord = /^(?:Promise<)?(?:DatabasePool|CommonQueryMethods|DatabaseConnection|DatabasePoolConnection)\b/;

const kinds: ClientKinds<Client['kind']> = {
  typed: ({ text }) =>
    /^DatabaseTransactionConnection\b/.test(text) ? 'transaction' : typeWord.test(text) ? 'plain' : undefined,
  called: (module, name) => (module === 'slonik' && name === 'createPool' ? 'plain' : undefined),
  handed: (client, name) => (name === 'transaction' ? 'transaction' : name === 'connect' ? client : undefined),
};

/** Lowers a statement where a pool or connection runs it, or where it is made, if that is not seen. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const own = templateOf(chain, context);
  if (own) {
    if (own.tag === 'fragment' || isRun(chain, context)) return 'no access';
    return run(own, chain, { receiver: chain.receiver, kind: 'unknown' }, 'sql', context);
  }
  const at = chain.steps.findIndex((s) => s.arguments && methods.has(s.name));
  const step = chain.steps[at];
  const [first] = step?.arguments ?? [];
  if (!step || !first) return 'not mine';
  const found = templateIn(first, context);
  const kind = traceSteps(chain.receiver, chain.steps.slice(0, at), kinds, context);
  if (!found) return kind ? { unknown: 'the statement is made elsewhere', span: step.span } : 'not mine';
  return run(found.template, chain, { receiver: chain.receiver, kind: kind ?? 'unknown' }, step.name, context);
}

function run(template: Template, chain: CallChain, client: Client, method: string, context: LowerContext): Lowered {
  const text: Value = { kind: 'text', parts: partsOf(template), span: template.step.span };
  const lowered = lowerSqlText(text, undefined, {
    file: chain.span.file,
    library: 'slonik',
    id: chain.id,
    span: chain.span,
    context,
    holes: 'bind',
    expand: (hole) => expandMarked(hole) ?? expandHole(hole, context),
  });
  return accessesOf(lowered, chain, method, client);
}

const runIn = new WeakMap<FileFacts, ReadonlySet<ChainId>>();

/** Whether a call of the file runs a template, or another template holds it. */
function isRun(chain: CallChain, context: LowerContext): boolean {
  const facts = context.facts(chain.span.file);
  if (!facts) return false;
  let found = runIn.get(facts);
  if (!found) {
    const all = new Set<ChainId>();
    for (const other of facts.chains) {
      for (const step of other.steps) {
        const values = step.template
          ? (step.arguments ?? []).flatMap((a) =>
              a.kind === 'text' ? a.parts.flatMap((p) => ('hole' in p ? [p.hole] : [])) : [],
            )
          : methods.has(step.name)
            ? (step.arguments ?? [])
            : [];
        for (const value of values) {
          const inner = templateIn(value, context);
          if (inner) all.add(inner.chain.id);
        }
      }
    }
    runIn.set(facts, (found = all));
  }
  return found.has(chain.id);
}
