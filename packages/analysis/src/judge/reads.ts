import { constant, type Value } from '@tenant-lint/model';

/**
 * The values at any depth of `within` that read something named `name`: a property of that name (`input.orgId`), or a call that was told it
 * (`header('x-org')`, whose name is a constant). A name that an object is only given, `{ orgId: session.orgId }`, reads nothing of it.
 */
export function readsOf(within: unknown, name: string): readonly Value[] {
  const found: Value[] = [];
  collect(within, name, found);
  return found;
}

function collect(at: unknown, name: string, found: Value[]): void {
  if (Array.isArray(at)) {
    for (const item of at) collect(item, name, found);
    return;
  }
  if (typeof at !== 'object' || at === null) return;
  const value = at as { kind?: unknown; path?: unknown; value?: unknown; name?: unknown; arguments?: unknown };
  const isPath = Array.isArray(value.path) && value.path.includes(name);
  const isTold = value.kind === 'constant' && value.value === name;
  // A step without a call, `body.orgId.trim()`: of what it is read, the chain around it says.
  const isStep = value.kind === undefined && value.name === name && value.arguments === undefined;
  if (isPath || isTold) found.push(at as Value);
  else if (isStep) found.push(constant(name));
  for (const inner of Object.values(at)) if (typeof inner === 'object') collect(inner, name, found);
}
