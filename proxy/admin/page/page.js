// SPDX-License-Identifier: MIT
// The page at the admin side's "/": the views of what the daemon answers as JSON. docs/page.md says what each panel
// means. Texts enter the document as text only; nothing here makes HTML. A view is drawn anew from its data and laid over
// what is there (lay), so focus, scroll and open details stay where they are.
'use strict';

const EVERY_MS = 30000;      // between two rounds
const LOADING_AFTER_MS = 300;
const GIVE_UP_MS = 20000;    // on one request
const MOST_LIMITS = 5;
const MOST_LINES = 50;
const SERIES = 6;

// --- the document ---

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false && child !== '') {
      node.append(child instanceof Node ? child : String(child));
    }
  }
  return node;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const at = (id) => document.getElementById(id);

function layAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === 'open' && old.localName === 'details')) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (name === 'open' && old.localName === 'details' && old.dataset.drawn) continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.localName === 'details') old.dataset.drawn = 'yes';
  if (old.localName === 'select' || old.localName === 'input') {
    if (old !== document.activeElement && old.value !== fresh.value) old.value = fresh.value;
  }
}

const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
  (a.nodeType !== Node.ELEMENT_NODE || (a.dataset.id || '') === (b.dataset.id || ''));

// Make the children of `old` those of `fresh`, keeping the nodes that are the same.
function lay(old, fresh) {
  const coming = [...fresh.childNodes];
  let here = old.firstChild;
  for (const node of coming) {
    let match = here;
    while (match && !isSame(match, node)) match = match.nextSibling;
    if (!match) {
      old.insertBefore(node, here);
      if (node.localName === 'details') node.dataset.drawn = 'yes';
      continue;
    }
    if (match !== here) old.insertBefore(match, here);
    else here = here.nextSibling;
    if (node.nodeType === Node.TEXT_NODE) {
      if (match.data !== node.data) match.data = node.data;
    } else {
      layAttributes(match, node);
      if (!match.dataset.own) lay(match, node);
      if (match.localName === 'select' && match !== document.activeElement) match.value = node.value;
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

const draw = (node, ...children) => lay(node, fill(document.createDocumentFragment(), null, children));

// --- numbers, days, ages ---

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HOUR_MS = 3600000;
const DAY_MS = 24 * HOUR_MS;

const number = (n) => (n === null || n === undefined ? '–' : Number(n).toLocaleString('en-US'));
const count = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;

function percent(share) {
  if (!Number.isFinite(share)) return '–';
  const p = share * 100;
  if (p > 0 && p < 0.1) return '<0.1 %';
  return p > 0 && p < 9.95 ? `${p.toFixed(1)} %` : `${Math.round(p)} %`;
}

const ratio = (part, whole) => (whole > 0 ? part / whole : NaN);

function short(n) {
  if (n >= 1e9) return `${+(n / 1e9).toFixed(1)} G`;
  if (n >= 1e6) return `${+(n / 1e6).toFixed(1)} M`;
  return n >= 1e3 ? `${+(n / 1e3).toFixed(1)} k` : String(n);
}

const moment = (text) => new Date(text.length === 10 ? `${text}T00:00:00Z` : text.length === 13 ? `${text}:00:00Z` : text);
const two = (n) => String(n).padStart(2, '0');
const dayOf = (date) => `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
const day = (text) => dayOf(moment(text));
const clock = (date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;

function age(text, now) {
  if (!text) return '–';
  const s = Math.max(0, (now - moment(text)) / 1000);
  if (s < 60) return 'just now';
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} days ago`;
}

// --- what words mean ---

const FAULTS = {
  unknown_key: 'the token is no key here',
  unknown_table: 'v2 had no such table',
  not_found: 'there is nothing at this path',
  bad_where: 'the condition is not in v2’s grammar or names no column',
  bad_having: 'the condition is not in v2’s grammar or names no column',
  bad_order_by: 'the order is not in v2’s grammar or names no column',
  bad_select: 'a column is named that the table has not',
  bad_limit: 'limit is no number from 0 to 5 million',
  bad_offset: 'offset is no number from 0 to 5 million',
  bad_mode: 'mode is none of exact, domain, subdomains, prefix',
  bad_output: 'output is none of json, xml, php',
  bad_target: 'the target is no host or URL',
  not_exact: 'v3 has no exact twin of what was asked',
  too_dear: 'could cost more than units_per_call',
  out_of_rows: 'rows_per_month of the team is used up',
  out_of_units: 'units_per_month is used up',
  too_busy: 'more calls at once than are served',
  draining: 'the proxy was being stopped',
  ledger_down: 'the books could not be written',
  upstream_down: 'v3 did not answer for a while',
  upstream_out_of_units: 'Ahrefs says that the v3 key’s units are used up',
  upstream_denied: 'v3 refused the v3 key',
  upstream_odd: 'v3’s answer could not be understood',
  upstream_late: 'v3 took longer than timeout',
  bad_request: 'no HTTP request that can be understood',
};

const MARKS = {
  'last_visited': 'v3 has no last visit; first_seen stands in its place',
  'stats.refpages': 'estimated from the greatest anchors',
  'stats': 'v2’s totals are not asked for; zeros stand in their place',
  'anchor.case': 'anchors that differ in case only were merged',
  'mode': 'the call named no mode; default_mode was used',
  'rows': 'there are more rows than were given',
  'tlds': 'counted over the rows that were given',
};

function sentence(mark) {
  if (MARKS[mark]) return MARKS[mark];
  const [clause, name] = mark.split('.');
  if (clause === 'where') return `v3 applies the condition on ${name} to other rows or numbers than v2 did`;
  if (clause === 'having') return `v3 applies the condition on ${name} to another number than v2 did`;
  if (clause === 'order_by') return `sorted by what stands in for ${name}, or by v3’s order of it`;
  if (clause === 'twice') return `${name} came twice; the first was taken`;
  if (clause === 'stats') return `the total ${name} is estimated, a bound, or not known to v3`;
  if (name === 'text') return `broken characters in ${clause} were replaced`;
  return `${mark} is a stand-in: v3 means something near, gives a bound, or does not know it`;
}

const changesRows = (mark) => /^(where|having|order_by|twice)\.|^(anchor\.case|mode|rows)$/.test(mark);

// --- the URL ---

const PERIODS = [['month', 'This month'], ['last-month', 'Last month'], ['7d', 'Last 7 days'], ['24h', 'Last 24 hours']];
const DEFAULTS = { view: 'usage', measure: 'units', period: 'month' };
const KNOWN = ['view', 'team', 'key', 'measure', 'period', 'since', 'until', 'fault', 'only', 'call', 'sort', 'order'];

function readUrl() {
  const query = new URLSearchParams(location.search);
  const chosen = {};
  for (const name of KNOWN) {
    const value = query.get(name);
    if (value) chosen[name] = value;
  }
  if (chosen.since || chosen.until) delete chosen.period;
  if (!Object.hasOwn(VIEWS, chosen.view || '')) delete chosen.view;
  return { ...DEFAULTS, ...(chosen.since || chosen.until ? { period: '' } : {}), ...chosen };
}

function urlOf(chosen) {
  const query = new URLSearchParams();
  for (const name of KNOWN) {
    if (chosen[name] && chosen[name] !== DEFAULTS[name]) query.set(name, chosen[name]);
  }
  const text = query.toString();
  return text ? `/?${text}` : '/';
}

const link = (changes, ...children) => el('a', { href: urlOf({ ...base(), ...changes }) }, ...children);

// What a link within a view keeps: period and measure, and the team where it is not said otherwise.
function base() {
  const { view, team, measure, period, since, until } = chosen;
  return { view, team, measure, period, since, until };
}

function questionOf(names, more) {
  const query = new URLSearchParams();
  for (const name of names) if (chosen[name]) query.set(name, chosen[name]);
  for (const [name, value] of Object.entries(more || {})) if (value) query.set(name, value);
  return query.toString();
}

const RANGE = ['team', 'key', 'period', 'since', 'until'];
let chosen = null;

// --- asking the daemon ---

class Trouble extends Error {}

async function ask(path) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), GIVE_UP_MS);
  try {
    const answer = await fetch(path, { signal: giveUp.signal, headers: { Accept: 'application/json' } });
    if (answer.status === 401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
      return await new Promise(() => {});
    }
    const said = await answer.json().catch(() => null);
    if (!answer.ok || !said) {
      const trouble = new Trouble(said && said.error ? said.error : `it answered ${answer.status}`);
      trouble.isAnswer = answer.status < 500 && said;
      throw trouble;
    }
    return said;
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(giveUp.signal.aborted ? `no answer within ${GIVE_UP_MS / 1000} s` : 'no connection');
  } finally {
    clearTimeout(timer);
  }
}

