import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Model } from '@tenant-lint/analysis';
import type { Span } from '@tenant-lint/model';
import { rules } from '@tenant-lint/rules';
import { analyze, parseCases } from '@tenant-lint/rule-tester';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A small project, its files by path. */
export interface Project {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A condition in code that an access rests on: without it, rows of other tenants would be found. */
export interface Condition {
  readonly project: Project;
  readonly library: string;
  readonly method: string;
  /** Where the condition stands, and where the access does. */
  readonly at: Span;
  readonly access: Span;
  /** The function that holds the access. */
  readonly within: Span;
}

/** The projects of the cases of all rules that judge code, and the safe systems. */
export function projects(): Project[] {
  const cases = rules
    .filter(({ meta }) => meta.hosts.length > 1 || meta.hosts[0] !== 'sql')
    .flatMap(({ meta }) =>
      parseCases(readFileSync(join(root, 'rules', meta.group, meta.id, 'cases.md'), 'utf8')).map((one) => ({
        name: `${meta.id}: ${one.title}`,
        files: one.files,
      })),
    );
  const systems = join(root, 'fixtures/systems');
  const safe = readdirSync(systems).flatMap((system) => {
    const folder = join(systems, system, 'safe');
    return existsSync(folder) ? [{ name: `${system}: safe`, files: filesBelow(folder) }] : [];
  });
  return [...cases, ...safe];
}

/** The conditions of a project that an access to a tenant's rows is isolated by, each once. */
export function conditionsOf(project: Project, model: Model = analyze(project.files)): Condition[] {
  const found = new Map<string, Condition>();
  for (const access of model.accesses) {
    if (access.chain === undefined || access.operation === 'create') continue;
    for (const target of access.targets) {
      const verdict = model.verdict(access, target);
      if (verdict.kind !== 'isolated' || (verdict.evidence !== 'isolated' && verdict.evidence !== 'unverified'))
        continue;
      // Where two conditions each say whose the row is, either may go.
      const [span, other] = verdict.because.flatMap((b) => b.span ?? []);
      if (!span || other || !/\.[cm]?[jt]sx?$/.test(span.file)) continue;
      const { library, method } = access;
      const one = { project, library, method, at: span, access: access.span, within: access.in?.span ?? access.span };
      found.set(`${access.id} ${span.file} ${span.start} ${span.end}`, one);
    }
  }
  return [...found.values()];
}

function filesBelow(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[path.slice(folder.length + 1).replaceAll('\\', '/')] = readFileSync(path, 'utf8');
  }
  return files;
}
