import type { Built } from '@tenant-lint/workspace';

/**
 * Where a run spent its time, a line for each phase, and the peak of its memory. What came before the first phase is the runtime and the
 * modules. `rules`: milliseconds since the program was linked. `given`: how many files had their facts from folders that the caller named.
 */
export function timing({ times, counted }: Built, rules: number, given?: number): string {
  const { remembered, elsewhere, parsed, found, read } = counted;
  const start = performance.now() - rules - Object.values(times).reduce((sum, time) => sum + time, 0);
  const rows: [string, number, string][] = [
    ['start', start, ''],
    ['list', times.list, `${found} files`],
    ['read', times.read, `${read} files`],
    ['choose', times.choose, `${parsed} files`],
    [
      'extract',
      times.extract,
      [
        ...(given === undefined ? [] : [`${given} from --facts`]),
        `${remembered - (given ?? 0)} from the cache`,
        `${elsewhere} by other threads`,
      ].join(', '),
    ],
    ['link', times.link, ''],
    ...(times.types === undefined
      ? []
      : [['types', times.types, 'asked, and linked again'] as [string, number, string]]),
    ['rules', rules, ''],
  ];
  const lines = rows.map(([name, time, what]) =>
    `${name.padEnd(8)}${String(Math.round(time)).padStart(6)} ms  ${what}`.trimEnd(),
  );
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  return `${lines.join('\n')}\npeak memory ${peak} MB\n`;
}
