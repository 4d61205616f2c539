import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Related, SchemaFunction } from '@tenant-lint/model';
import {
  callersOf,
  definedAt,
  functionKey,
  functionName,
  grantedByName,
  isMaintenance,
  isMeantForAdministration,
  isolatesAnything,
  leaksOf,
} from '../../lib/functions.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-public-definer',
    group: 'function',
    summary: 'Disallow that everybody may call a SECURITY DEFINER function that is not for everybody',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['F03', 'F04'],
    messages: {
      maintenance: {
        what: 'Everybody may call {function}, which works on {tables} of all tenants with the rights of its owner.',
        why: 'A new function may be called by PUBLIC unless that is revoked, so every tenant can start it.',
        fix: 'Run REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC in the same migration.',
      },
      granted: {
        what: '{function} is granted to {roles}, and PUBLIC may call it as before.',
        why: 'It reaches {tables} of all tenants with the rights of its owner, and a grant to one role takes nothing from the others.',
        fix: 'Run REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC in the same migration.',
      },
      restored: {
        what: '{function} was dropped and created again, so PUBLIC may call it, although that had been revoked.',
        why: 'Privileges are lost with the function that is dropped; it runs with the rights of its owner for whoever calls it.',
        fix: 'Use CREATE OR REPLACE FUNCTION, or run REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC again.',
      },
    },
  },
  subject: 'function',
  *check(f, model) {
    if (!f.securityDefiner || !isolatesAnything(model)) return;
    const everybody = f.execute?.granted.some((g) => g.role === 'public') === true;
    if (!everybody || callersOf(model, f).length === 0) return;
    const found = problemOf(model, f);
    if (!found) return;
    yield {
      message: found.message,
      data: { function: functionName(f), tables: found.tables, roles: grantedByName(f).join(', ') },
      // What restored the privilege is the CREATE after the DROP; a later replacement keeps what is there.
      span: found.message === 'restored' ? f.origin.created : definedAt(f),
      related: found.related ?? [],
      confidence: 'certain',
      key: functionKey(f),
      ...(found.message === 'restored' ? {} : { cause: `function ${functionKey(f)}` }),
    };
  },
});

interface Problem {
  readonly message: 'maintenance' | 'granted' | 'restored';
  readonly tables: string;
  readonly related?: readonly Related[];
}

function problemOf(model: Model, f: SchemaFunction): Problem | undefined {
  const leaks = leaksOf(model, f);
  const tables = [...new Set(leaks.map((l) => tableName(l.table)))].join(', ');
  const dropped = f.execute?.dropped;
  if (dropped) {
    const related = [
      { span: dropped.revoked, text: 'EXECUTE was revoked here' },
      { span: dropped.span, text: 'the function was dropped here' },
    ];
    return { message: 'restored', tables, related };
  }
  if (leaks.length === 0) return undefined;
  if (isMeantForAdministration(model, f)) return { message: 'granted', tables };
  return isMaintenance(f) && leaks.some((l) => l.cause === 'unbound') ? { message: 'maintenance', tables } : undefined;
}
