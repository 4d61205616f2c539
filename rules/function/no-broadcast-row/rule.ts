import { defineRule } from '@tenant-lint/engine';
import type { Value } from '@tenant-lint/model';
import { definedAt, functionKey, functionName, isolatesAnything, triggersOf } from '../../lib/functions.js';
import { keyColumns } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-broadcast-row',
    group: 'function',
    summary: 'Disallow rows of tenants in notifications on a channel of all tenants',
    since: 'next',
    severity: 'info',
    recommended: false,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F13'],
    messages: {
      broadcast: {
        what: '{function} sends rows as notifications on the channel {channel}.',
        why: 'NOTIFY knows neither privileges nor row security: whoever listens on the channel gets the rows of all tenants.',
        fix: 'Send the id only, and let the listener read the row under its own tenant; or name the tenant in the channel.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!isolatesAnything(model)) return;
    const keys = new Set(triggersOf(model, f).flatMap(({ table }) => keyColumns(model.tenancyOf(table.id))));
    for (const query of f.queries) {
      for (const output of query.output ?? []) {
        if (!('value' in output) || output.value.kind !== 'apply' || !/(?:^|\.)pg_notify$/.test(output.value.function))
          continue;
        const [channel, payload] = output.value.to;
        if (channel?.kind !== 'constant' || !payload || !holdsRow(payload, keys)) continue;
        yield {
          message: 'broadcast',
          data: { function: functionName(f), channel: String(channel.value) },
          span: definedAt(f),
          related: [{ span: query.span, text: 'the notification' }],
          confidence: 'likely',
          key: `${functionKey(f)} ${String(channel.value)}`,
        };
        return;
      }
    }
  },
});

/** A whole row as JSON, or columns that are neither the id nor the tenant. */
function holdsRow(value: Value, keys: ReadonlySet<string>): boolean {
  if (value.kind === 'unknown') return /^variable (?:new|old)$/.test(value.reason);
  if (value.kind === 'column') return value.target !== undefined && value.column !== 'id' && !keys.has(value.column);
  if (value.kind === 'text') return value.parts.some((part) => 'hole' in part && holdsRow(part.hole, keys));
  return value.kind === 'apply' && value.to.some((inner) => holdsRow(inner, keys));
}
