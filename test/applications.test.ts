import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { positionAt } from '@tenant-lint/model';
import { runRules } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { buildModel, folderSource, settingsOf } from '@tenant-lint/workspace';
import { describe, expect, it } from 'vitest';

/**
 * Small applications, one for a library and a framework each, without any configuration. A line that shows rows of another tenant says so at its
 * end, `// error: rule-id`; one that does and is not seen yet, `// not seen: rule-id`. Nothing else may be reported.
 */
const folder = fileURLToPath(new URL('../fixtures/applications/', import.meta.url));
const applications = readdirSync(folder).sort();
const marker = /(?:\/\/|--) ((?:(?:error|warning): [\w-]+(?:, )?)+|not seen: [\w-]+)$/;

const filesIn = (at: string): string[] =>
  readdirSync(at, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? filesIn(join(at, e.name)) : [join(at, e.name)],
  );

interface Marked {
  readonly reported: readonly string[];
  readonly notSeen: readonly string[];
}

function markedIn(root: string): Marked {
  const reported: string[] = [];
  const notSeen: string[] = [];
  for (const path of filesIn(root)) {
    readFileSync(path, 'utf8')
      .split('\n')
      .forEach((line, i) => {
        const what = marker.exec(line)?.[1];
        if (what === undefined) return;
        const place = `${relative(root, path).replaceAll('\\', '/')}:${i + 1}`;
        if (what.startsWith('not seen: ')) notSeen.push(`${place} ${what.slice('not seen: '.length)}`);
        else for (const one of what.split(', ')) reported.push(`${place} ${one}`);
      });
  }
  return { reported: reported.sort(), notSeen: notSeen.sort() };
}

function reportedIn(root: string): string[] {
  const { model } = buildModel(folderSource(root), { settings: settingsOf({}) });
  expect(model.tenancy.refused).toBeUndefined();
  const { findings, lineStarts } = runRules(model, rules, {});
  const shown = findings.filter((f) => f.confidence !== 'possible');
  const places = shown.map(({ rule, severity, span }) => {
    const line = span === undefined ? 0 : positionAt(lineStarts[span.file] ?? [0], span.start).line;
    return `${span?.file ?? ''}:${line} ${severity}: ${rule}`;
  });
  return [...new Set(places)].sort();
}

describe('applications', () => {
  it.each(applications)('%s', (name) => {
    const root = join(folder, name);
    const { reported, notSeen } = markedIn(root);
    expect(reported.length).toBeGreaterThan(0);
    const found = reportedIn(root);
    expect(found).toEqual(reported);
    // What is seen after all must not stay on the list of what is not.
    const seen = notSeen.filter((one) => found.some((f) => f.replace(/ (?:error|warning): /, ' ') === one));
    expect(seen).toEqual([]);
  });
});