// --- parts that several views use ---

function meter(share, pace) {
  const x = Math.max(0, Math.min(1, share)) * 100;
  const kind = share >= 0.95 ? ' is-bad' : share >= 0.8 ? ' is-warning' : '';
  const mark = Number.isFinite(pace) && pace > 0 && pace <= 1 ? pace * 100 : null;
  return svg('svg', { class: 'meter', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { class: 'track', width: 100, height: 8 }),
    svg('rect', { class: `fill${kind}`, width: x.toFixed(2), height: 8 }),
    mark !== null && svg('rect', { class: 'pace', x: Math.min(mark, 99.5).toFixed(2), width: 0.5, height: 8 }));
}

// The sentence of the pace, and how grave it is. `end` is the day on which the limit begins anew.
function pace(limit, used, held, forecast, end) {
  if (used + held >= limit) return ['bad', `used up; more on ${day(end)}`];
  if (!forecast) return ['', 'not enough calls yet to say how long it lasts'];
  if (forecast.ends) return ['warning', `at this pace used up on ${day(forecast.ends)}; the month ends on ${day(end)}`];
  return ['', `enough at this pace: ${percent(forecast.share_at_end)} by ${day(end)}`];
}

const paceClass = (kind) => (kind ? `${kind}-text` : null);

