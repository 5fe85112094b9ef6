/** Findings as one page of HTML with its charts in it: nothing is fetched from anywhere, and no script runs. */
import type { AuditEvent, DayFindings } from '../audit/audit.js';
import type { Totals } from '../audit/totals.js';
import { describeEvent, describeTotals } from './audit-text.js';
import type { AuditWriter } from './audit-writer.js';

/** Gathers the days, of each no more than is drawn, and writes the page in the end. */
export class HtmlAuditWriter implements AuditWriter {
  readonly #symbols = new Map<string, SymbolDays>();
  readonly #others: string[] = [];

  begin(): string {
    return '';
  }

  add(event: AuditEvent): string {
    if (event.kind === 'unusable') this.#others.push(...describeEvent(event));
    else if (event.kind === 'day') this.#symbolOf(event.day).days.push(drawnOf(event.day, describeEvent(event)));
    else {
      const { days } = this.#symbolOf(event.missing);
      for (const date of event.missing.dates) days.push({ date, state: 'missing' });
    }
    return '';
  }

  end(totals: Totals): string {
    const sections = [...this.#symbols.values()].map(sectionOf);
    return pageOf({ totals, sections, others: this.#others });
  }

  #symbolOf({ market, pair }: { market?: string; pair: string }): SymbolDays {
    const name = market ? `${market}/${pair}` : pair;
    const known = this.#symbols.get(name) ?? { name, days: [] };
    this.#symbols.set(name, known);
    return known;
  }
}

interface SymbolDays {
  name: string;
  days: Drawn[];
}

/** What the page has of a day. */
interface Drawn {
  date: string;
  state: 'sound' | 'noted' | 'faulty' | 'missing';
  depth?: number;
  verdict?: string;
  details?: string[];
  values?: Record<string, number>;
}

/** The charts, each of one number a day. */
const CHARTS: { key: string; title: string; unit: string; of: (day: DayFindings) => number | undefined }[] = [
  { key: 'messages', title: 'Messages', unit: '', of: ({ messages }) => messages },
  {
    key: 'missing',
    title: 'Messages missing at breaks in u',
    unit: '',
    of: ({ book }) => book?.updateIds.missingMessages,
  },
  {
    key: 'suspect',
    title: 'Time in which the book may be wrong',
    unit: ' s',
    of: ({ book }) => seconds(book?.updateIds.suspectMs),
  },
  { key: 'silence', title: 'Longest silence', unit: ' s', of: ({ book }) => seconds(book?.silences[0]?.ms) },
  { key: 'p99', title: 'ts − cts, 99 %', unit: ' ms', of: ({ book }) => book?.latency?.p99Ms },
  { key: 'median', title: 'ts − cts, median', unit: ' ms', of: ({ book }) => book?.latency?.medianMs },
  { key: 'crossed', title: 'Time crossed', unit: ' s', of: ({ book }) => seconds(book?.crossed.ms) },
  { key: 'off', title: 'Messages with another level count', unit: '', of: ({ book }) => book?.levels?.messagesOff },
  { key: 'absent', title: 'Deletes of absent levels', unit: '', of: ({ book }) => book?.absentDeletes.deletes },
];

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function drawnOf(day: DayFindings, [, ...details]: string[]): Drawn {
  const values = CHARTS.flatMap(({ key, of }) => {
    const value = of(day);
    return value === undefined ? [] : [[key, value]];
  });
  const { faults, notes } = day;
  return {
    date: day.date,
    state: faults.length > 0 ? 'faulty' : notes.length > 0 ? 'noted' : 'sound',
    depth: day.sourceDepth,
    verdict: [...faults, ...notes].join(' '),
    details,
    values: Object.fromEntries(values),
  };
}

function sectionOf({ name, days }: SymbolDays): string {
  const inOrder = days.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : (a.depth ?? 0) - (b.depth ?? 0)));
  const told = inOrder.filter(({ state }) => state !== 'sound');
  const charts = CHARTS.map((chart) => chartOf(chart, inOrder)).join('');
  const rows = told.map(
    ({ date, depth, state, verdict = 'missing-day', details = [] }) =>
      `<tr class="${state}"><td>${date}</td><td>${depth ?? ''}</td><td>${escapeHtml(verdict)}</td><td>${details.map((detail) => escapeHtml(detail.trim())).join('<br>')}</td></tr>`,
  );
  return `<section><h2>${escapeHtml(name)}</h2>
<p>${daysText(days.length)}: ${countOf(days, 'sound')} without anything to tell, ${countOf(days, 'noted')} with notes, ${countOf(days, 'faulty')} with faults, ${countOf(days, 'missing')} missing.</p>
${stripOf(inOrder)}
<div class="charts">${charts}</div>
${rows.length === 0 ? '' : `<details${rows.length <= 40 ? ' open' : ''}><summary>What there is to tell, ${daysText(rows.length)}</summary><table><thead><tr><th>day</th><th>depth</th><th>faults and notes</th><th></th></tr></thead><tbody>${rows.join('\n')}</tbody></table></details>`}
</section>`;
}

