import { defineRule } from '@tenant-lint/engine';
import { definedAt, functionKey, functionName, isTriggerFunction } from '../../lib/functions.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-similarity-search',
    group: 'platform',
    summary: 'Require the tenant in functions that search rows by the similarity of vectors',
    since: 'next',
    severity: 'error',
    recommended: false,

    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z09'],
    messages: {
      similar: {
        what: '{function} searches {table} for similar rows of all tenants.',
        why: 'What is nearest to a question is returned whoever it belongs to, and ends up in an answer for somebody else.',
        fix: "Compare the tenant of {table} with the caller's in the condition, before the order.",
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (isTriggerFunction(f) || !f.parameters.some((p) => isVector(p.type))) return;
    const { leaks } = model.functionAccess(f);
    const leak = leaks.find(({ table, cause, target }) => {
      const found = model.schema.tables.get(table);
      const holdsVectors = [...(found?.columns.values() ?? [])].some((c) => isVector(c.type));
      return cause === 'unbound' && target.operation === 'read' && holdsVectors;
    });
    if (!leak) return;
    yield {
      message: 'similar',
      data: { function: functionName(f), table: tableName(leak.table) },
      span: definedAt(f),
      related: [{ span: leak.access.span, text: 'the search' }],
      confidence: leak.confidence,
      table: leak.table,
      key: functionKey(f),
      cause: `function ${functionKey(f)}`,
    };
  },
});

/** Types of pgvector, and arrays that stand for them. */
const isVector = (type: string): boolean => /(?:^|\.)(?:vector|halfvec|sparsevec|bit)(?:\(\d+\))?$/.test(type);
