/** The book of one row: levels with bars, best ones in the middle, and the curve of its depth. */
import { FLAG, FLAG_NAMES } from '../book-columns.js';
import { cssColor, LINES, type Theme } from '../palettes.js';
import { decimalsOf, shortNumber } from '../scales.js';
import type { LadderRow } from './messages.js';
import { formatTime } from './state.js';

const ROW_HEIGHT = 19;
/** Lines beyond those that are seen, so that a quick scroll finds them. */
const SPARE_LINES = 8;

interface Decimals {
  priceDecimals: number;
  quantityDecimals: number;
}

interface Line {
  side: 'bid' | 'ask';
  level: number;
  price: number;
  quantity: number;
  cumulative: number;
}

const FLAG_TEXTS: Record<keyof typeof FLAG, string> = {
  filled: 'filled: no message came in its interval',
  suspect: 'suspect: a message is missing since the last full book',
  crossed: 'crossed: the best bid is at or above the best ask',
  thin: 'thin: a side has fewer levels than there is room for',
  partial: 'partial: the archive ended within its interval',
};

/** Those of all rows were found by looking at some: this one may have more. */
function decimalsFor({ bidPrices, askPrices, bidQuantities, askQuantities }: LadderRow, least: Decimals): Decimals {
  const most = (sides: Float64Array[], atLeast: number) =>
    sides.reduce((all, side) => side.reduce((digits, value) => Math.max(digits, decimalsOf(value)), all), atLeast);
  return {
    priceDecimals: most([bidPrices, askPrices], least.priceDecimals),
    quantityDecimals: most([bidQuantities, askQuantities], least.quantityDecimals),
  };
}

