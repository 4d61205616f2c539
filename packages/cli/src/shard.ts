import { summarize, type Report } from '@tenant-lint/engine';
import type { Shard } from './options.js';

/** The part of a report that falls to one of several shards, by file: merged again, the parts are the whole. */
export function shardOf(report: Report, { index, of }: Shard): Report {
  const mine = (file: string | undefined): boolean => isOfShard(file ?? '', { index, of });
  const findings = report.findings.filter((f) => mine(f.span?.file));
  const unchecked = report.unchecked.filter((u) => mine(u.file));
  return { ...report, findings, unchecked, summary: summarize(findings, unchecked) };
}

/** Whether a file falls to a shard. */
export const isOfShard = (file: string, { index, of }: Shard): boolean => bucket(file, of) === index - 1;

/** FNV-1a (Fowler, Noll, Vo), so that a file falls to the same shard wherever it is counted. */
function bucket(text: string, of: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash % of;
}
