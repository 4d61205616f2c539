import type { Model } from '@tenant-lint/analysis';
import type { Table } from '@tenant-lint/model';
import { tableNamed } from './schema.js';

/**
 * Whether a policy of the table calls a SECURITY DEFINER function that reads the table: the way to avoid recursion. It works only as long
 * as the function's owner is not bound by the policy, so FORCE would make every query of the table fail.
 */
export function readThroughDefiner(model: Model, table: Table): boolean {
  const text = JSON.stringify(table.policies.flatMap((p) => [p.using ?? null, p.check ?? null]));
  return [...model.schema.functions.values()].flat().some((f) => {
    if (!f.securityDefiner) return false;
    const called = [f.name.name, `${f.name.schema ?? 'public'}.${f.name.name}`].some((name) =>
      text.includes(`"function":${JSON.stringify(name)}`),
    );
    return (
      called &&
      f.queries.some((query) =>
        query.targets.some((t) => t.table.known && tableNamed(model, t.table.value)?.id === table.id),
      )
    );
  });
}