function panel(title, link, ...children) {
  const id = `h-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return el('section', { class: 'panel', 'aria-labelledby': id, 'data-id': id },
    el('div', { class: 'head' }, el('h2', { id }, title), link), ...children);
}

const csv = (href, what) => el('a', { href, download: true }, 'CSV', el('span', { class: 'unseen' }, ` of ${what}`));

// One who is shown by its name, with its id small below where both are known.
const named = (name, id) => [name || id, name && id && name !== id && el('div', { class: 'small' }, id)];

function scrolling(name, ...children) {
  return el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': name }, ...children);
}

// A table whose heads sort. columns: { id, label, n (number), value(item), cell(item), foot }.
function sortable(name, columns, items, total, others) {
  const sort = columns.find((c) => c.id === chosen.sort) || columns.find((c) => c.id === 'units');
  const order = chosen.sort ? chosen.order || 'descending' : 'descending';
  const sign = order === 'ascending' ? 1 : -1;
  const sorted = [...items].sort((a, b) => {
    const [x, y] = [sort.value(a), sort.value(b)];
    if (typeof x === 'string') return sign * x.localeCompare(y);
    return sign * ((x ?? -1) - (y ?? -1));
  });
  const head = (c) => el('th', { class: c.n && 'n', scope: 'col', 'aria-sort': c === sort ? order : null },
    el('button', { type: 'button', 'data-sort': c.id, 'data-order': c === sort ? order : null }, c.label));
  const line = (item) => el('tr', { 'data-id': item.key || item.team || item.table },
    columns.map((c, i) => el(i ? 'td' : 'th', { class: c.n && 'n', scope: i ? null : 'row' }, c.cell(item))));
  return scrolling(name, el('table', { class: 'lines' },
    el('thead', null, el('tr', null, columns.map(head))),
    el('tbody', null, sorted.map(line), others),
    el('tfoot', null, el('tr', null, columns.map((c, i) =>
      el(i ? 'td' : 'th', { class: c.n && 'n', scope: i ? null : 'row' }, i ? c.foot && c.foot(total) : 'Together'))))));
}

// --- the view Usage ---

const color = (i, id) => (id === 'others' ? 's-others' : `s${i + 1}`);
const swatch = (c) => el('span', { class: `swatch ${c}`, 'aria-hidden': 'true' });
const sum = (list) => list.reduce((a, b) => a + b, 0);

function colorsOf(series) {
  const colors = new Map();
  series.items.forEach((item, i) => colors.set(item.id, color(i, item.id)));
  return colors;
}

function periodText(data) {
  const now = moment(data.now);
  const since = moment(data.since);
  const until = moment(data.until);
  const hours = data.step === 'hour' && until - since <= 2 * DAY_MS;
  const from = hours ? `${dayOf(since)} ${clock(since)}` : dayOf(since);
  if (until > now) {
    return dayOf(since) === dayOf(now) ? `${from}, until ${clock(now)} UTC` : `${from} to ${dayOf(now)} ${clock(now)} UTC`;
  }
  const last = new Date(until - (hours ? 0 : 1));
  const to = hours ? `${dayOf(last)} ${clock(last)}` : dayOf(last);
  return from === to ? from : `${from} to ${to}`;
}

function cardWhole(data) {
  const { whole } = data;
  const title = el('h2', null, 'Units left this month, all teams');
  if (whole.units_limit === null) {
    return el('section', { class: 'card', 'data-id': 'whole' }, title, el('p', { class: 'big' }, el('b', null, number(whole.units)), ' taken'),
      el('p', null, 'no limit of units_per_month'));
  }
  const used = whole.units + whole.units_held;
  const [kind, text] = pace(whole.units_limit, whole.units, whole.units_held, whole.forecast, whole.until);
  return el('section', { class: 'card', 'data-id': 'whole' }, title,
    el('p', { class: 'big' }, el('b', null, number(whole.units_left)), ` of ${number(whole.units_limit)}`),
    meter(ratio(used, whole.units_limit), whole.forecast && whole.forecast.share_at_end), el('p', { class: paceClass(kind) }, text));
}

function cardSaved(data) {
  const { saved, total } = data;
  return el('section', { class: 'card', 'data-id': 'saved' }, el('h2', null, 'Saved by sharing and caches'),
    el('p', { class: 'big' }, el('b', null, total.units_alone ? percent(saved.units / total.units_alone) : '0 %')),
    el('p', null, `${number(saved.units)} units that Ahrefs did not take`),
    el('p', null, `${count(saved.cached_calls, 'call', 'calls')} from memory, ${number(saved.shared_calls)} joined another`));
}

const spent = (limit) => ratio(limit.used + limit.held, limit.limit);
const byNearness = (limits) => [...limits].sort((a, b) => (spent(b) || 0) - (spent(a) || 0));

function cardClosest(data) {
  const title = el('h2', null, 'Closest to its limit');
  const limit = byNearness(data.limits)[0];
  if (!limit) {
    return el('section', { class: 'card', 'data-id': 'closest' }, title, el('p', { class: 'big' }, el('b', null, '–')),
      el('p', null, chosen.team ? 'the team has no limit of its own' : 'no team has a limit of its own'));
  }
  const [kind, text] = pace(limit.limit, limit.used, limit.held, limit.forecast, limit.until);
  return el('section', { class: 'card', 'data-id': 'closest' }, title,
    el('p', { class: 'big' }, el('b', null, limit.team), ` ${percent(spent(limit))} of its ${limit.what}`),
    meter(spent(limit), limit.forecast && limit.forecast.share_at_end), el('p', { class: paceClass(kind) }, text));
}

function cardCalls(data) {
  const { total, unknown_tokens: unknown } = data;
  return el('section', { class: 'card', 'data-id': 'calls' }, el('h2', null, 'Calls'),
    el('p', { class: 'big' }, el('b', null, number(total.calls))),
    el('p', null, total.calls ? `${percent(ratio(total.faults, total.calls))} refused or failed; in ` +
      `${percent(ratio(total.approximate_rows, total.calls))} other rows than in v2 are possible` : 'none yet'),
    unknown.tokens ? el('p', { class: 'warning-text' },
      link({ view: 'calls', team: '', only: 'unknown' }, count(unknown.tokens, 'unknown token', 'unknown tokens')),
      ` in ${count(unknown.calls, 'call', 'calls')}`) : el('p', null, 'no unknown tokens'));
}

function startLabel(start, step) {
  const date = moment(start.length === 7 ? `${start}-01` : start);
  if (step === 'month') return `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return step === 'hour' ? `${dayOf(date)} ${clock(date)}` : dayOf(date);
}

function chartSentence(data, measure) {
  const { series } = data;
  const sums = series.items.map((item) => sum(item[measure]));
  const all = sum(sums);
  if (!all) return `Bar chart of ${measure} by ${data.step}: nothing in this time.`;
  const together = series.starts.map((_, i) => sum(series.items.map((item) => item[measure][i])));
  const most = Math.max(...together);
  const shares = series.items.map((item, i) => `${item.name} ${percent(sums[i] / all)}`).join(', ');
  return `Bar chart of ${measure} by ${data.step}, ${periodText(data)}. ${shares}. Highest: ` +
    `${startLabel(series.starts[together.indexOf(most)], data.step)} with ${number(most)}.`;
}

const seriesCsv = (data) => `/usage?${new URLSearchParams({
  by: data.step === 'hour' ? 'hour' : 'day', per: chosen.team ? 'key' : 'team', ...(chosen.team ? { team: chosen.team } : {}),
  ...(chosen.key ? { key: chosen.key } : {}), since: data.since, until: data.until, format: 'csv' })}`;
const itemsCsv = (data, by) => `/usage?${new URLSearchParams({
  by, ...(chosen.team ? { team: chosen.team } : {}), ...(chosen.key ? { key: chosen.key } : {}), since: data.since,
  until: data.until, format: 'csv' })}`;

function panelSeries(data) {
  const { series } = data;
  const { measure } = chosen;
  const all = sum(series.items.map((item) => sum(item[measure])));
  const legend = series.items.map((item, i) => el('li', { 'data-id': item.id }, swatch(color(i, item.id)),
    `${item.name} ${percent(ratio(sum(item[measure]), all))}`));
  const heads = ['', ...series.items.map((item) => item.name), 'Together'];
  const rows = series.starts.map((start, i) => el('tr', null, el('th', { scope: 'row' }, startLabel(start, data.step)),
    series.items.map((item) => el('td', { class: 'n' }, number(item[measure][i]))),
    el('td', { class: 'n' }, number(sum(series.items.map((item) => item[measure][i]))))));
  return panel('Who spends what', csv(seriesCsv(data), `${measure} by ${data.step}`),
    el('div', { class: 'chart', role: 'img', 'aria-label': chartSentence(data, measure), id: 'chart' },
      el('canvas', { id: 'canvas', 'data-own': 'yes', 'aria-hidden': 'true' })),
    el('ul', { class: 'legend' }, legend),
    el('details', null, el('summary', null, 'As a table'), scrolling(`${measure} by ${data.step}`, el('table', null,
      el('thead', null, el('tr', null, heads.map((head, i) => el('th', { scope: 'col', class: i && 'n' },
        i ? head : data.step[0].toUpperCase() + data.step.slice(1))))),
      el('tbody', null, rows)))));
}

