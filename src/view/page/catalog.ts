/** The left side: which symbols there are, and of the chosen one a strip of months, day by day, with their quality. */
import { DAY_MS, midnightMs, toDate } from '../../base/time.js';
import type { ListedDay, ListedSeries, Listing } from '../listing.js';
import {
  countQualities,
  filesByDay,
  noCounts,
  QUALITIES,
  QUALITY_TEXTS,
  type Quality,
  qualityOf,
} from '../qualities.js';

/** Everything of a symbol in a market. */
interface SymbolEntry {
  key: string;
  market: string | null;
  symbol: string;
  /** Books first, the deepest first. */
  series: ListedSeries[];
  counts: Record<Quality, number>;
}

export class Catalog {
  readonly #root: HTMLElement;
  readonly #onChoose: (series: ListedSeries, from: string, to: string) => void;
  #entries: SymbolEntry[] = [];
  #series: ListedSeries | undefined;
  #from = '';
  #to = '';
  #filter = '';

  constructor(root: HTMLElement, onChoose: (series: ListedSeries, from: string, to: string) => void) {
    this.#root = root;
    this.#onChoose = onChoose;
    const filter = this.#find<HTMLInputElement>('#filter');
    filter.addEventListener('input', () => {
      this.#filter = filter.value.trim().toUpperCase();
      this.#drawSymbols();
    });
    filter.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#find('.symbol:not([hidden])')?.click();
      if (event.key === 'ArrowDown') this.#find('.symbol:not([hidden])')?.focus();
    });
    this.#find<HTMLSelectElement>('#kind').addEventListener('change', ({ target }) => {
      const { value } = target as HTMLSelectElement;
      const series = this.#entries.flatMap(({ series: all }) => all).find(({ id }) => id === value);
      if (series) this.#chooseNear(series, this.#from, this.#to);
    });
    this.#find('.symbols').addEventListener('keydown', (event) => this.#stepSymbols(event));
    this.#find('.calendar').addEventListener('keydown', (event) => this.#stepDays(event));
    this.#find('.calendar').addEventListener('click', ({ target, shiftKey }) => {
      const { day } = (target as HTMLElement).dataset;
      if (day !== undefined) this.#chooseDay(day, shiftKey);
    });
    this.#find('.symbols').addEventListener('click', ({ target }) => {
      const { key } = (target as HTMLElement).closest<HTMLElement>('.symbol')?.dataset ?? {};
      const [first] = this.#entries.find((entry) => entry.key === key)?.series ?? [];
      if (first) this.#chooseNear(first, this.#from, this.#to);
    });
  }

  /** The book that is shown when the address names none: the first symbol's last day. */
  static firstBook(listing: Listing): { series: ListedSeries; day: string } | undefined {
    const series = listing.series.find(({ kind, days }) => kind === 'book' && days.length > 0);
    const day = series?.days.at(-1)?.[0];
    return series && day !== undefined ? { series, day } : undefined;
  }

  setListing({ series }: Listing): void {
    const entries = new Map<string, SymbolEntry>();
    for (const one of series) {
      if (one.kind !== 'book') continue;
      const key = `${one.market ?? ''}/${one.symbol}`;
      const entry = entries.get(key) ?? { key, market: one.market, symbol: one.symbol, series: [], counts: noCounts() };
      entries.set(key, entry);
      entry.series.push(one);
    }
    this.#entries = [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const entry of this.#entries) {
      entry.series.sort((a, b) => (b.depth ?? 0) - (a.depth ?? 0) || (a.id < b.id ? -1 : 1));
      const [first] = entry.series;
      if (first) entry.counts = countQualities(first);
    }
    this.#drawSymbols();
    const current = series.find(({ id }) => id === this.#series?.id);
    if (current) this.setChosen(current, this.#from, this.#to);
  }

  setChosen(series: ListedSeries, from: string, to: string): void {
    this.#series = series;
    this.#from = from;
    this.#to = to;
    for (const element of this.#root.querySelectorAll<HTMLElement>('.symbol')) {
      const isChosen = element.dataset['key'] === `${series.market ?? ''}/${series.symbol}`;
      element.setAttribute('aria-current', String(isChosen));
      if (isChosen) element.scrollIntoView({ block: 'nearest' });
    }
    this.#drawKinds();
    this.#drawCalendar();
  }

  #find<E extends HTMLElement = HTMLElement>(selector: string): E {
    return this.#root.querySelector<E>(selector) as E;
  }

  #drawSymbols(): void {
    const list = this.#find('.symbols');
    const shown = this.#entries.filter(({ symbol, market }) =>
      `${symbol} ${market ?? ''}`.toUpperCase().includes(this.#filter),
    );
    list.replaceChildren(...shown.map((entry) => symbolElement(entry, this.#series)));
    const all = `${this.#entries.length} ${this.#entries.length === 1 ? 'symbol' : 'symbols'}`;
    this.#find('#found').textContent = this.#filter === '' ? all : `${shown.length} of ${all}`;
  }

  #drawKinds(): void {
    const entry = this.#entries.find(({ series }) => series.some(({ id }) => id === this.#series?.id));
    const select = this.#find<HTMLSelectElement>('#kind');
    const options = (entry?.series ?? []).map(({ id, depth, interval, format }) => {
      const text = [depth === null ? 'book' : `${depth} levels`, interval, format].filter(Boolean).join(' · ');
      return new Option(text, id, false, id === this.#series?.id);
    });
    select.replaceChildren(...options);
  }

  #drawCalendar(): void {
    const series = this.#series;
    const calendar = this.#find('.calendar');
    if (!series) {
      calendar.replaceChildren();
      return;
    }
    const hadFocus = calendar.contains(document.activeElement);
    const days = filesByDay(series.days);
    const dated = [...days.keys()].sort();
    const [first, last] = [dated[0], dated.at(-1)];
    const months: HTMLElement[] = [];
    if (first !== undefined && last !== undefined) {
      for (const month of monthsBetween(first, last)) months.push(this.#monthElement(month, series, days, first, last));
    }
    for (const [name] of series.days) if (Number.isNaN(midnightMs(name))) months.push(this.#fileElement(name));
    calendar.replaceChildren(...months);
    if (hadFocus) calendar.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    calendar.querySelector('[tabindex="0"]')?.scrollIntoView({ block: 'nearest' });
  }

  #monthElement(
    month: string,
    series: ListedSeries,
    days: Map<string, ListedDay>,
    first: string,
    last: string,
  ): HTMLElement {
    const row = document.createElement('div');
    row.className = 'month';
    const name = document.createElement('span');
    name.className = 'month-name';
    name.textContent = month;
    const cells = document.createElement('div');
    cells.className = 'month-days';
    row.append(name, cells);
    const startMs = midnightMs(`${month}-01`);
    for (let ms = startMs; toDate(ms).startsWith(month); ms += DAY_MS) {
      const day = toDate(ms);
      const listed = days.get(day);
      if (day < first || day > last) {
        const blank = document.createElement('span');
        blank.className = 'day blank';
        cells.append(blank);
        continue;
      }
      const quality = listed ? qualityOf(listed, series.intervalMs) : 'missing';
      const cell = document.createElement('button');
      cell.type = 'button';
      cell.className = `day ${quality}`;
      // The file is chosen by its first day.
      const file = listed?.[0] ?? day;
      cell.dataset['day'] = file;
      cell.title = describeDay(day, listed, quality);
      cell.setAttribute('aria-label', cell.title);
      cell.setAttribute('aria-pressed', String(file >= this.#from && file <= this.#to));
      cell.tabIndex = day === this.#to ? 0 : -1;
      if (!listed) cell.setAttribute('aria-disabled', 'true');
      cells.append(cell);
    }
    return row;
  }

  #fileElement(name: string): HTMLElement {
    const cell = document.createElement('button');
    cell.type = 'button';
    cell.className = 'file';
    cell.dataset['day'] = name;
    cell.textContent = name;
    cell.setAttribute('aria-pressed', String(name === this.#from));
    cell.tabIndex = name === this.#from ? 0 : -1;
    return cell;
  }

  #chooseDay(day: string, isUntil: boolean): void {
    const series = this.#series;
    if (!series?.days.some(([known]) => known === day)) return;
    const [from, to] =
      isUntil && this.#from !== ''
        ? [this.#from, this.#to, day].sort((a, b) => (a < b ? -1 : 1)).filter((_, i) => i !== 1)
        : [day, day];
    this.#onChoose(series, from ?? day, to ?? day);
  }

  /** Stays at the same days where there are such. */
  #chooseNear(series: ListedSeries, from: string, to: string): void {
    const known = series.days.map(([day]) => day);
    const isThere = known.includes(from) && known.includes(to);
    const last = known.at(-1);
    if (isThere) this.#onChoose(series, from, to);
    else if (last !== undefined) this.#onChoose(series, last, last);
  }

  #stepSymbols(event: KeyboardEvent): void {
    const all = [...this.#root.querySelectorAll<HTMLElement>('.symbol')];
    const index = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0) this.#find('#filter').focus();
    else all[next]?.focus();
  }

  #stepDays(event: KeyboardEvent): void {
    const all = [...this.#find('.calendar').querySelectorAll<HTMLElement>('button')];
    const index = all.indexOf(document.activeElement as HTMLElement);
    const next = {
      ...{ ArrowRight: index + 1, ArrowLeft: index - 1, ArrowDown: index + 7, ArrowUp: index - 7 },
      ...{ Home: 0, End: all.length - 1 },
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
  }
}

function symbolElement(entry: SymbolEntry, chosen: ListedSeries | undefined): HTMLElement {
  const { key, market, symbol, counts } = entry;
  const element = document.createElement('button');
  element.type = 'button';
  element.className = 'symbol';
  element.dataset['key'] = key;
  element.setAttribute(
    'aria-current',
    String(chosen !== undefined && key === `${chosen.market ?? ''}/${chosen.symbol}`),
  );
  const name = document.createElement('span');
  name.className = 'symbol-name';
  name.textContent = symbol;
  const place = document.createElement('span');
  place.className = 'symbol-market';
  place.textContent = market ?? '';
  const days = document.createElement('span');
  days.className = 'symbol-days';
  const count = Object.values(counts).reduce((sum, one) => sum + one, 0) - counts.missing;
  days.textContent = `${count} ${count === 1 ? 'day' : 'days'}`;
  const bar = document.createElement('span');
  bar.className = 'bar';
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  for (const quality of QUALITIES) {
    if (counts[quality] === 0) continue;
    const part = document.createElement('span');
    part.className = quality;
    part.style.flexGrow = String(Math.max(counts[quality], total / 60));
    bar.append(part);
  }
  const told = QUALITIES.filter((quality) => counts[quality] > 0).map((quality) => `${counts[quality]} ${quality}`);
  element.title = `${symbol}: ${told.join(', ')}`;
  element.append(name, place, days, bar);
  return element;
}

/** A wrong date must not become thousands of months. */
const MAX_MONTHS = 240;

function monthsBetween(first: string, last: string): string[] {
  const months: string[] = [];
  const [year = 0, month = 1] = first.split('-').map(Number);
  for (let index = 0; index < MAX_MONTHS; index++) {
    const name = toDate(Date.UTC(year, month - 1 + index, 1)).slice(0, 7);
    if (name > last) break;
    months.push(name);
  }
  return months.reverse();
}

function describeDay(day: string, listed: ListedDay | undefined, quality: Quality): string {
  const [, , rows = null, filled = null, suspect = null] = listed ?? [];
  const counts = [
    rows === null ? '' : `${rows} rows`,
    filled ? `${filled} filled` : '',
    suspect ? `${suspect} suspect` : '',
  ].filter(Boolean);
  return [`${day}: ${quality}`, counts.length > 0 ? counts.join(', ') : QUALITY_TEXTS[quality]].join(', ');
}
