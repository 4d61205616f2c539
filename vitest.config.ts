import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const packages = ['model', 'analysis', 'sql', 'typescript', 'engine', 'workspace', 'prove', 'rule-tester'];

export default defineConfig({
  resolve: {
    // Tests run on the sources, so that they never pass on a stale build.
    alias: [
      { find: '@tenant-lint/workspace/config', replacement: folder('packages/workspace/src/config.ts') },
      ...packages.map((name) => ({
        find: `@tenant-lint/${name}`,
        replacement: folder(`packages/${name}/src/index.ts`),
      })),
      { find: '@tenant-lint/rules', replacement: folder('rules/index.ts') },
      { find: /^tenant-lint$/, replacement: folder('packages/cli/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'rules/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
