import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '@tenant-lint/engine';
import { htmlReport } from '../src/report/html/page.js';
import { app, project, run } from './support/project.js';

let remove: () => void = () => undefined;
afterEach(() => remove());

async function pageOf(files: Readonly<Record<string, string>>): Promise<string> {
  const made = project(files);
  remove = made.remove;
  return (await run(made.root, '--format', 'html')).stdout;
}

const hostile = '</script><img src=x onerror="document.title=1">';

describe('the text of the page', () => {
  it('holds nothing that a project says outside its data, and loads nothing', async () => {
    const html = await pageOf({ ...app, [`migrations/${hostile.replaceAll('/', '')}.sql`]: 'create tabel x;\n' });
    expect(html).not.toContain('<img');
    expect(html.match(/<script/g)).toHaveLength(2);
    const markup = html.replace(/<script type="application\/json"[^]*?<\/script>/, '');
    expect(markup).not.toMatch(/(?:src|href)=|url\(|@import/);
    expect(html).toMatch(/default-src 'none'/);
  });

  it('is the same each time', async () => {
    expect(await pageOf(app)).toBe(await pageOf(app));
  });
});

/** Where Debian's package puts it; elsewhere CHROMIUM says where. */
const browserPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const without = existsSync(browserPath) ? '' : ` (skipped: no browser at ${browserPath})`;

describe.skipIf(without !== '')(`the page in a browser${without}`, () => {
  let browser: Browser;
  const folder = mkdtempSync(path.join(tmpdir(), 'tenant-lint-html-'));
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function shown(html: string): Promise<Page> {
    const file = path.join(folder, 'report.html');
    writeFileSync(file, html);
    const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1100, height: 900 } });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(pathToFileURL(file).href);
    expect(errors).toEqual([]);
    return page;
  }

  it('shows tables, findings with code and trail, and what was not checked', async () => {
    const page = await shown(await pageOf({ ...app, 'migrations/002.sql': 'create tabel x (id int);\n' }));
    expect(await page.locator('#tables button').count()).toBeGreaterThan(1);
    expect(await page.locator('#tables button').first().innerText()).toMatch(/invoices\s+reported/);
    expect(await page.locator('#list .finding').count()).toBe(1);
    await page.locator('#list summary').click();
    expect(await page.locator('#list pre .hit').first().innerText()).toMatch(/6 /);
    expect(await page.locator('#unchecked li').innerText()).toContain('migrations/002.sql');
    await page.close();
  });

  it('filters by text, severity and rule', async () => {
    const page = await shown(htmlReport(manyFindings(300), () => 'one\ntwo\n'));
    expect(await page.locator('#count').innerText()).toBe('300 findings');
    await page.fill('#search', 'src/7.ts');
    expect(await page.locator('#count').innerText()).toBe('1 finding');
    await page.fill('#search', '');
    await page.uncheck('#error');
    expect(await page.locator('#count').innerText()).toBe('150 findings');
    await page.selectOption('#rule', 'rule-1');
    expect(await page.locator('#list .finding').allInnerTexts()).not.toContainEqual(expect.stringContaining('rule-2'));
    await page.close();
  });

  it('is usable by keyboard', async () => {
    const page = await shown(htmlReport(manyFindings(5), () => 'one\ntwo\n'));
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    expect(await page.locator('#list details').nth(1).getAttribute('open')).toBe('');
    await page.keyboard.press('k');
    expect(await page.evaluate('document.activeElement.textContent')).toContain('src/0.ts');
    await page.keyboard.press('/');
    expect(await page.evaluate('document.activeElement.id')).toBe('search');
    await page.close();
  });

  it('has two themes', async () => {
    const page = await shown(htmlReport(manyFindings(1), () => ''));
    const background = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await background()).toBe('rgb(255, 255, 255)');
    await page.click('#theme');
    expect(await background()).toBe('rgb(13, 17, 23)');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.click('#theme');
    expect(await background()).toBe('rgb(255, 255, 255)');
    await page.close();
  });

  it('answers at once with 5,000 findings', async () => {
    const page = await shown(htmlReport(manyFindings(5_000), () => 'one\ntwo\n'));
    const took = (await page.evaluate(`(() => {
      const before = performance.now();
      const search = document.getElementById('search');
      search.value = 'rule-3';
      search.dispatchEvent(new Event('input', { bubbles: true }));
      document.body.offsetHeight;
      return performance.now() - before;
    })()`)) as number;
    expect(took).toBeLessThan(1_000);
    expect(await page.locator('#list .finding').count()).toBeLessThanOrEqual(200);
    await page.close();
  });

  it('shows what a stranger wrote and obeys none of it', async () => {
    const report = manyFindings(1);
    const [finding] = report.findings;
    const page = await shown(
      htmlReport(
        { ...report, findings: [{ ...finding!, text: { what: hostile, why: hostile, fix: hostile } }] },
        () => hostile,
      ),
    );
    await page.locator('#list summary').click();
    expect(await page.locator('#list img').count()).toBe(0);
    expect(await page.locator('#list').innerText()).toContain(hostile);
    expect(await page.title()).toBe('tenant-lint');
    await page.close();
  });
});

/** A report of so many findings, half of them errors, of ten rules. */
function manyFindings(count: number): Report {
  const findings = Array.from({ length: count }, (_, i) => ({
    rule: `rule-${i % 10}`,
    message: 'm',
    severity: i % 2 === 0 ? ('error' as const) : ('warning' as const),
    confidence: 'certain' as const,
    text: { what: `what ${i}`, why: 'why', fix: 'fix' },
    span: { file: `src/${i}.ts`, start: 0, end: 3 },
    related: [],
    fingerprint: String(i),
    fixes: [],
    suppressed: false,
    baselined: false,
  }));
  return {
    findings,
    unchecked: [],
    model: { tables: 1, keyed: 1, accesses: count, evidence: {} },
    summary: { error: count / 2, warning: count / 2, info: 0, suppressed: 0, baselined: 0, unchecked: 0 },
    rules: [],
    unmet: [],
    libraries: [],
    hiddenPossible: 0,
    lineStarts: Object.fromEntries(findings.map((f) => [f.span.file, [0, 4]])),
  };
}
