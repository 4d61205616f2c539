import { createHash } from 'node:crypto';
import type { Report } from '@tenant-lint/engine';
import { pageData } from './data.js';
import type { ProjectMap } from './map.js';
import { script } from './script.js';
import { style } from './style.js';

/**
 * One file that needs neither a server nor a network: a map of the tables by isolation, what accesses rest on by folder, findings with code
 * and trail. The data is JSON that no markup can end, the script the only one that may run (Content Security Policy, by its hash).
 */
export function htmlReport(report: Report, textOf: (file: string) => string | undefined, map?: ProjectMap): string {
  const json = JSON.stringify(pageData(report, textOf, map))
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  const hash = createHash('sha256').update(script).digest('base64');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'">
<title>tenant-lint</title>
<style>${style}</style>
</head>
<body>
<header><h1>tenant-lint</h1><span id="summary" class="dim"></span><button id="theme" type="button">Dark or light</button></header>
<section id="map">
<h2>Tables by isolation</h2>
<ul id="tables" class="tables"></ul>
<h2>What accesses rest on</h2>
<table class="modules"><tbody id="modules"></tbody></table>
</section>
<section id="findings">
<h2>Findings</h2>
<form id="filters" role="search">
<input id="search" type="search" placeholder="file, table, rule" aria-label="Search findings">
<select id="rule" aria-label="Rule"><option value="">all rules</option></select>
<label><input id="error" type="checkbox" checked> errors</label>
<label><input id="warning" type="checkbox" checked> warnings</label>
<label><input id="info" type="checkbox" checked> info</label>
<label><input id="possible" type="checkbox"> possible</label>
<label><input id="accepted" type="checkbox"> suppressed, in the baseline</label>
<span id="count" role="status"></span>
<span class="dim"><kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> next, last <kbd>Enter</kbd> open</span>
</form>
<div id="list"></div>
<p id="end" class="dim"></p>
</section>
<section id="not-checked"><h2>Not checked</h2><ul id="unchecked"></ul></section>
<script type="application/json" id="data">${json}</script>
<script>${script}</script>
</body>
</html>
`;
}
