import { UsageError } from '../base/usage-error.js';
import { openStorage } from '../storage/open-storage.js';
import { StorageError } from '../storage/storage.js';
import type { FoundArchives } from './find-archives.js';
import { type FoundOutput, findOutputs } from './find-outputs.js';
import { hashFile } from './hash-file.js';
import { type Labels, readLabels } from './labels.js';
import { type Placed, placeOf } from './output-name.js';
import { type Knowledge, type Records, readRecords } from './records.js';

/** What is there, looked up once: archives, outputs, and what is known of how these were made. */
export interface Inventory {
  archives: FoundArchives;
  outputs: Outputs;
}

/** An output that is there. */
export interface KnownOutput extends FoundOutput {
  /** What its records tell. */
  knowledge: Knowledge;
  /** Of one without a record: what its rows tell. */
  labels?: Labels;
}

/** The outputs of an output folder and their records. */
export class Outputs {
  readonly all: readonly KnownOutput[];
  readonly records: Records;
  /** Folders that cannot be read, each with the reason, as a sentence. */
  readonly unreadable: readonly string[];
  readonly #byPlace: Map<string, KnownOutput>;

  constructor(all: readonly KnownOutput[], records: Records, unreadable: readonly string[] = []) {
    this.all = all;
    this.records = records;
    this.unreadable = unreadable;
    this.#byPlace = new Map(all.map((output) => [placeOf(output), output]));
  }

  /** What is there of an output; `undefined`: nothing. */
  at(output: Placed): KnownOutput | undefined {
    return this.#byPlace.get(placeOf(output));
  }
}

/** How an output folder is looked at. */
export interface LookUpOptions {
  /** The pairs wanted; all when absent. */
  symbols?: Iterable<string> | undefined;
  /**
   * Reads what names and times cannot tell: the content of outputs that have another time than their record, the first
   * row of those without a record. Default: false.
   */
  readContents?: boolean;
}

/**
 * Looks up what is in an output folder: each folder of it is listed once.
 *
 * @returns nothing of a folder that is not there.
 * @throws {@link UsageError} when the records cannot be read; with `readContents` also when an output without a record cannot.
 */
export async function lookUpOutputs(outputDir: string, options: LookUpOptions = {}): Promise<Outputs> {
  let found: Awaited<ReturnType<typeof findOutputs>>;
  try {
    found = await findOutputs(outputDir, options.symbols);
  } catch (error) {
    // One that is not there holds nothing. Whatever else is wrong with it, whoever writes there is told.
    if (error instanceof StorageError) return new Outputs([], await readRecords(outputDir), [error.message]);
    throw error;
  }
  // After that: another run may be at work, and each output is recorded before it appears, so each that was found is known.
  const records = await readRecords(outputDir);
  const outputs: KnownOutput[] = [];
  await askForNotes(found.outputs, records);
  for (const output of found.outputs) outputs.push(await learn(output, records, options));
  return new Outputs(outputs, records, found.unreadable);
}

/** Outputs whose notes are asked for at a time: each asks for an answer of a server. */
const ASKED_AT_A_TIME = 32;

/**
 * Adds to records what outputs tell of themselves: one whose run was killed before it could write its records carries its
 * own, where files carry notes. Only those are asked that have no record as they are.
 */
export async function askForNotes(outputs: readonly FoundOutput[], records: Records): Promise<void> {
  const asked = outputs.filter((output) => openStorage(output.path).maxNoteBytes > 0 && !records.isCertain(output));
  for (let start = 0; start < asked.length; start += ASKED_AT_A_TIME) {
    const some = asked.slice(start, start + ASKED_AT_A_TIME);
    const notes = await Promise.all(some.map(({ path }) => openStorage(path).readNote(path)));
    for (const found of notes) if (found) records.addNote(found.note, found.version);
  }
}

async function learn(output: FoundOutput, records: Records, { readContents }: LookUpOptions): Promise<KnownOutput> {
  const knowledge = readContents && records.isInDoubt(output) ? await readAndTell(output, records) : records.of(output);
  if (knowledge.kind !== 'unrecorded' || !readContents) return { ...output, knowledge };
  try {
    return { ...output, knowledge, labels: await readLabels(output) };
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(
      `Cannot read ${output.path}: ${message}\nNo record tells how it was made, so its first row has to. Make it readable, or move it away.`,
      { cause: error },
    );
  }
}

/** What the records know of a file by its content. */
async function readAndTell(output: FoundOutput, records: Records): Promise<Knowledge> {
  try {
    return records.of(output, await hashFile(output.path));
  } catch (error) {
    const knowledge = records.of(output);
    if (knowledge.kind !== 'recorded') return knowledge;
    return { kind: 'altered', record: knowledge.record, problem: `it cannot be read (${(error as Error).message})` };
  }
}

/**
 * Looks up what is there for a conversion of archives into an output folder.
 *
 * @throws {@link UsageError} when the records cannot be read, or an output without a record.
 */
export async function takeInventory(archives: FoundArchives, outputDir: string): Promise<Inventory> {
  const symbols = new Set(archives.archives.map(({ pair }) => pair));
  return { archives, outputs: await lookUpOutputs(outputDir, { symbols, readContents: true }) };
}

/** Takes an inventory apart by symbols, of all markets: what is decided of one symbol depends on nothing else. */
export function* bySymbol({ archives, outputs }: Inventory): Generator<Inventory, void, undefined> {
  const archivesOf = groupBy(archives.archives, ({ pair }) => pair);
  const unusableOf = groupBy(archives.unusable, ({ pair }) => pair);
  const outputsOf = groupBy(outputs.all, ({ pair }) => pair);
  for (const pair of new Set([...archivesOf.keys(), ...unusableOf.keys()])) {
    const own = { archives: archivesOf.get(pair) ?? [], unusable: unusableOf.get(pair) ?? [] };
    yield {
      archives: { ...archives, ...own },
      outputs: new Outputs(outputsOf.get(pair) ?? [], outputs.records, outputs.unreadable),
    };
  }
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
