import { Ajv } from 'ajv';
import type { Log } from 'sarif';
import { afterEach, describe, expect, it } from 'vitest';
import { app, leaking, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

/** What SARIF 2.1.0 says of the parts that we write, closed, so that a misspelt property is one that the schema does not know. */
const text = {
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: { text: { type: 'string', minLength: 1 } },
};
const closed = (required: readonly string[], properties: object): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const position = { type: 'integer', minimum: 1 };
const physicalLocation = closed(['artifactLocation'], {
  artifactLocation: closed(['uri'], {
    uri: { type: 'string', pattern: '^[^\\s\\\\]+$' },
    uriBaseId: { type: 'string' },
  }),
  region: closed(['startLine'], { startLine: position, startColumn: position, endLine: position, endColumn: position }),
});
const level = { enum: ['none', 'note', 'warning', 'error'] };
const bag = { type: 'object', properties: { tags: { type: 'array', uniqueItems: true, items: { type: 'string' } } } };
const location = closed([], {
  id: { type: 'integer', minimum: -1 },
  physicalLocation,
  message: text,
  logicalLocations: { type: 'array', items: closed([], { fullyQualifiedName: { type: 'string' } }) },
});
const sarif = closed(['version', 'runs', '$schema'], {
  $schema: { type: 'string' },
  version: { const: '2.1.0' },
  runs: {
    type: 'array',
    minItems: 1,
    items: closed(['tool', 'results'], {
      tool: closed(['driver'], {
        driver: closed(['name', 'rules'], {
          name: { const: 'tenant-lint' },
          version: { type: 'string' },
          semanticVersion: { type: 'string' },
          informationUri: { type: 'string' },
          rules: {
            type: 'array',
            uniqueItems: true,
            items: closed(['id', 'shortDescription', 'help'], {
              id: { type: 'string' },
              name: { type: 'string' },
              shortDescription: text,
              fullDescription: text,
              help: text,
              defaultConfiguration: closed([], { level, enabled: { type: 'boolean' } }),
              properties: bag,
            }),
          },
        }),
      }),
      columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
      invocations: {
        type: 'array',
        items: closed(['executionSuccessful'], {
          executionSuccessful: { type: 'boolean' },
          toolExecutionNotifications: {
            type: 'array',
            items: closed(['message'], { level, message: text, locations: { type: 'array', items: location } }),
          },
        }),
      },
      results: {
        type: 'array',
        items: closed(['ruleId', 'message', 'level', 'locations', 'partialFingerprints'], {
          ruleId: { type: 'string' },
          ruleIndex: { type: 'integer', minimum: 0 },
          level,
          message: text,
          locations: { type: 'array', minItems: 1, items: location },
          partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
          relatedLocations: { type: 'array', items: location },
          properties: bag,
          fixes: {
            type: 'array',
            items: closed(['artifactChanges'], {
              description: text,
              artifactChanges: {
                type: 'array',
                minItems: 1,
                items: closed(['artifactLocation', 'replacements'], {
                  artifactLocation: closed(['uri'], { uri: { type: 'string' }, uriBaseId: { type: 'string' } }),
                  replacements: {
                    type: 'array',
                    minItems: 1,
                    items: closed(['deletedRegion'], {
                      deletedRegion: closed(['charOffset'], {
                        charOffset: { type: 'integer', minimum: 0 },
                        charLength: { type: 'integer', minimum: 0 },
                      }),
                      insertedContent: closed([], { text: { type: 'string' } }),
                    }),
                  },
                }),
              },
            }),
          },
          baselineState: { enum: ['new', 'unchanged', 'updated', 'absent'] },
          suppressions: {
            type: 'array',
            items: closed(['kind'], { kind: { enum: ['inSource', 'external'] }, justification: { type: 'string' } }),
          },
        }),
      },
    }),
  },
});

async function logOf(files: Readonly<Record<string, string>>, ...args: string[]): Promise<Log> {
  const made = project(files);
  remove = made.remove;
  const { stdout, stderr } = await run(made.root, '--format', 'sarif', ...args);
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as Log;
}

describe('sarif', () => {
  it('is 2.1.0 in every part that is written', async () => {
    const log = await logOf({
      ...app,
      'src/with space/ü.ts': leaking,
      'src/accepted.ts': leaking.replace(
        '  return pool.query(',
        '  // tenant-lint-disable-next-line require-tenant-filter -- counts everything\n  return pool.query(',
      ),
      'migrations/002_bad.sql': 'create tabel x (id int);',
    });
    const valid = new Ajv({ allErrors: true }).compile(sarif);
    expect([valid(log), valid.errors]).toEqual([true, null]);
    const [run] = log.runs;
    const results = run?.results ?? [];
    expect(results.map((r) => r.locations?.[0]?.physicalLocation?.artifactLocation?.uri)).toEqual([
      'src/accepted.ts',
      'src/invoices.ts',
      'src/with%20space/%C3%BC.ts',
    ]);
    expect(results.map((r) => r.suppressions?.[0]?.justification)).toEqual(['counts everything', undefined, undefined]);
    const rules = run?.tool.driver.rules ?? [];
    expect(rules.length).toBeGreaterThan(5);
    for (const result of results) expect(rules.map((r) => r.id)).toContain(result.ruleId);
    expect(JSON.stringify(run?.invocations)).toContain('not checked: syntax');
  });

  it('carries the severity of the run', async () => {
    const log = await logOf(app, '--severity', 'require-tenant-filter=warning');
    expect(log.runs[0]?.results?.map((r) => r.level)).toEqual(['warning']);
    expect(
      log.runs[0]?.tool.driver.rules?.find((r) => r.id === 'require-tenant-filter')?.defaultConfiguration?.level,
    ).toBe('warning');
  });

  it('says that nothing was found', async () => {
    const log = await logOf({ 'migrations/001_init.sql': app['migrations/001_init.sql'] ?? '' });
    expect(log.runs[0]?.results).toEqual([]);
  });
});
