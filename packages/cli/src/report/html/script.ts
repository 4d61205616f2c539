/**
 * The script of the page. It makes every element by itself and sets texts as texts: nothing that a project says is ever read as HTML. Findings
 * are made a hundred at a time, when the end of the list comes into view.
 */
export const script = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const make = (name, attributes = {}, ...inside) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) key === 'class' ? (element.className = value) : element.setAttribute(key, value);
  element.append(...inside);
  return element;
};
const words = { leaks: 'reported', unknown: 'undecided', database: 'held by the database', application: 'held by the application',
  untouched: 'no access seen', shared: 'shared by all', unowned: 'owner not known' };
const order = ['leaks', 'unknown', 'unowned', 'application', 'database', 'untouched', 'shared'];
const colours = { none: 'leaks', negated: 'leaks', vanishing: 'leaks', unknown: 'unknown', unverified: 'unowned', isolated: 'database',
  derived: 'database', guarded: 'application', contextual: 'application', intended: 'shared' };
const listed = (counts) => Object.entries(counts).map(([kind, n]) => kind + ' ' + n).join(', ');

function tables() {
  if (!data.map) return byId('map').remove();
  const sorted = [...data.map.tables].sort((a, b) => order.indexOf(a.isolation) - order.indexOf(b.isolation));
  for (const table of sorted) {
    const button = make('button', { type: 'button', style: '--of: var(--' + table.isolation + ')', title: table.why + ' (' + table.place + ')' },
      table.id, make('small', {}, words[table.isolation] + (Object.keys(table.evidence).length ? ' — ' + listed(table.evidence) : '')));
    button.addEventListener('click', () => { byId('search').value = table.id.replace(/^.*\\./, ''); show(); byId('findings').scrollIntoView(); byId('search').focus(); });
    byId('tables').append(make('li', {}, button));
  }
  for (const { folder, evidence } of data.map.modules) {
    const all = Object.values(evidence).reduce((a, b) => a + b, 0);
    const bar = make('div', { class: 'bar', 'aria-hidden': 'true' });
    for (const [kind, n] of Object.entries(evidence)) bar.append(make('span', { style: 'flex: ' + n + '; background: var(--' + colours[kind] + ')' }));
    byId('modules').append(make('tr', {}, make('th', { scope: 'row' }, make('code', {}, folder)), make('td', {}, String(all)), make('td', {}, bar), make('td', { class: 'dim' }, listed(evidence))));
  }
}

function finding(f) {
  const body = make('div');
  const details = make('details', { class: 'finding' },
    make('summary', {}, make('span', { class: f.severity }, f.severity), make('span', {}, f.rule), make('code', {}, f.place), ' ',
      make('span', { class: 'dim' }, [f.confidence === 'certain' ? '' : f.confidence, f.state].filter(Boolean).join(', ')), make('div', {}, f.what)),
    body);
  details.addEventListener('toggle', () => {
    if (!details.open || body.childElementCount > 0) return;
    body.append(make('p', {}, f.why));
    if (f.code.length > 0) {
      const pre = make('pre', { tabindex: '0' });
      for (const line of f.code) pre.append(make('span', line.marked ? { class: 'hit' } : {}, String(line.number).padStart(5) + '  ' + line.text), '\\n');
      body.append(pre);
    }
    if (f.trail.length > 0) {
      const list = make('ol', { class: 'trail' });
      for (const step of f.trail) list.append(make('li', {}, make('span', {}, step.text + ' '), make('span', { class: 'dim' }, step.place), make('br'), make('code', {}, step.code)));
      body.append(make('p', { class: 'dim' }, 'It rests on'), list);
    }
    body.append(make('p', {}, make('strong', {}, 'Fix: '), f.fix));
  });
  return details;
}

let wanted = [];
let shownCount = 0;
function more() {
  const list = byId('list');
  for (const f of wanted.slice(shownCount, shownCount + 100)) list.append(finding(f));
  shownCount = Math.min(wanted.length, shownCount + 100);
  byId('end').textContent = shownCount < wanted.length ? shownCount + ' of ' + wanted.length + ' shown' : '';
}
function show() {
  const text = byId('search').value.trim().toLowerCase();
  const rule = byId('rule').value;
  const on = (id) => byId(id).checked;
  wanted = data.findings.filter((f) => on(f.severity) && (f.confidence !== 'possible' || on('possible')) && (f.state === '' || on('accepted')) &&
    (rule === '' || f.rule === rule) && (text === '' || (f.place + ' ' + f.rule + ' ' + f.what).toLowerCase().includes(text)));
  byId('list').replaceChildren();
  shownCount = 0;
  byId('count').textContent = wanted.length + (wanted.length === 1 ? ' finding' : ' findings');
  more();
}

function start() {
  const { summary, model } = data;
  byId('summary').textContent = summary.error + ' errors, ' + summary.warning + ' warnings, ' + summary.unchecked + ' not checked; ' +
    model.tables + ' tables, ' + model.keyed + ' with a tenant key; ' + model.accesses + ' accesses' + (Object.keys(model.evidence).length ? ': ' + listed(model.evidence) : '');
  tables();
  const rules = [...new Set(data.findings.map((f) => f.rule))].sort();
  for (const rule of rules) byId('rule').append(make('option', { value: rule }, rule));
  for (const u of data.unchecked.slice(0, 1000)) byId('unchecked').append(make('li', {}, make('code', {}, u.place), ' ' + u.reason));
  if (data.unchecked.length > 1000) byId('unchecked').append(make('li', {}, 'and ' + (data.unchecked.length - 1000) + ' more'));
  if (data.unchecked.length === 0) byId('not-checked').remove();
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('filters').addEventListener('input', show);
  byId('theme').addEventListener('click', () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting) && shownCount < wanted.length) more(); }).observe(byId('end'));
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(?:INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === '/' && !typing) { event.preventDefault(); byId('search').focus(); }
    if (event.key === 'Escape' && typing) event.target.blur();
    if ((event.key !== 'j' && event.key !== 'k') || typing) return;
    const all = [...document.querySelectorAll('.finding > summary')];
    const at = all.indexOf(document.activeElement);
    if (event.key === 'j' && at === all.length - 1) { more(); }
    const next = [...document.querySelectorAll('.finding > summary')][event.key === 'j' ? at + 1 : Math.max(0, at - 1)];
    if (next) next.focus();
  });
  show();
}
start();
`;
