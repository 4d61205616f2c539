import type { CallChain, FileFacts, LinkContext, SchemaEvent, Span, Value } from '@tenant-lint/model';
import { readColumns } from './declare-columns.js';
import { readExtras } from './declare-extras.js';
import { readRelations, readRelationsObject } from './declare-relations.js';
import { declaredTable, bindingOf } from './declared.js';
import { callOf, functionCall, viewFunctions } from './names.js';

/** Tables, views and relations that a file declares. A table that is not bound to a name has no alias; whatever is computed is left out. */
export function declarations(facts: FileFacts, context: LinkContext): readonly SchemaEvent[] {
  const events: SchemaEvent[] = [];
  for (const chain of facts.chains) {
    const { span } = chain;
    if (!mayDeclare(chain)) continue;
    const table = declaredTable(chain, context);
    if (table) {
      const columns = readColumns(table, context);
      const extras = readExtras(table, columns, context);
      const binding = bindingOf(chain, context);
      events.push(
        event(
          {
            do: 'create table',
            table: table.name,
            aliases: binding ? [{ by: 'binding', file: facts.file, name: binding }] : [],
            columns: columns.map((c) => c.definition),
            constraints: [...columns.flatMap((c) => c.constraints), ...extras.constraints],
            indexes: extras.indexes,
            relations: [],
            ifNotExists: false,
            temporary: false,
            inherits: [],
            like: [],
          },
          span,
        ),
      );
      if (extras.rowSecurity)
        events.push(event({ do: 'row security', table: table.name, enabled: true }, extras.rowSecurity));
      for (const policy of extras.policies)
        events.push(event({ do: 'create policy', table: table.name, policy: policy.definition }, policy.span));
      continue;
    }
    const call = callOf(chain);
    const f = functionCall(call, context);
    if (!f) continue;
    if (f.name === 'relations') {
      const found = readRelations(f, context);
      if (found) events.push(event({ do: 'add relations', ...found }, span));
    } else if (f.name === 'defineRelations' || f.name === 'defineRelationsPart') {
      for (const found of readRelationsObject(f, context)) events.push(event({ do: 'add relations', ...found }, span));
    } else if (viewFunctions.has(f.name) && f.arguments[0]?.kind === 'constant') {
      events.push(
        event(
          {
            do: 'create view',
            view: { name: String(f.arguments[0].value) },
            materialized: f.name === 'pgMaterializedView',
            replace: false,
            options: viewOptions(f.rest.find((s) => s.name === 'with')?.arguments?.[0]),
            columns: [],
            query: { known: false, reason: 'a view declared in code' },
          },
          span,
        ),
      );
    }
  }
  return events;
}

/** The call of an imported or declared function, or of `schema.table(...)`: the cheap test before anything is resolved. */
function mayDeclare(chain: CallChain): boolean {
  const { receiver, steps } = chain;
  const first = steps.find((s) => s.arguments !== undefined);
  if (!first || !['import', 'binding', 'result'].includes(receiver.kind)) return false;
  return (
    first.name === '' ||
    first.name === 'table' ||
    first.name === 'withRLS' ||
    (receiver.kind === 'import' && receiver.name === '*')
  );
}

const event = (action: SchemaEvent['action'], span: Span): SchemaEvent => ({ action, span, direction: 'up' });

/** `with({ securityInvoker: true })` as the options that SQL names. */
function viewOptions(value: Value | undefined): Record<string, string> {
  const options: Record<string, string> = {};
  if (value?.kind !== 'object') return options;
  for (const entry of value.entries) {
    if (!('set' in entry) || entry.value.kind !== 'constant') continue;
    options[entry.set.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)] = String(entry.value.value);
  }
  return options;
}
