import { StorageError } from '../storage/storage.js';
import type { FoundArchives } from './find-archives.js';
import { type FoundOutput, findOutputs } from './find-outputs.js';
import { type Placed, placeOf } from './output-name.js';
import { type RecordedOutput, type Records, readRecords } from './records.js';

/** What is there, looked up once: archives, outputs, and what is known of how these were made. */
export interface Inventory {
  archives: FoundArchives;
  outputs: Outputs;
}

/** The outputs of an output folder and their records. */
export class Outputs {
  readonly all: readonly FoundOutput[];
  readonly records: Records;
  /** Folders that cannot be read, each with the reason, as a sentence. */
  readonly unreadable: readonly string[];
  readonly #byPlace: Map<string, FoundOutput>;

  constructor(all: readonly FoundOutput[], records: Records, unreadable: readonly string[] = []) {
    this.all = all;
    this.records = records;
    this.unreadable = unreadable;
    this.#byPlace = new Map(all.map((output) => [placeOf(output), output]));
  }

  /** What is there of an output; `undefined`: nothing. */
  at(output: Placed): FoundOutput | undefined {
    return this.#byPlace.get(placeOf(output));
  }

  /** How an output was made; `undefined`: by something else. */
  recordOf(output: FoundOutput): RecordedOutput | undefined {
    return this.records.of(output.path, output);
  }
}

/**
 * Looks up what is in an output folder: each folder of it is listed once.
 *
 * @param symbols the pairs wanted; all when absent.
 * @returns nothing of a folder that is not there.
 * @throws {@link UsageError} when the records cannot be read.
 */
export async function lookUpOutputs(outputDir: string, symbols?: Iterable<string>): Promise<Outputs> {
  const records = await readRecords(outputDir);
  try {
    const { outputs, unreadable } = await findOutputs(outputDir, symbols);
    return new Outputs(outputs, records, unreadable);
  } catch (error) {
    // One that is not there holds nothing. Whatever else is wrong with it, whoever writes there is told.
    if (error instanceof StorageError) return new Outputs([], records, [error.message]);
    throw error;
  }
}

/**
 * Looks up what is there for a conversion of archives into an output folder.
 *
 * @throws {@link UsageError} when the records cannot be read.
 */
export async function takeInventory(archives: FoundArchives, outputDir: string): Promise<Inventory> {
  const symbols = new Set(archives.archives.map(({ pair }) => pair));
  return { archives, outputs: await lookUpOutputs(outputDir, symbols) };
}