function countOf(days: Drawn[], wanted: Drawn['state']): number {
  return days.filter(({ state }) => state === wanted).length;
}

function daysText(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}

/** A bar's place is its day's index. A few days do not fill the width. */
const MIN_WIDTH = 30;
const BAR_WIDTH = 0.9;
const HEIGHT = 100;

const widthOf = (days: Drawn[]) => Math.max(days.length, MIN_WIDTH);

/** A mark a day, in its colour. */
function stripOf(days: Drawn[]): string {
  const marks = days.map(
    ({ date, state }, index) =>
      `<rect class="${state}" x="${index}" width="${BAR_WIDTH}" height="1"><title>${date}: ${state}</title></rect>`,
  );
  return `<svg class="strip" viewBox="0 0 ${widthOf(days)} 1" preserveAspectRatio="none" role="img" aria-label="Quality by day">${marks.join('')}</svg>`;
}

/** Bars from zero, a day each, those of a colour in one path; nothing when every day has zero. */
function chartOf({ key, title, unit }: (typeof CHARTS)[number], days: Drawn[]): string {
  const most = Math.max(0, ...days.map(({ values }) => values?.[key] ?? 0));
  if (most === 0) return '';
  const paths = new Map<Drawn['state'], string>();
  for (const [index, { state, values }] of days.entries()) {
    const value = values?.[key] ?? 0;
    if (value <= 0) continue;
    const height = Math.max(Math.round((HEIGHT * value) / most), 1);
    paths.set(state, `${paths.get(state) ?? ''}M${index} ${HEIGHT}v-${height}h${BAR_WIDTH}v${height}z`);
  }
  const bars = [...paths].map(([state, path]) => `<path class="${state}" d="${path}"/>`).join('');
  const [first, last] = [days[0]?.date ?? '', days.at(-1)?.date ?? ''];
  return `<figure><figcaption>${title} <small>up to ${round(most)}${unit}</small></figcaption>
<svg viewBox="0 0 ${widthOf(days)} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}, ${first} to ${last}">${bars}</svg>
<small class="axis"><span>${first}</span><span>${days.length < MIN_WIDTH ? '' : last}</span></small></figure>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function pageOf({ totals, sections, others }: { totals: Totals; sections: string[]; others: string[] }): string {
  const [, summary = ''] = describeTotals(totals);
  const unusable = others.map((line) => `<li>${escapeHtml(line)}</li>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit of order book archives</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #d5dae0; --sound: #2f7d5b; --noted: #b98300; --faulty: #b4262c; --missing: #8a8f98 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #14171b; --line: #353b43; --sound: #57b68c; --noted: #e2b13c; --faulty: #ef6a6f; --missing: #6c727b } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: 1rem }
svg { width: 100%; display: block } svg.strip { height: 14px } figure { margin: 0 } figure svg { height: 72px; border-bottom: 1px solid var(--line) }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.1rem; margin: 1rem 0 } .axis { display: flex; justify-content: space-between }
rect.sound, path.sound { fill: var(--sound) } rect.noted, path.noted { fill: var(--noted) } rect.faulty, path.faulty { fill: var(--faulty) } rect.missing, path.missing { fill: var(--missing) }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
tr.faulty td:nth-child(3) { color: var(--faulty) } summary { cursor: pointer }
</style></head><body>
<h1>Audit of order book archives</h1>
<p>${escapeHtml(summary)} Times are UTC.</p>
<p class="key"><span style="background:var(--sound)"></span>nothing to tell<span style="background:var(--noted)"></span>notes<span style="background:var(--faulty)"></span>faults<span style="background:var(--missing)"></span>missing</p>
${sections.join('\n')}
${unusable === '' ? '' : `<section><h2>Not to be looked at</h2><ul>${unusable}</ul></section>`}
</body></html>
`;
}
