/**
 * The one table of a metrics output's columns after `timestamp`. Names are made of it. docs/metrics.md defines each
 * column, and test/metrics/columns.test.ts holds that page to it. T stands for the row's boundary.
 */

export interface MetricInfo {
  /** May hold the parameter of its group in braces. */
  name: string;
  unit: 'quote' | 'base' | 'bps' | 'from −1 to 1' | 'count';
  /** In few words; docs/metrics.md has the formula. */
  meaning: string;
}

/** What the columns are of. Lists are ascending, each number once. */
export interface MetricsChoice {
  /** Levels a side of each imbalance; whole, above 0. */
  imbalanceLevels: readonly number[];
  /** Distances from mid, in bps, within which quantity is summed; above 0. */
  bandsBps: readonly number[];
  /** Amounts whose price impact is measured, in the quote currency; above 0. */
  impacts: readonly number[];
}

/** Columns that there may be: as many as the kernel has room for (kernel/layout.ts). */
export const MAX_METRICS = 256;

/** Levels a side of each average price; ascending. */
export const VWAP_LEVELS: readonly number[] = [5, 20];

/** Levels a side whose imbalance is averaged over time. */
export const HEARD_LEVELS = 5;

/** Of the book at T, in order. */
const BEST_COLUMNS: readonly MetricInfo[] = [
  { name: 'best_bid', unit: 'quote', meaning: 'highest price of a bid' },
  { name: 'best_bid_qty', unit: 'base', meaning: 'quantity at the best bid' },
  { name: 'best_ask', unit: 'quote', meaning: 'lowest price of an ask' },
  { name: 'best_ask_qty', unit: 'base', meaning: 'quantity at the best ask' },
  { name: 'mid', unit: 'quote', meaning: 'halfway between the best prices' },
  { name: 'microprice', unit: 'quote', meaning: 'mid drawn to the side with less quantity' },
  { name: 'spread', unit: 'quote', meaning: 'distance between the best prices' },
  { name: 'spread_bps', unit: 'bps', meaning: 'spread as a part of mid' },
  { name: 'bid_levels', unit: 'count', meaning: 'how many bids there are' },
  { name: 'ask_levels', unit: 'count', meaning: 'how many asks there are' },
];

/** For each number of levels that is chosen. */
const IMBALANCE_COLUMNS: readonly MetricInfo[] = [
  { name: 'imbalance_{N}', unit: 'from −1 to 1', meaning: 'which side has more quantity in its N best levels' },
];

/** For each of {@link VWAP_LEVELS}. */
const VWAP_COLUMNS: readonly MetricInfo[] = [
  { name: 'vwap_bid_{L}', unit: 'quote', meaning: 'average price of the L best bids, by quantity' },
  { name: 'vwap_ask_{L}', unit: 'quote', meaning: 'average price of the L best asks, by quantity' },
];

/** For each band that is chosen. */
const BAND_COLUMNS: readonly MetricInfo[] = [
  { name: 'bid_qty_{x}bps', unit: 'base', meaning: 'quantity of the bids within x bps of mid' },
  { name: 'bid_notional_{x}bps', unit: 'quote', meaning: 'what these bids are worth' },
  { name: 'ask_qty_{x}bps', unit: 'base', meaning: 'quantity of the asks within x bps of mid' },
  { name: 'ask_notional_{x}bps', unit: 'quote', meaning: 'what these asks are worth' },
];

/** For each amount whose price impact is asked for. */
const IMPACT_COLUMNS: readonly MetricInfo[] = [
  { name: 'buy_impact_{amount}_bps', unit: 'bps', meaning: 'how far above mid a buyer for the amount pays' },
  { name: 'sell_impact_{amount}_bps', unit: 'bps', meaning: 'how far below mid a seller for the amount is paid' },
];

/** Of the interval that T closes, in order. */
const INTERVAL_TABLE: readonly MetricInfo[] = [
  { name: 'messages', unit: 'count', meaning: 'messages in the interval' },
  { name: 'updates', unit: 'count', meaning: 'levels in these messages' },
  {
    name: 'ofi',
    unit: 'base',
    meaning: 'order flow imbalance: what came to the best bids, less what came to the best asks',
  },
  { name: 'mid_open', unit: 'quote', meaning: 'mid at the start of the interval' },
  { name: 'mid_high', unit: 'quote', meaning: 'highest mid' },
  { name: 'mid_low', unit: 'quote', meaning: 'lowest mid' },
  { name: 'mid_close', unit: 'quote', meaning: 'mid at T' },
  { name: 'mid_twap', unit: 'quote', meaning: 'mid averaged over time' },
  { name: 'spread_bps_twap', unit: 'bps', meaning: '`spread_bps` averaged over time' },
  { name: 'imbalance_5_twap', unit: 'from −1 to 1', meaning: '`imbalance_5` averaged over time' },
];

/** Every column or pattern of columns, in order. */
export const METRIC_COLUMNS: readonly MetricInfo[] = [
  ...BEST_COLUMNS,
  ...IMBALANCE_COLUMNS,
  ...VWAP_COLUMNS,
  ...BAND_COLUMNS,
  ...IMPACT_COLUMNS,
  ...INTERVAL_TABLE,
];

/** The names of the columns that say what the book is at T. */
export function bookColumns({ imbalanceLevels, bandsBps, impacts }: MetricsChoice): string[] {
  return [
    ...BEST_COLUMNS.map(({ name }) => name),
    ...namesFor(imbalanceLevels, IMBALANCE_COLUMNS),
    ...namesFor(VWAP_LEVELS, VWAP_COLUMNS),
    ...namesFor(bandsBps, BAND_COLUMNS),
    ...namesFor(impacts, IMPACT_COLUMNS),
  ];
}

/** The names of the columns that say what happened in the interval that T closes. */
export const INTERVAL_COLUMNS: readonly string[] = INTERVAL_TABLE.map(({ name }) => name);

/** The columns of a metrics output after `timestamp`; a name has each number as JavaScript writes it. */
export function metricsColumns(choice: MetricsChoice): string[] {
  return [...bookColumns(choice), ...INTERVAL_COLUMNS];
}

/** The names of a group: all of them for the first value of their parameter, then all for the next. */
function namesFor(values: readonly number[], group: readonly MetricInfo[]): string[] {
  return values.flatMap((value) => group.map(({ name }) => name.replace(/\{\w+\}/, String(value))));
}
