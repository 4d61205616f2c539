import { defineRule } from '@tenant-lint/engine';
import type { LostAttribute, SchemaFunction } from '@tenant-lint/model';
import { functionKey, functionName, isolatesAnything, isPolicyHelper, touchesTenants } from '../../lib/functions.js';

export default defineRule({
  meta: {
    id: 'no-lost-function-attribute',
    group: 'function',
    summary: "Disallow that a function over tenants' rows loses what an earlier migration had given it",
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F05', 'M11'],
    messages: {
      definer: {
        what: 'CREATE OR REPLACE left out SECURITY DEFINER, so {function} runs with the rights of its caller now.',
        why: 'What it looked up past row security it does not find any more: policies and checks that rest on it answer differently.',
        fix: 'Repeat SECURITY DEFINER, or say SECURITY INVOKER where that is meant.',
      },
      path: {
        what: '{function} has lost its search_path ({value}).',
        why: 'Its names are looked up where the caller wants, and it runs with the rights of its owner.',
        fix: 'Repeat SET search_path = {value}: CREATE OR REPLACE keeps no settings.',
      },
      elevated: {
        what: '{function} runs with the rights of its owner from here on.',
        why: 'Row security held for its callers before, and does not hold for the owner.',
        fix: 'Leave it SECURITY INVOKER, or compare the tenant in each of its statements.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!f.lost?.length || !isolatesAnything(model)) return;
    const touches = isPolicyHelper(model, f) || touchesTenants(model, f);
    if (touches === false) return;
    for (const lost of f.lost) {
      const message = messageFor(f, lost);
      if (message === undefined) continue;
      yield {
        message,
        data: { function: functionName(f), value: shownPath(lost.value) },
        span: lost.by,
        related: [{ span: lost.had, text: 'it had it here' }],
        confidence: touches ? 'certain' : 'possible',
        key: `${functionKey(f)} ${lost.what}`,
        ...(lost.what === 'search_path' ? { cause: `search path ${functionKey(f)}` } : {}),
      };
    }
  },
});

/** An ALTER that makes a function SECURITY INVOKER says so; leaving the words out of a replacement does not. */
function messageFor(f: SchemaFunction, { what, how }: LostAttribute): 'definer' | 'path' | 'elevated' | undefined {
  if (what === 'security definer') return how === 'replace' ? 'definer' : undefined;
  if (what === 'security invoker') return how === 'alter' ? 'elevated' : undefined;
  return what === 'search_path' && f.securityDefiner ? 'path' : undefined;
}

const shownPath = (value: string | undefined): string => (value === undefined || value === '' ? "''" : value);
