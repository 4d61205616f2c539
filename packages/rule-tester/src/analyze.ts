import type { Model } from '@tenant-lint/analysis';
import { buildModel, memorySource, settingsOf } from '@tenant-lint/workspace';

/** The model of a project whose files are given as texts by path, without configuration. */
export const analyze = (files: Readonly<Record<string, string>>): Model =>
  buildModel(memorySource(files), { settings: settingsOf({}) }).model;