function panelLimits(data) {
  const nearest = byNearness(data.limits);
  const shown = chosen.team ? nearest : nearest.slice(0, MOST_LIMITS);
  const without = data.teams.map((t) => t.team).filter((team) => !data.limits.some((limit) => limit.team === team));
  const free = chosen.team ? without.filter((team) => team === chosen.team) : without;
  const more = nearest.length - shown.length;
  return panel('What is left this month', null, shown.map((limit) => {
    const [kind, text] = pace(limit.limit, limit.used, limit.held, limit.forecast, limit.until);
    const held = limit.held ? `; ${number(limit.held)} held by calls under way` : '';
    return el('div', { class: 'entry', 'data-id': `${limit.team} ${limit.what}` },
      el('div', { class: 'line' }, el('b', null, limit.team), el('span', null, `${number(limit.left)} of ${number(limit.limit)} ${limit.what}`)),
      meter(spent(limit), limit.forecast && limit.forecast.share_at_end), el('p', { class: paceClass(kind) }, text + held));
  }), more > 0 && el('p', { class: 'small' }, more === 1 ? '1 more limit is further from its end.' : `${number(more)} more limits are further from their end.`),
  free.length > 0 && el('p', { class: 'small' }, `No limit of its own: ${free.slice(0, 8).join(', ')}${free.length > 8 ? ` and ${number(free.length - 8)} more` : ''}`),
  shown.length > 0 && el('p', { class: 'small' }, 'The mark in a bar is where the pace of the last 7 days leads by the end of the month.'));
}

function cellLimit(item) {
  if (item.rows_limit === null || item.rows_limit === undefined) return el('span', { class: 'small' }, 'no limit');
  const share = ratio(item.rows_limit - item.rows_left, item.rows_limit);
  return el('div', { class: 'used' }, `${percent(share)} of ${number(item.rows_limit)}`, meter(share));
}

function panelItems(data) {
  const now = moment(data.now);
  const colors = colorsOf(data.series);
  const isTeams = data.by === 'team';
  const id = (item) => (isTeams ? item.team : item.key);
  const columns = [
    { id: 'name', label: isTeams ? 'Team' : data.by === 'key' ? 'Key' : 'Table', value: (i) => i.name || id(i) || i.table,
      cell: (i) => [swatch(colors.get(id(i)) || 's-others'), data.by === 'table' ? i.table :
        link(isTeams ? { team: i.team, key: '' } : { view: 'calls', team: i.team, key: i.key }, named(i.name, id(i)))] },
    { id: 'units', label: 'Units', n: true, value: (i) => i.units, cell: (i) => number(i.units), foot: (t) => number(t.units) },
    { id: 'share', label: 'Share', n: true, value: (i) => i.units, cell: (i) => percent(ratio(i.units, data.total.units)),
      foot: (t) => (t.units ? '100 %' : '–') },
    { id: 'rows', label: 'Rows', n: true, value: (i) => i.rows, cell: (i) => number(i.rows), foot: (t) => number(t.rows) },
    isTeams && { id: 'used', label: 'Rows limit used', value: (i) => ratio(i.rows_limit - i.rows_left, i.rows_limit) || 0, cell: cellLimit },
    { id: 'calls', label: 'Calls', n: true, value: (i) => i.calls, cell: (i) => number(i.calls), foot: (t) => number(t.calls) },
    { id: 'saved', label: 'Saved units', n: true, value: (i) => i.units_alone - i.units, cell: (i) => number(Math.max(0, i.units_alone - i.units)),
      foot: () => number(data.saved.units) },
    { id: 'faults', label: 'Failed', n: true, value: (i) => i.faults, cell: (i) => number(i.faults), foot: (t) => number(t.faults) },
    { id: 'inexact', label: 'Other rows possible', n: true, value: (i) => ratio(i.approximate_rows, i.calls) || 0,
      cell: (i) => percent(ratio(i.approximate_rows, i.calls)), foot: (t) => percent(ratio(t.approximate_rows, t.calls)) },
    { id: 'last', label: 'Last call', value: (i) => i.last_call || '', cell: (i) => age(i.last_call, now) },
  ].filter(Boolean);
  const title = isTeams ? 'Teams' : data.by === 'key' ? `Keys of ${chosen.team}` : 'Tables';
  const rest = Math.max(0, data.items.length - MOST_LINES) + (data.others || 0);
  const items = [...data.items].sort((a, b) => b.units - a.units).slice(0, MOST_LINES);
  const others = rest > 0 && el('tr', { 'data-id': 'others' }, el('th', { scope: 'row' }, `others (${number(rest)})`),
    el('td', { colspan: columns.length - 1, class: 'small' }, 'in the CSV'));
  return panel(title, csv(itemsCsv(data, data.by), title), data.items.length
    ? sortable(title, columns, items, data.total, others) : el('p', null, 'No calls yet.'));
}

function panelFaults(data) {
  const now = moment(data.now);
  return panel('What was refused or failed', csv(itemsCsv(data, 'fault'), 'faults'), data.faults.length ? data.faults.map((fault) =>
    el('div', { class: 'entry', 'data-id': fault.fault }, el('div', { class: 'line' },
      link({ view: 'calls', fault: fault.fault, ...(fault.fault === 'unknown_key' ? { team: '' } : {}) }, el('code', null, fault.fault)),
      el('span', null, count(fault.calls, 'call', 'calls'))),
    el('p', null, FAULTS[fault.fault] || '', fault.last && ` · last ${age(fault.last.time, now)}` +
      (fault.last.name || fault.last.key ? ` from ${fault.last.name || fault.last.key}` : '')))) :
    el('p', null, 'Nothing was refused and nothing failed.'));
}

function panelMarks(data) {
  const group = (kind, title) => {
    const marks = data.marks.filter((mark) => mark.kind === kind);
    return marks.length > 0 && [el('h3', null, title), marks.map((mark) => el('div', { class: 'entry', 'data-id': mark.mark },
      el('div', { class: 'line' }, el('code', null, mark.mark), el('span', null, `${percent(ratio(mark.calls, data.total.calls))} of calls`)),
      el('p', null, sentence(mark.mark))))];
  };
  return panel('What was not exact', csv(itemsCsv(data, 'mark'), 'marks'), data.marks.length ?
    [group('rows', 'Other rows than in v2 are possible'), group('values', 'The same rows, one value is a stand-in')] :
    el('p', null, 'Every answer was exactly what v2 would have said.'));
}

