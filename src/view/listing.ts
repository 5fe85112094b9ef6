/** What the server tells the page of the outputs that are there, as JSON. */

/** `[day, version, rows, filled, suspect, last day]`: all but the first two `null` where they are not known. */
export type ListedDay = readonly [
  /** `YYYY-MM-DD`, the first day of a joined file; the file's name where that tells no day. Unique in its series. */
  day: string,
  /** Another one when the file is another one. */
  version: string,
  /** As recorded when it was converted. */
  rows: number | null,
  filledRows: number | null,
  suspectRows: number | null,
  /** Of a file of several days. */
  lastDay?: string,
];

/** Outputs of one kind, which can be seen on one axis of time. */
export interface ListedSeries {
  /** What requests name it by. */
  id: string;
  market: string | null;
  symbol: string;
  kind: 'book' | 'metrics';
  /** Levels a side; `null`: of metrics, or not known from the name. */
  depth: number | null;
  /** As file names have it. */
  interval: string;
  /** `null`: not known from the name. */
  intervalMs: number | null;
  format: string;
  /** In order. */
  days: ListedDay[];
}

export interface Listing {
  /** Another one when anything has changed. */
  version: string;
  /** What was looked at, for the title. */
  place: string;
  series: ListedSeries[];
  /** Folders that cannot be read, and why. */
  problems: string[];
}
