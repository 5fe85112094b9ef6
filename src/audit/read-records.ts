import { isDate, isTime } from '../base/time.js';
import { isPair } from '../catalog/archive-name.js';
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
  const { archive, pair, date, status, error, failureKind = 'archive' } = record;
  const isOne = typeof archive === 'string' && typeof pair === 'string' && isPair(pair) && isDate(String(date));
  if (!isOne || (status !== 'done' && status !== 'failed')) return undefined;
  // A full disk, or a network, tells nothing of the archive.
  if (status === 'failed' && failureKind !== 'archive') return undefined;
  const count = (name: string) => asCount(record[name]) ?? 0;
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
    firstTsMs: asTime(record['firstTsMs']) ?? null,
    lastTsMs: asTime(record['lastTsMs']) ?? null,
    book: null,
  };
}

function asCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function asTime(value: unknown): number | undefined {
  const ms = asCount(value);
  return ms !== undefined && isTime(ms) ? ms : undefined;
}