function factsOfKey(key, now, health, several) {
  const fact = (name, value, kind) => value !== null && [el('dt', null, name), el('dd', { class: paceClass(kind) }, value)];
  const answers = key.out_of_units ? ['bad', 'says that its units are used up'] : key.breaker_open ?
    ['bad', 'does not answer: nothing is sent for a while'] : ['', 'answers'];
  const drift = !key.looked ? 'not known yet' : key.drift ? `${number(Math.abs(key.drift))} units ` +
    `${key.drift > 0 ? 'more at Ahrefs than' : 'less at Ahrefs than'} in the books` : 'none: Ahrefs has counted what the books have';
  const plan = key.plan ? `${key.plan}${key.ends ? `; ends ${day(key.ends)}, in ${count(key.days_left, 'day', 'days')}` : ''}` : 'not known yet';
  return [several && fact('Key', key.key),
    fact('Rate', `${number(key.requests_last_minute)} of ${number(key.requests_per_minute)} requests in the last minute, ${number(key.waiting)} wait`),
    fact('API v3', answers[1], answers[0]),
    fact('v3 key', plan, key.days_left !== null && key.days_left < 14 ? 'warning' : ''),
    fact('Ahrefs says', key.looked ? `${key.units_left === null ? 'no limit' : `${number(key.units_left)} units left`}, looked ${age(key.looked, now)}` : 'not asked yet'),
    fact('Difference', drift, key.drift ? 'warning' : '')];
}

function panelHealth(data) {
  const now = moment(data.now);
  const { health } = data;
  const fact = (name, value, kind) => [el('dt', null, name), el('dd', { class: paceClass(kind) }, value)];
  const doctor = health.doctor ? `${age(health.doctor.time, now)}: ${number(health.doctor.fine)} fine` +
    (health.doctor.note ? `, ${count(health.doctor.note, 'note', 'notes')}` : '') +
    (health.doctor.wrong ? `, ${number(health.doctor.wrong)} wrong` : '') : 'has not looked yet: anchorage doctor';
  return panel('API v3 and the proxy', null, el('dl', { class: 'facts' },
    health.ready ? fact('Serving', `yes, since ${dayOf(moment(health.since))} ${clock(moment(health.since))}`) : fact('Serving', `no: ${health.why}`, 'bad'),
    fact('Calls now', `${number(health.calls_running)} running, ${number(health.calls_waiting)} waiting`),
    health.keys.map((key) => factsOfKey(key, now, health, health.keys.length > 1)),
    fact('Doctor', doctor, health.doctor && health.doctor.wrong ? 'bad' : ''),
    fact('Disk', `longest write of the last minute: ${number(health.ledger_commit_ms_longest)} ms`)));
}

function panelFirstCall(data) {
  const address = (data.health && data.health.address) || 'http://127.0.0.1:8080';
  const line = `curl '${address}/?from=anchors&target=example.com&mode=domain&limit=3&output=json&token=TOKEN'`;
  return panel(`No call has come in since ${day(data.since)}`, null, el('ol', { class: 'steps' },
    el('li', null, 'Give the program a key: ', el('code', null, 'anchorage key add --team TEAM --name PROGRAM'), ' makes a new token; with ',
      el('code', null, '--token-file FILE'), ' it keeps the one that it has.'),
    el('li', null, 'Try it: ', el('pre', null, line)),
    el('li', null, 'Point the program at that address in place of https://apiv2.ahrefs.com. Each of its calls stands under ',
      link({ view: 'calls' }, 'Calls'), ' at once, refused ones too.')));
}

const usage = {
  title: (data) => {
    const team = data && data.teams.find((t) => t.team === chosen.team);
    const key = team && team.keys.find((k) => k.key === chosen.key);
    return chosen.key ? `Usage of ${(key && key.name) || chosen.key}` : chosen.team ? `Usage of ${chosen.team}` : 'Usage';
  },
  path: () => `/overview?${questionOf(RANGE)}`,
  subtitle: periodText,
  draw(node, data) {
    const isEmpty = !data.total.calls;
    draw(node, el('div', { class: 'cards' }, cardWhole(data), cardSaved(data), cardClosest(data), cardCalls(data)),
      isEmpty ? el('div', { class: 'row', 'data-id': 'first' }, panelFirstCall(data)) :
        el('div', { class: 'row two', 'data-id': 'spent' }, panelSeries(data), panelLimits(data)),
      el('div', { class: 'row', 'data-id': 'items' }, panelItems(data)),
      el('div', { class: 'row three', 'data-id': 'rest' }, panelFaults(data), panelMarks(data), panelHealth(data)));
    if (isEmpty) chart.forget();
    else chart.show(data);
  },
};

// The chart is drawn by the library on its own canvas; its numbers stand in the table below it as well.
const chart = {
  it: null, canvas: null,
  forget() {
    if (this.it) this.it.destroy();
    this.it = this.canvas = null;
  },
  show(data) {
    const canvas = at('canvas');
    if (!canvas || !window.Chart) return;
    if (canvas !== this.canvas) this.forget();
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(`--${name}`).trim();
    const { series, step } = data;
    const datasets = series.items.map((item, i) => ({
      label: item.name, data: item[chosen.measure], stack: 'all', borderWidth: 1, borderColor: ink('card'), borderSkipped: false,
      backgroundColor: ink(item.id === 'others' ? 'series-others' : `series-${i + 1}`), maxBarThickness: 60,
    }));
    const running = moment(data.until) > moment(data.now) ? series.starts.filter((s) => moment(s.length === 7 ? `${s}-01` : s) <= moment(data.now)).length - 1 : -1;
    const labels = series.starts.map((start) => startLabel(start, step));
    const grid = { color: ink('line'), borderColor: ink('line'), drawTicks: false };
    const ticks = { color: ink('soft'), font: { size: 12 }, padding: 6 };
    const options = {
      responsive: true, maintainAspectRatio: false, animation: false,
      interaction: { mode: 'index', intersect: false },
      scales: { x: { stacked: true, grid: { display: false, borderColor: ink('line') }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 14 } },
        y: { stacked: true, beginAtZero: true, grid, ticks: { ...ticks, maxTicksLimit: 6, precision: 0, callback: (v) => short(v) } } },
      plugins: { legend: { display: false }, tooltip: {
        itemSort: (a, b) => b.raw - a.raw, filter: (item) => item.raw > 0,
        callbacks: {
          title: (items) => (items.length ? labels[items[0].dataIndex] + (items[0].dataIndex === running ? ' (so far)' : '') : ''),
          label: (item) => ` ${item.dataset.label}: ${number(item.raw)}`,
          footer: (items) => (items.length ? `together: ${number(sum(datasets.map((d) => d.data[items[0].dataIndex])))}` : ''),
        } } },
    };
    if (this.it) {
      Object.assign(this.it, { options });
      this.it.data = { labels, datasets };
      this.it.update('none');
    } else {
      this.it = new window.Chart(canvas, { type: 'bar', data: { labels, datasets }, options });
      this.canvas = canvas;
    }
  },
};

