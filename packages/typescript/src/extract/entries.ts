import type { Value } from '@tenant-lint/model';
import type { Extraction } from './state.js';
export function markEntryPoints(_x: Extraction, _bindings: Readonly<Record<string, Value>>): void {}
