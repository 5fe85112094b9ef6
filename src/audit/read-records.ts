import { isDate } from '../base/time.js';
import { parseMarket } from '../catalog/market.js';
import { eachRecord } from '../catalog/records.js';
import { nameOf } from '../storage/paths.js';
import type { ArchiveFindings } from './findings.js';

/**
 * What the records of an output folder tell of archives, of each the last one: counts, first and last message. What only
 * reading tells is null.
 *
 * @throws {@link UsageError} when the records cannot be read.
 */
export async function readRecordedFindings(outputDir: string): Promise<ArchiveFindings[]> {
  const byArchive = new Map<string, ArchiveFindings>();
  for await (const record of eachRecord(outputDir)) {
    const found = toFindings(record);
    if (found) byArchive.set(`${found.market ?? ''}/${nameOf(found.archive)}`, found);
  }
  return [...byArchive.values()];
}

function toFindings(record: Record<string, unknown>): ArchiveFindings | undefined {
  const { archive, pair, date, status, error } = record;
  const isOne = typeof archive === 'string' && typeof pair === 'string' && isDate(String(date));
  if (!isOne || (status !== 'done' && status !== 'failed')) return undefined;
  const count = (name: string) => asNumber(record[name]) ?? 0;
  // The record's own market may be no more than how the messages are written.
  const [output] = Array.isArray(record['outputs']) ? record['outputs'] : [];
  const market = parseMarket(output?.market);
  return {
    archive,
    ...(market && { market }),
    pair,
    date: String(date),
    sourceDepth: count('sourceDepth'),
    archiveBytes: count('archiveBytes'),
    source: 'record',
    textBytes: null,
    integrity: null,
    problem: status === 'failed' ? String(error ?? 'it could not be converted') : null,
    firstBadLine: null,
    messages: count('messages'),
    snapshots: count('snapshots'),
    updates: count('updates'),
    earlyDeltas: count('earlyDeltas'),
    badLines: count('badLines'),
    outOfOrder: count('outOfOrderMessages'),
    breaks: count('updateIdBreaks'),
    firstTsMs: asNumber(record['firstTsMs']) ?? null,
    lastTsMs: asNumber(record['lastTsMs']) ?? null,
    book: null,
  };
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
