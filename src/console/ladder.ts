/** Draws a row of the book as a ladder of text: asks above, bids below, best prices in the middle. */
import { styleText } from 'node:util';
import { formatDuration, formatMoment } from '../base/moment.js';
import { bestPrices, type LadderRow } from '../peek/ladder-row.js';
import { FLAG_NAMES, type FlagName } from '../view/book-columns.js';
import { decimalsOf } from '../view/scales.js';
import { hasColors } from './terminal.js';

/** What the terminal can show. */
export interface Look {
  /** Columns of text. */
  width: number;
  hasColor: boolean;
  /** Whether it shows more than ASCII. */
  hasUnicode: boolean;
}

export interface Ladder {
  /** What the rows are of, such as `BTCUSDT linear`. */
  title: string;
  row: LadderRow;
  /** Levels a side to show, at most. */
  levels: number;
  /** What else is to be said of the row. */
  notes: readonly string[];
  /** A line below it. */
  foot?: string;
}

/** What a flag that is set means. */
const MEANINGS: Record<FlagName, string> = {
  suspect: 'messages are missing since the last full book',
  crossed: 'the best bid is at or above the best ask',
  filled: 'no message came in its interval',
  partial: 'the archive ended within its interval',
  thin: 'a side has fewer levels than there is room for',
};

const BAR_MIN = 6;
const BAR_MAX = 60;
const GAP = '  ';

/** Lines that no line of the terminal is too short for, unless it is shorter than a price and its quantity. */
export function drawLadder({ title, row, levels, notes, foot = '' }: Ladder, look: Look): string[] {
  const paint = painter(look);
  const asks = sideOf(row.askPrices, row.askQuantities, levels);
  const bids = sideOf(row.bidPrices, row.bidQuantities, levels);
  const table = layOut([...asks, ...bids], look);
  const line = (kind: 'ask' | 'bid', level: Level) => drawLevel(kind, level, table, look);
  const describe = (text: string) => wrap(plain(text, look), look.width);
  return [
    ...describe(`${title}${GAP}${formatMoment(row.timeMs)} UTC`).map((text) => paint('bold', text)),
    ...describe(notes.join(' · ')).map((text) => paint('dim', text)),
    paint('dim', table.heading),
    ...(asks.length > 0 ? asks.toReversed().map((level) => line('ask', level)) : ['no asks']),
    ...describe(describeBest(row)).map((text) => paint('bold', text)),
    ...(bids.length > 0 ? bids.map((level) => line('bid', level)) : ['no bids']),
    ...describeFlags(row).flatMap(([style, text]) => describe(text).map((part) => paint(style, part))),
    ...describe(foot),
  ];
}

interface Level {
  number: number;
  price: number;
  quantity: number;
  cumulative: number;
}

function sideOf(prices: Float64Array, quantities: Float64Array, levels: number): Level[] {
  let cumulative = 0;
  return Array.from(prices.subarray(0, levels), (price, index) => {
    const quantity = quantities[index] as number;
    cumulative += quantity;
    return { number: index + 1, price, quantity, cumulative };
  });
}

/** How wide each column is; 0: it is left out. */
interface Table {
  label: number;
  price: number;
  quantity: number;
  cumulative: number;
  bar: number;
  heading: string;
  priceDecimals: number;
  quantityDecimals: number;
  mostQuantity: number;
}

function layOut(all: Level[], look: Look): Table {
  const priceDecimals = all.reduce((most, { price }) => Math.max(most, decimalsOf(price)), 0);
  const quantityDecimals = all.reduce((most, { quantity }) => Math.max(most, decimalsOf(quantity)), 0);
  const widest = (texts: string[]) => texts.reduce((most, { length }) => Math.max(most, length), 0);
  const columns = {
    label: `ask ${all.length}`.length,
    price: widest(['price', ...all.map(({ price }) => price.toFixed(priceDecimals))]),
    quantity: widest(['quantity', ...all.map(({ quantity }) => quantity.toFixed(quantityDecimals))]),
    cumulative: widest(['cumulative', ...all.map(({ cumulative }) => cumulative.toFixed(quantityDecimals))]),
  };
  const room = () =>
    look.width - Object.values(columns).reduce((sum, width) => sum + (width > 0 ? width + GAP.length : 0), 0);
  if (room() < BAR_MIN) columns.label = 0;
  if (room() < BAR_MIN) columns.cumulative = 0;
  const bar = room() < BAR_MIN ? 0 : Math.min(BAR_MAX, room());
  const heading = cells([
    ['', columns.label],
    ['price', columns.price],
    ['quantity', columns.quantity],
    ['cumulative', columns.cumulative],
  ]);
  const mostQuantity = all.reduce((most, { quantity }) => Math.max(most, quantity), 0);
  return { ...columns, bar, heading, priceDecimals, quantityDecimals, mostQuantity };
}

