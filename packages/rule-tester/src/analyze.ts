import type { Model } from '@tenant-lint/analysis';
import { buildModel, memorySource, settingsOf, type Config } from '@tenant-lint/workspace';

const configuration = 'tenant-lint.config.json';

/** The model of a project whose files are given as texts by path; one called tenant-lint.config.json is its configuration. */
export const analyze = (files: Readonly<Record<string, string>>): Model =>
  buildModel(memorySource(files), { settings: settingsOf(JSON.parse(files[configuration] ?? '{}') as Config) }).model;