export class Ladder {
  readonly #root: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #body: HTMLElement;
  #lines: Line[] = [];
  #asks = 0;
  #decimals: Decimals = { priceDecimals: 0, quantityDecimals: 0 };
  #pool: HTMLElement[] = [];
  /** Whether the spread is kept in the middle, until somebody scrolls. */
  #isCentred = true;
  #centredAt = 0;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#scroller = root.querySelector('.ladder-scroll') as HTMLElement;
    this.#body = root.querySelector('.ladder-body') as HTMLElement;
    this.#scroller.addEventListener('scroll', () => {
      this.#isCentred = Math.abs(this.#scroller.scrollTop - this.#centredAt) < 2;
      this.#draw();
    });
    new ResizeObserver(() => this.#layOut()).observe(this.#scroller);
  }

  show(row: LadderRow | null | undefined, decimals: Decimals, hasQuality: boolean, theme: Theme): void {
    this.#decimals = row ? decimalsFor(row, decimals) : decimals;
    this.#root.dataset['time'] = row ? String(row.timeMs) : '';
    const text = (name: string, value: string) => {
      (this.#root.querySelector(`.${name}`) as HTMLElement).textContent = value;
    };
    text('ladder-time', row ? `${formatTime(row.timeMs).replace('T', ' ')} UTC` : 'No row here');
    if (!row) {
      this.#lines = [];
      this.#asks = 0;
      text('ladder-summary', '');
      text('ladder-quality', '');
      this.#layOut();
      drawDepthCurve(this.#root.querySelector('.depth') as HTMLCanvasElement, undefined, theme, decimals);
      return;
    }
    const bids = linesOf('bid', row.bidPrices, row.bidQuantities);
    const asks = linesOf('ask', row.askPrices, row.askQuantities);
    this.#lines = [...asks.reverse(), ...bids];
    this.#asks = asks.length;
    text('ladder-summary', summaryOf(row, this.#decimals));
    const flags = FLAG_NAMES.filter((name) => (row.flags & FLAG[name]) !== 0);
    const texts = flags.map((name) => FLAG_TEXTS[name]);
    const isKnown = hasQuality || texts.length > 0;
    const quality = isKnown
      ? texts.join('; ') || 'Nothing is wrong with this row.'
      : 'The file has no flags of quality.';
    text('ladder-quality', quality);
    (this.#root.querySelector('.ladder-quality') as HTMLElement).dataset['flags'] = flags.join(' ');
    this.#layOut();
    drawDepthCurve(this.#root.querySelector('.depth') as HTMLCanvasElement, row, theme, this.#decimals);
  }

  #layOut(): void {
    const height = this.#scroller.clientHeight;
    this.#body.style.height = `${(this.#lines.length + 1) * ROW_HEIGHT}px`;
    this.#body.setAttribute('aria-rowcount', String(this.#lines.length + 1));
    const wanted = Math.ceil(height / ROW_HEIGHT) + 2 * SPARE_LINES;
    while (this.#pool.length < wanted) {
      const line = newLine();
      this.#pool.push(line);
      this.#body.append(line);
    }
    if (this.#isCentred) {
      const top = Math.max(0, (this.#asks + 0.5) * ROW_HEIGHT - height / 2);
      this.#scroller.scrollTop = top;
      this.#centredAt = this.#scroller.scrollTop;
    }
    this.#draw();
  }

  /** Fills the few lines that are seen. */
  #draw(): void {
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / ROW_HEIGHT) - SPARE_LINES);
    const total = this.#lines.length === 0 ? 0 : this.#lines.length + 1;
    // Bars compare what is seen: far from the best prices lie larger orders.
    const seen = this.#lines.slice(first, first + this.#pool.length);
    const most = seen.reduce((largest, { quantity }) => Math.max(largest, quantity), 0) || 1;
    this.#pool.forEach((element, index) => {
      const place = first + index;
      element.hidden = place >= total;
      if (element.hidden) return;
      element.style.transform = `translateY(${place * ROW_HEIGHT}px)`;
      element.setAttribute('aria-rowindex', String(place + 1));
      if (place === this.#asks) this.#fillSpread(element);
      else this.#fill(element, this.#lines[place < this.#asks ? place : place - 1] as Line, most);
    });
  }

  #fill(element: HTMLElement, { side, level, price, quantity, cumulative }: Line, most: number): void {
    const { priceDecimals, quantityDecimals } = this.#decimals;
    element.className = `ladder-line ${side}`;
    element.dataset['level'] = String(level);
    const [priceCell, quantityCell, cumulativeCell] = [...element.children] as HTMLElement[];
    (priceCell as HTMLElement).textContent = price.toFixed(priceDecimals);
    (quantityCell as HTMLElement).textContent = quantity.toFixed(quantityDecimals);
    (cumulativeCell as HTMLElement).textContent = cumulative.toFixed(quantityDecimals);
    element.style.setProperty('--part', String(quantity / most));
  }

  #fillSpread(element: HTMLElement): void {
    const ask = this.#lines[this.#asks - 1];
    const bid = this.#lines[this.#asks];
    element.className = 'ladder-line spread';
    element.dataset['level'] = '';
    element.style.setProperty('--part', '0');
    const [priceCell, quantityCell, cumulativeCell] = [...element.children] as HTMLElement[];
    const isWhole = ask?.side === 'ask' && bid?.side === 'bid';
    const spread = isWhole ? ask.price - bid.price : Number.NaN;
    (priceCell as HTMLElement).textContent = isWhole ? spread.toFixed(this.#decimals.priceDecimals) : 'one side';
    (quantityCell as HTMLElement).textContent = isWhole ? 'spread' : '';
    (cumulativeCell as HTMLElement).textContent = isWhole
      ? `${((spread / ((ask.price + bid.price) / 2)) * 1e4).toFixed(2)} bps`
      : '';
  }
}

function newLine(): HTMLElement {
  const line = document.createElement('div');
  line.setAttribute('role', 'row');
  for (let cell = 0; cell < 3; cell++) {
    const element = document.createElement('span');
    element.setAttribute('role', 'cell');
    line.append(element);
  }
  return line;
}

function linesOf(side: 'bid' | 'ask', prices: Float64Array, quantities: Float64Array): Line[] {
  let cumulative = 0;
  return Array.from(prices, (price, index) => {
    const quantity = quantities[index] as number;
    cumulative += quantity;
    return { side, level: index + 1, price, quantity, cumulative };
  });
}

/** In words, also for who cannot see the picture. */
export function summaryOf(row: LadderRow, { priceDecimals }: Decimals): string {
  const [bid, ask] = [row.bidPrices[0], row.askPrices[0]];
  if (bid === undefined || ask === undefined) return 'One side is empty.';
  const mid = (bid + ask) / 2;
  const bps = ((ask - bid) / mid) * 1e4;
  const levels = `${row.bidPrices.length} bids, ${row.askPrices.length} asks`;
  return `mid ${mid.toFixed(priceDecimals + 1)}, spread ${bps.toFixed(2)} bps, ${levels}`;
}

/** Quantity from mid outward, as steps. */
function drawDepthCurve(canvas: HTMLCanvasElement, row: LadderRow | undefined, theme: Theme, decimals: Decimals): void {
  const ratio = window.devicePixelRatio;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  const text = theme === 'dark' ? '#a9b1bf' : '#4b5361';
  const bids = row ? linesOf('bid', row.bidPrices, row.bidQuantities) : [];
  const asks = row ? linesOf('ask', row.askPrices, row.askQuantities) : [];
  const all = [...bids, ...asks];
  const most = Math.max(bids.at(-1)?.cumulative ?? 0, asks.at(-1)?.cumulative ?? 0);
  canvas.setAttribute(
    'aria-label',
    all.length === 0
      ? 'Depth curve: no levels'
      : `Depth curve: bids sum up to ${shortNumber(bids.at(-1)?.cumulative ?? 0)}, asks to ${shortNumber(asks.at(-1)?.cumulative ?? 0)}`,
  );
  if (all.length === 0 || most === 0) return;
  const low = all.reduce((least, { price }) => Math.min(least, price), Infinity);
  const high = all.reduce((largest, { price }) => Math.max(largest, price), -Infinity);
  const bottom = height - 16;
  const x = (price: number) => (high > low ? ((price - low) / (high - low)) * width : width / 2);
  const y = (quantity: number) => bottom - (quantity / most) * (bottom - 6);
  for (const side of [bids, asks]) {
    const [best] = side;
    if (!best) continue;
    const path = new Path2D();
    path.moveTo(x(best.price), bottom);
    let last = bottom;
    for (const { price, cumulative } of side) {
      path.lineTo(x(price), last);
      last = y(cumulative);
      path.lineTo(x(price), last);
    }
    const color = cssColor(LINES[theme][best.side]);
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.stroke(path);
    path.lineTo(x(side.at(-1)?.price ?? 0), bottom);
    path.closePath();
    context.fillStyle = color;
    context.globalAlpha = 0.18;
    context.fill(path);
    context.globalAlpha = 1;
  }
  context.fillStyle = text;
  context.font = '10px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
  context.textBaseline = 'bottom';
  context.textAlign = 'left';
  context.fillText(low.toFixed(decimals.priceDecimals), 0, height);
  context.textAlign = 'right';
  context.fillText(high.toFixed(decimals.priceDecimals), width, height);
  context.textBaseline = 'top';
  context.textAlign = 'center';
  context.fillText(shortNumber(most), width / 2, 0);
}