// --- the view Calls ---

const ONLY = [['', 'All calls'], ['fault', 'Refused or failed'], ['inexact', 'Not exact'], ['paid', 'Units taken'], ['unknown', 'Unknown tokens']];
const SOURCES = { hit: 'memory', shared: 'shared', miss: 'v3' };

function answerOf(call) {
  if (call.fault) {
    return [el('span', { class: 'word bad' }, call.fault), el('div', { class: 'small' }, call.why || FAULTS[call.fault] || '')];
  }
  const marks = (call.approximate || []).map((mark, i) => [i ? ', ' : '', changesRows(mark) ? el('b', null, mark) : mark]);
  return [el('span', { class: 'word good' }, count(call.results || 0, 'result', 'results')),
    marks.length > 0 && el('div', { class: 'small' }, 'not exact: ', marks)];
}

// A call like it: the literals of its conditions are not kept, so they are left out.
function explainLink(call) {
  if (!call.shape) return null;
  const query = { from: call.table, target: call.target, mode: call.mode };
  for (const clause of ['select', 'order_by']) {
    const found = call.shape.match(new RegExp(` ${clause}:(\\S+)`));
    if (found) query[clause] = found[1].split('+').filter(Boolean).join(',');
  }
  const text = Object.entries(query).filter(([, value]) => value).map(([name, value]) => `${name}=${value}`).join('&');
  return el('div', null, el('a', { href: urlOf({ view: 'explain', call: text }), class: 'small' }, 'explain',
    el('span', { class: 'unseen' }, ` this call of ${call.table}`)));
}

function lineOfCall(call, sameDay) {
  const when = moment(call.time);
  const time = `${clock(when)}:${two(when.getUTCSeconds())}`;
  const who = call.key ? call.name || call.key : el('span', { class: 'bad-text' }, call.fault === 'unknown_key' ? 'unknown token' : 'no key');
  const cell = (name, ...children) => el('td', { role: 'cell', class: 'n', 'data-label': name }, ...children);
  const ms = call.ms;
  return el('tr', { role: 'row', 'data-id': call.id },
    el('td', { role: 'cell' }, el('code', null, sameDay(when) ? time : `${dayOf(when)} ${time}`)),
    el('td', { role: 'cell' }, who, el('div', { class: 'small' }, `${call.team || '–'} · ${call.client || '–'}`)),
    el('td', { role: 'cell' }, call.target || '–', el('div', { class: 'small' }, [call.table, call.mode].filter(Boolean).join(' ')), explainLink(call)),
    el('td', { role: 'cell', class: 'answer' }, answerOf(call)),
    cell('Rows', number(call.rows || 0)), cell('Units', number(call.units || 0)),
    el('td', { role: 'cell', class: 'from', 'data-label': 'From' }, SOURCES[call.cache] || '–'), cell('Took', `${number(ms)} ms`));
}

function panelUnknown(data, now) {
  if (!data.items.length) return null;
  const head = (label, n) => el('th', { scope: 'col', class: n && 'n' }, label);
  return panel('Tokens nobody knows', csv('/unknown?format=csv', 'unknown tokens'),
    el('p', { class: 'small' }, 'Programs still come with them. Give each a key with “anchorage key add --team TEAM --token-file FILE”; ' +
      'a digest stands here in place of the token.'),
    scrolling('Tokens nobody knows', el('table', null, el('thead', null, el('tr', null, head('Token'), head('Program'), head('From'),
      head('Tables'), head('Calls', true), head('Last seen'))),
    el('tbody', null, data.items.map((item) => el('tr', { 'data-id': item.key },
      el('td', null, el('code', null, item.key)), el('td', null, item.user_agent || '–'), el('td', null, item.client || '–'),
      el('td', null, item.tables || '–'), el('td', { class: 'n' }, number(item.calls)),
      el('td', null, age(item.last_seen, now))))))));
}

const calls = {
  title: () => (chosen.key ? `Latest calls of ${chosen.key}` : chosen.team ? `Latest calls of ${chosen.team}` : 'Latest calls'),
  path: () => `/calls?${questionOf(['team', 'key', 'fault', 'only'], { limit: 60 })}`,
  also: () => '/unknown?format=json',
  subtitle: (data) => `${number(data.items.length)} of the last ${number(data.kept)} calls, newest first, refused ones too.`,
  draw(node, data, unknown) {
    const now = moment(data.now);
    const sameDay = (when) => dayOf(when) === dayOf(now);
    const heads = [['Time'], ['Key'], ['Target'], ['Answer'], ['Rows', true], ['Units', true], ['From'], ['Took', true]];
    const filtered = chosen.fault || chosen.key ? el('p', null, chosen.fault && ['only ', el('code', null, chosen.fault), ' '],
      chosen.key && ['only key ', el('code', null, chosen.key), ' '], link({ view: 'calls', team: chosen.team, fault: '', key: '', only: '' }, 'show all')) : null;
    draw(node, unknown && unknown.items.length ? el('div', { class: 'row', 'data-id': 'unknown' }, panelUnknown(unknown, now)) : null,
      el('section', { class: 'panel calls', 'aria-label': 'Calls', 'data-id': 'calls' }, filtered, data.items.length ?
        scrolling('Calls', el('table', { role: 'table' },
          el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, heads.map(([label, n]) => el('th', { role: 'columnheader', scope: 'col', class: n && 'n' }, label)))),
          el('tbody', { role: 'rowgroup' }, data.items.map((call) => lineOfCall(call, sameDay))))) : el('p', null, 'No calls yet.')));
  },
};

