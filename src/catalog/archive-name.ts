import { isDate } from '../base/time.js';

/** What Bybit's file names say: `2025-01-15_BTCUSDT_ob500.data.zip`. */
export interface ArchiveName {
  /** UTC day, `YYYY-MM-DD`. */
  date: string;
  pair: string;
  /** Levels a side. */
  sourceDepth: number;
}

/** Folder names have four digits, so this is as deep as a book can be filed. */
export const MAX_DEPTH = 9999;

const NAME = /^(\d{4}-\d{2}-\d{2})_([A-Za-z0-9_-]+)_ob(\d{1,4})(?!\d)/;
const PAIR = /^[A-Za-z0-9_-]+$/;
const TOPIC = /^orderbook\.(\d{1,4})\.([A-Za-z0-9_-]+)$/;

/** `undefined` when the name is not of the form `DATE_PAIR_obN…`. */
export function parseArchiveName(fileName: string): ArchiveName | undefined {
  const [, date = '', pair = '', depth = ''] = NAME.exec(fileName) ?? [];
  return isDate(date) && isDepth(Number(depth)) ? { date, pair, sourceDepth: Number(depth) } : undefined;
}

/** The date anywhere in a file name. */
export function findDate(fileName: string): string | undefined {
  const date = /(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)/.exec(fileName)?.[0];
  return date !== undefined && isDate(date) ? date : undefined;
}

/** The pair and depth in a message's topic, such as `orderbook.500.XRPUSDT`. */
export function parseTopic(topic: string): Omit<ArchiveName, 'date'> | undefined {
  const [, depth = '', pair = ''] = TOPIC.exec(topic) ?? [];
  return isDepth(Number(depth)) ? { pair, sourceDepth: Number(depth) } : undefined;
}

export function isPair(text: string): boolean {
  return PAIR.test(text);
}

/** Whether a number is one of levels a side that a book can be filed under. */
export function isDepth(depth: number): boolean {
  return Number.isInteger(depth) && depth >= 1 && depth <= MAX_DEPTH;
}

/** The name of the folder of a depth: `0200`. */
export function depthFolder(depth: number): string {
  return String(depth).padStart(4, '0');
}