/** Texts at the right edges of their columns. */
function cells(columns: [text: string, width: number][]): string {
  return columns
    .filter(([, width]) => width > 0)
    .map(([text, width]) => text.padStart(width))
    .join(GAP);
}

function drawLevel(kind: 'ask' | 'bid', level: Level, table: Table, look: Look): string {
  const paint = painter(look);
  const style = kind === 'ask' ? 'red' : 'green';
  const part = table.mostQuantity > 0 ? level.quantity / table.mostQuantity : 0;
  const columns = [
    table.label > 0 ? paint('dim', `${kind} ${level.number}`.padEnd(table.label)) : undefined,
    paint(style, level.price.toFixed(table.priceDecimals).padStart(table.price)),
    level.quantity.toFixed(table.quantityDecimals).padStart(table.quantity),
    table.cumulative > 0
      ? paint('dim', level.cumulative.toFixed(table.quantityDecimals).padStart(table.cumulative))
      : undefined,
    table.bar > 0 ? paint(style, drawBar(part, table.bar, look)) : undefined,
  ];
  return columns.filter((text) => text !== undefined).join(GAP);
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of a part of a width, in eighths of a character; never empty, so that each level is seen to have a quantity. */
function drawBar(part: number, width: number, { hasUnicode }: Look): string {
  if (!hasUnicode) return '#'.repeat(Math.max(1, Math.round(part * width)));
  const eighths = Math.max(1, Math.round(part * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

function describeBest(row: LadderRow): string {
  const { bid, ask, mid, spread, spreadBps } = bestPrices(row);
  if (bid === undefined || ask === undefined || spread === undefined || mid === undefined) return 'no spread, no mid';
  const decimals = Math.max(decimalsOf(bid), decimalsOf(ask));
  const bps = spreadBps === undefined ? '' : ` (${formatBps(spreadBps)} bps)`;
  return `spread ${spread.toFixed(decimals)}${bps} · mid ${mid.toFixed(decimals + 1)}`;
}

function formatBps(bps: number): string {
  return Math.abs(bps) < 1 ? bps.toPrecision(2) : bps.toFixed(2);
}

function describeFlags({ flags }: LadderRow): [style: 'yellow' | 'dim', text: string][] {
  const set = FLAG_NAMES.filter((name) => flags[name] === true);
  if (set.length > 0) return set.map((name) => ['yellow', `${name}: ${MEANINGS[name]}`]);
  if (flags.suspect !== undefined) return [['dim', 'quality: nothing to remark']];
  return [['dim', 'quality: not in the file (convert --quality adds it)']];
}

/** What the row is when none is of the very time that was asked for. */
export function describeAge(row: LadderRow, atMs: number): string[] {
  const ageMs = atMs - row.timeMs;
  return ageMs > 0 && Number.isFinite(ageMs)
    ? [`asked for ${formatMoment(atMs)}: the latest row before it, ${formatDuration(ageMs)} older`]
    : [];
}

/** Where in the archive the row is. */
export function describeMessage({ message, timeMs }: LadderRow): string[] {
  if (!message) return [];
  const ageMs = timeMs - message.tsMs;
  const age = ageMs > 0 ? `, ${formatDuration(ageMs)} before` : '';
  const bad = message.badLinesBefore;
  return [
    `message ${message.number} of ${formatMoment(message.tsMs).slice(11)}${age}`,
    ...(bad > 0 ? [`${bad} line${bad === 1 ? '' : 's'} before it could not be read`] : []),
  ];
}

type Style = Parameters<typeof styleText>[0];

/** Colours, where there are any. */
function painter({ hasColor }: Look): (style: Style, text: string) => string {
  // Whether the stream has colours was decided already; newer versions of Node would look at stdout again.
  return (style, text) => (hasColor && text !== '' ? styleText(style, text, { validateStream: false }) : text);
}

function plain(text: string, { hasUnicode }: Look): string {
  return hasUnicode ? text : text.replaceAll('·', '-').replaceAll('…', '...').replace('←/→', 'left/right');
}

/** Breaks a text between words; a word that is too long is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ (?! )/)) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (joined.length <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word.trimStart().slice(0, width);
  }
  return line === '' ? lines : [...lines, line];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a stream can show, as far as it and the environment tell. */
export function lookOf(stream: NodeJS.WriteStream, environment: Environment): Look {
  const isTerminal = Boolean(stream.isTTY);
  const { TERM, LC_ALL, LC_CTYPE, LANG } = environment;
  const locale = LC_ALL || LC_CTYPE || LANG;
  const isPlain = TERM === 'dumb' || TERM === 'linux';
  const saysOther = locale !== undefined && locale !== '' && !/utf-?8/i.test(locale);
  return {
    width: isTerminal ? Math.max(20, stream.columns || 80) : 80,
    hasColor: hasColors(stream),
    hasUnicode: !isPlain && !saysOther,
  };
}
