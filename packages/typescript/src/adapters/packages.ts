/**
 * The package that an import specifier names, with the path inside it: Deno's `npm:pg@8.11`, `jsr:@scope/name@1`, and the addresses of
 * CDNs that serve packages (`https://esm.sh/postgres@3.4.4`) mean the same as the bare name.
 */
export function packageOf(specifier: string): string {
  const bare = specifier
    .replace(/^(?:npm|jsr):\/?/, '')
    .replace(/^https?:\/\/(?:esm\.sh|cdn\.skypack\.dev|esm\.run|cdn\.jsdelivr\.net\/npm|unpkg\.com)\/(?:v\d+\/)?/, '')
    .replace(/^https?:\/\/deno\.land\/x\/postgresjs(?:@[^/]*)?\/mod\.js$/, 'postgres')
    .replace(/^https?:\/\/deno\.land\/x\/postgres(?:@[^/]*)?\/mod\.ts$/, 'pg');
  if (bare === specifier && !/^@?[\w.-]+(?:\/[\w.-]+)?@/.test(specifier)) return specifier;
  return bare.replace(/[?#].*$/, '').replace(/^(@[^/@]+\/[^/@]+|[^/@]+)@[^/]*/, '$1');
}