// --- the view Explain ---

function requestsOf(requests) {
  return requests.map((request) => el('div', null, request.for && el('h3', null, request.for),
    el('pre', null, request.curl || request.url), el('button', { type: 'button', 'data-copy': request.curl || request.url }, 'Copy curl',
      el('span', { class: 'unseen' }, ` of ${request.for || 'the request'}`))));
}

function partsTable(parts) {
  return scrolling('Part by part', el('table', null, el('thead', null, el('tr', null, ['Your call', 'becomes', ''].map((h) => el('th', { scope: 'col' }, h || el('span', { class: 'unseen' }, 'Exact'))))),
    el('tbody', null, parts.map((part) => el('tr', null, el('th', { scope: 'row' }, el('code', null, part.v2)), el('td', null, el('code', null, part.v3 || '–')),
      el('td', null, part.exact ? 'exact' : [el('b', null, part.mark ? 'not exact' : 'ignored'), part.say && el('div', { class: 'small' }, part.say)]))))));
}

function priceOf(price, data) {
  const line = (terms, most, word) => terms && el('p', null, `${word}: `, terms.map(([name, n]) => `${number(n)} ${name}`).join(' + ') || '0', ` = ${number(most)} at most`);
  return [line(price && price.rows, data.rows_at_most, 'Rows'), line(price && price.units, data.units_at_most, 'Units')];
}

function explained(data) {
  if (data.fault) {
    const { spot } = data;
    return panel('Refused', null, el('p', null, el('span', { class: 'word bad' }, data.fault), ' ', data.why), spot && el('p', { class: 'small' },
      `At ${spot.parameter}, character ${number(spot.at + 1)}.`));
  }
  const marks = (data.parts || []).filter((part) => part.mark).length || (data.approximate || []).length;
  const ignored = (data.ignored || []).map((i) => (typeof i === 'string' ? { name: i } : i));
  const verdict = ['Served', marks && `${count(marks, 'thing', 'things')} not exact`, ignored.length && `${count(ignored.length, 'parameter', 'parameters')} ignored`,
    `at most ${number(data.rows_at_most)} rows and ${number(data.units_at_most)} units`].filter(Boolean).join('; ');
  return [panel('What it becomes', null, el('p', null, el('b', null, verdict)), data.parts && partsTable(data.parts),
    ignored.map((i) => el('p', { class: 'small' }, el('code', null, i.name), ' is ignored', i.like ? `; did you mean ${i.like}?` : '')),
    priceOf(data.price, data)), panel('The requests to v3', null, requestsOf((data.requests || []).map((r) => ({ ...r, curl: r.curl || `curl -sS -H "Authorization: Bearer $AHREFS_V3_KEY" \\\n  '${r.url}'` }))),
    !(data.requests || []).length && el('p', null, 'None: it is answered without v3.'))];
}

const explain = {
  title: () => 'Explain a call',
  path: () => (chosen.call ? `/explain?${new URLSearchParams({ call: chosen.call })}` : null),
  subtitle: () => 'What a v2 call becomes, what is not exact, and what it costs. Nothing is asked of v3.',
  isStill: true,
  draw(node, data) {
    draw(node, el('section', { class: 'panel', 'data-id': 'form', 'aria-label': 'Call' }, el('form', { class: 'explain-form', id: 'explain-form' },
      el('label', { for: 'call' }, 'A v2 URL or its query; a curl line is taken, too'),
      el('input', { id: 'call', name: 'call', type: 'text', value: chosen.call || '', autocomplete: 'off', spellcheck: 'false', maxlength: 60000,
        placeholder: 'from=anchors&target=example.com&mode=domain&limit=10' }),
      el('button', { type: 'submit', class: 'main' }, 'Explain'))), el('div', { 'data-id': 'answer', id: 'answer' }, data && explained(data)));
  },
};

// --- the filters of a view ---

const choice = (name, label, options, value, whole) => el('div', { class: `group${whole ? ' whole' : ''}`, 'data-id': name },
  el('label', { for: `f-${name}` }, label), el('select', { id: `f-${name}`, name }, options.map(([v, text]) => el('option', { value: v, selected: v === (value || '') }, text))));

function drawFilters(data) {
  const teams = data && data.teams ? data.teams.map((t) => t.team) : known.teams;
  known.teams = teams;
  if (chosen.team && !teams.includes(chosen.team)) teams.push(chosen.team);
  const team = choice('team', 'Team', [['', 'All teams'], ...teams.map((t) => [t, t])], chosen.team);
  const isRange = chosen.period === '';
  const day10 = (text) => (text || '').slice(0, 10);
  const today = new Date().toISOString().slice(0, 10);
  const period = [choice('period', 'Period', [...PERIODS, ['', 'From … to …']], chosen.period),
    isRange && el('div', { class: 'group', 'data-id': 'since' }, el('label', { for: 'f-since' }, 'From'),
      el('input', { id: 'f-since', name: 'since', type: 'date', value: day10(chosen.since), max: today })),
    isRange && el('div', { class: 'group', 'data-id': 'until' }, el('label', { for: 'f-until' }, 'To, without it'),
      el('input', { id: 'f-until', name: 'until', type: 'date', value: day10(chosen.until) }))];
  const measure = el('fieldset', { class: 'group whole', 'data-id': 'measure' }, el('legend', null, 'Measure'), el('div', { class: 'measure' },
    ['units', 'rows', 'calls'].map((m) => el('button', { type: 'button', 'data-measure': m, 'aria-pressed': String(m === chosen.measure) },
      m[0].toUpperCase() + m.slice(1)))));
  const parts = { usage: [period, team, measure], calls: [team, choice('only', 'Show', ONLY, chosen.only)], explain: [] }[chosen.view];
  draw(at('filters'), parts);
}

// --- rounds ---

const VIEWS = { usage, calls, explain };
const known = { teams: [], data: null, at: null };
let isPaused = false, timer = 0, round = 0;

const view = () => VIEWS[chosen.view];

function drawState(health, failed) {
  const state = at('state');
  const say = (kind, sign, word) => {
    state.className = `state ${kind}`;
    draw(state, el('span', { 'aria-hidden': 'true' }, `${sign} `), word);
  };
  if (failed) return say('bad', '×', 'No answer');
  if (!health) return undefined;
  if (!health.ready) return say('bad', '×', 'Not serving');
  if (health.keys.some((key) => key.breaker_open)) return say('bad', '×', 'API v3 is down');
  return say('good', '✓', 'Serving');
}

