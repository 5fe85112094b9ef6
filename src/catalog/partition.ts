/**
 * How the folders between a depth, or metrics, and an output are named: after the pair alone, or as Hive's tables have
 * them, `symbol=BTCUSDT/date=2025-01-15`, from which query engines take the columns `symbol` and `date`. Pairs have no
 * character that Hive would escape: letters, digits, `-` and `_`.
 */
import { isDate } from '../base/time.js';
import { isPair } from './archive-name.js';

export const PARTITIONS = ['none', 'hive'] as const;

export type Partition = (typeof PARTITIONS)[number];

const SYMBOL = 'symbol=';
const DATE = 'date=';

/** The folders of a pair's day, from above. */
export function partitionFolders(partition: Partition, { pair, date }: { pair: string; date: string }): string[] {
  return partition === 'hive' ? [SYMBOL + pair, dateFolder(date)] : [pair];
}

/** The folder of a day, as Hive has it. */
export function dateFolder(date: string): string {
  return DATE + date;
}

/** What the name of a folder of a pair tells. */
export interface PairFolder {
  partition: Partition;
  pair: string;
}

/** What a folder's name tells when it is that of a pair; `undefined`: it is not. */
export function parsePairFolder(name: string): PairFolder | undefined {
  const partition = name.startsWith(SYMBOL) ? 'hive' : 'none';
  const pair = partition === 'hive' ? name.slice(SYMBOL.length) : name;
  return isPair(pair) ? { partition, pair } : undefined;
}

/** The day that a folder of outputs is named after; `undefined`: none. */
export function parseDateFolder(name: string): string | undefined {
  const date = name.slice(DATE.length);
  return name.startsWith(DATE) && isDate(date) ? date : undefined;
}

/** The other way to name the folders of an output. */
export function otherPartition(partition: Partition): Partition {
  return partition === 'hive' ? 'none' : 'hive';
}
