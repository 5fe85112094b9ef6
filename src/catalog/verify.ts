/** Whether the outputs are what was written: every byte is read and compared with the records. */
import { openStorage } from '../storage/open-storage.js';
import { joinPath } from '../storage/paths.js';
import type { FileVersion } from '../storage/storage.js';
import { isSameVersion, versionIn } from '../storage/version.js';
import { hashFile } from './hash-file.js';
import type { KnownOutput, Outputs } from './inventory.js';
import { isOfMarket, type MarketChoice, type MarketName } from './market.js';
import { parsePlace, placeOf } from './output-name.js';
import { type Records, readRecords } from './records.js';

/** What was found of an output. */
export type Finding =
  /** It is what was written. */
  | { state: 'ok'; path: string; sha256: string }
  /** Its size is right, and a record of version 0.1 tells no more. */
  | { state: 'unsure'; path: string; sha256: string }
  /** It is not what was written: what is wrong. */
  | { state: 'damaged'; path: string; problem: string }
  /** It cannot be read now, which says nothing of what is in it: why. */
  | { state: 'unread'; path: string; problem: string }
  /** No record tells of it: something else made it. */
  | { state: 'foreign'; path: string; sha256: string }
  /** It was made, and is not there. */
  | { state: 'missing'; path: string };

export interface VerifyOptions {
  outputDir: string;
  /** Markets wanted; absent: all. */
  markets?: readonly MarketChoice[] | undefined;
  /** Pairs wanted; absent: all. */
  symbols?: readonly string[] | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Called now and then, to let others have their turn. */
  pause?: () => Promise<void> | undefined;
}

/**
 * Reads outputs and compares them with their records, in the order in which they are found; then tells of those that are
 * recorded and not there. What another run makes again meanwhile is compared with what that run has recorded of it.
 *
 * @throws {@link UsageError} when the records are to be read again, and cannot be.
 */
export async function* verifyOutputs(outputs: Outputs, options: VerifyOptions): AsyncGenerator<Finding> {
  const { outputDir, pause } = options;
  const wanted = outputs.all.filter((output) => isWanted(output, options));
  const replaced: KnownOutput[] = [];
  for (const output of wanted) {
    const finding = await verify(output, outputs.records, pause);
    const isFine = finding.state === 'ok' || finding.state === 'unsure';
    if (isFine || !(await isReplaced(output))) yield finding;
    else replaced.push(output);
  }
  const records = replaced.length > 0 ? await readRecords(outputDir) : outputs.records;
  const there = new Set(outputs.all.map((output) => placeOf(output)));
  for (const output of replaced) {
    const now = await look(output.path);
    if (now) yield await verify({ ...output, ...now }, records, pause);
    else there.delete(placeOf(output)); // moved to the folders of another partition
  }
  for (const { path, problem, output } of outputs.unseen) {
    if (!output || !isWanted(output, options)) continue;
    there.add(placeOf({ ...output, path }));
    yield { state: 'damaged', path, problem };
  }
  for (const place of records.places) {
    const { market, pair = '', date = '' } = parsePlace(place) ?? {};
    if (there.has(place) || !isWanted({ market, pair, date }, options)) continue;
    const path = joinPath(outputDir, ...place.split('/'));
    // Recorded first, an output may have appeared since.
    if (!(await look(path))) yield { state: 'missing', path };
  }
}

async function look(path: string): Promise<FileVersion | undefined> {
  const entry = await openStorage(path).look(path);
  return entry?.kind === 'file' ? versionIn(entry) : undefined;
}

async function isReplaced(output: KnownOutput): Promise<boolean> {
  try {
    const now = await look(output.path);
    return !now || !isSameVersion(now, output);
  } catch {
    return false; // the disk is at fault
  }
}

async function verify(output: KnownOutput, records: Records, pause: VerifyOptions['pause']): Promise<Finding> {
  const { path, sizeBytes } = output;
  let sha256: string;
  try {
    sha256 = await hashFile(path, pause);
  } catch (error) {
    return { state: 'unread', path, problem: (error as Error).message.replace(`${path}: `, '') };
  }
  const knowledge = records.of(output, sha256);
  switch (knowledge.kind) {
    case 'unrecorded':
      return { state: 'foreign', path, sha256 };
    case 'recorded':
      return { state: knowledge.record.sha256 === undefined ? 'unsure' : 'ok', path, sha256 };
    case 'altered': {
      const recordedBytes = knowledge.record.sizeBytes;
      const problem =
        recordedBytes === sizeBytes
          ? 'its content is not what was written'
          : `it has ${sizeBytes} bytes, and ${recordedBytes} were written`;
      return { state: 'damaged', path, problem };
    }
  }
}

function isWanted(
  { market, pair, date }: { market: MarketName | undefined; pair: string; date: string },
  { markets, symbols, from = '', to = '9999-12-31' }: VerifyOptions,
): boolean {
  return isOfMarket(market, markets) && (symbols?.includes(pair) ?? true) && date >= from && date <= to;
}
