import type { Span, Value } from '@tenant-lint/model';
import type { Run } from './run.js';

/** Runs the SQL file that a value is read from: `fs.readFileSync(path.join(__dirname, 'x.sql'))`. False if the value is none. */
export function runFile(value: Value | undefined, run: Run, span: Span): boolean {
  const found = run.value(value);
  if (found.kind !== 'global' || found.name !== '@file') return false;
  const path = found.path[0] ?? '';
  const folder = run.facts.file.split('/').slice(0, -1);
  const facts =
    run.context.facts(normalized([...folder, ...path.split('/')])) ?? run.context.facts(normalized(path.split('/')));
  if (!facts?.sql) {
    run.script.unknown(`the file ${path} was not found`, span);
    return true;
  }
  run.script.include(facts.schema, facts.queries, facts.sql.statements);
  run.script.included.push(facts.file);
  return true;
}

function normalized(parts: readonly string[]): string {
  const out: string[] = [];
  for (const p of parts) {
    if (p === '' || p === '.') continue;
    if (p === '..') out.pop();
    else out.push(p);
  }
  return out.join('/');
}