function troubleOf(health) {
  if (health && !health.ready) return `Calls that cost are refused: ${health.why}.`;
  if (health && health.keys.some((key) => key.breaker_open)) {
    return 'API v3 does not answer; calls that need it end as upstream_down. What is remembered is still served.';
  }
  return '';
}

function showTrouble(text) {
  const node = at('trouble');
  if (node.textContent !== text) draw(node, text ? el('p', null, text) : null);
}

function drawFrame(data) {
  const title = view().title(data);
  at('title').textContent = title;
  document.title = `${title} · anchorage`;
  for (const a of document.querySelectorAll('nav a')) {
    const name = a.dataset.view;
    if (name === chosen.view) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
    const { team, measure, period, since, until } = chosen;
    a.href = urlOf(name === 'explain' ? { view: name } : { view: name, team, measure, period, since, until });
  }
  drawFilters(data);
}

function drawSubtitle(data) {
  const still = view().isStill;
  at('subtitle').textContent = (data || still ? view().subtitle(data) : '') + (still || !data ? '' : isPaused ? ' · paused:' : ' · new every 30 s:');
  at('pause').hidden = Boolean(still || !data);
  at('pause').textContent = isPaused ? 'go on' : 'pause';
}

function show(data, also) {
  drawFrame(data);
  drawSubtitle(data);
  view().draw(at('view'), data, also);
}

// Ask for what the view needs, once; a later round, or another choice, makes an earlier one void.
async function refresh(isNew) {
  const mine = ++round;
  clearTimeout(timer);
  const path = view().path();
  if (isNew) {
    drawFrame(null);
    if (view().isStill) show(null);
    else if (at('view').dataset.view !== chosen.view) {
      chart.forget();
      draw(at('view'));
      drawSubtitle(null);
    }
    at('view').dataset.view = chosen.view;
  }
  const late = setTimeout(() => { at('loading').textContent = ' Loading…'; }, LOADING_AFTER_MS);
  try {
    const also = view().also ? ask(view().also()) : null;
    if (also) also.catch(() => {});
    const data = path ? await ask(path) : null;
    const more = also ? await also : null;
    if (mine !== round) return;
    Object.assign(known, { at: new Date() });
    show(data, more);
    if (data && data.health) known.health = data.health;
    drawState(known.health || { ready: true, keys: [] }, false);
    showTrouble(troubleOf(data && data.health ? data.health : null));
    if (data && data.version) at('version').textContent = data.version;
  } catch (error) {
    if (mine !== round) return;
    if (!(error instanceof Trouble)) throw error;
    if (error.isAnswer) {
      showTrouble(`This cannot be shown: ${error.message}`);
    } else {
      drawState(null, true);
      showTrouble(known.at ? `These numbers are from ${clock(known.at)} UTC: the proxy does not answer (${error.message}). It is tried again every 30 s.` :
        `There are no numbers: the proxy does not answer (${error.message}). It is tried again every 30 s.`);
    }
  } finally {
    clearTimeout(late);
    if (mine === round) {
      at('loading').textContent = '';
      at('view').setAttribute('aria-busy', 'false');
      plan();
    }
  }
}

function plan() {
  clearTimeout(timer);
  if (!isPaused && !document.hidden && !view().isStill) timer = setTimeout(() => refresh(false), EVERY_MS);
}

function go(changes, how) {
  chosen = { ...chosen, ...changes };
  const url = urlOf(chosen);
  if (how !== 'stay') history.pushState(null, '', url);
  chosen = readUrl();
  refresh(true);
}

const say = (text) => { at('said').textContent = text; };

// --- what people do ---

document.addEventListener('click', async (event) => {
  const { target } = event;
  const a = target.closest('a[href]');
  if (a && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.button === 0 && !a.hasAttribute('download') &&
      a.origin === location.origin && a.pathname === '/' && !a.hash) {
    event.preventDefault();
    const before = chosen.view;
    history.pushState(null, '', a.href);
    chosen = readUrl();
    refresh(true);
    if (chosen.view !== before) {
      at('main').focus();
      scrollTo(0, 0);
    }
    say(`${view().title(null)} is shown`);
    return;
  }
  const button = target.closest('button');
  if (!button) return;
  const { measure, sort, copy } = button.dataset;
  if (measure) {
    go({ measure });
    say(`Measured in ${measure}`);
  } else if (sort) {
    const now = button.dataset.order;
    const order = now === 'descending' ? 'ascending' : 'descending';
    go({ sort, order: order === 'descending' ? '' : order });
    say(`Sorted by ${button.textContent}, ${order}`);
  } else if (copy) {
    try {
      await navigator.clipboard.writeText(copy);
      say('Copied');
    } catch {
      getSelection().selectAllChildren(button.parentElement.querySelector('pre'));
      say('It could not be copied; it is selected');
    }
  } else if (button.id === 'pause') {
    isPaused = !isPaused;
    say(isPaused ? 'Paused' : 'New every 30 seconds');
    if (isPaused) clearTimeout(timer);
    else refresh(false);
    at('pause').textContent = isPaused ? 'go on' : 'pause';
  }
});

document.addEventListener('change', (event) => {
  const { name, value } = event.target;
  if (!['period', 'team', 'only', 'since', 'until'].includes(name)) return;
  if (name === 'period') {
    const today = new Date();
    const first = `${today.getUTCFullYear()}-${two(today.getUTCMonth() + 1)}-01`;
    const next = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 1)).toISOString().slice(0, 10);
    go(value ? { period: value, since: '', until: '' } : { period: '', since: first, until: next });
  } else if (name === 'team') {
    go({ team: value, key: '', sort: '', order: '' });
  } else {
    if ((name === 'since' || name === 'until') && !value) return;
    go({ [name]: value });
  }
  const text = event.target.selectedOptions ? event.target.selectedOptions[0].textContent : value;
  say(`${text} is shown`);
});

document.addEventListener('submit', (event) => {
  if (event.target.id === 'sign-out') return;
  if (event.target.id === 'filters') event.preventDefault();
  if (event.target.id !== 'explain-form') return;
  event.preventDefault();
  go({ call: at('call').value });
});

addEventListener('popstate', () => {
  chosen = readUrl();
  refresh(true);
});

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer);
  else if (!isPaused && !view().isStill) refresh(false);
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => refresh(false));

chosen = readUrl();
refresh(true);
