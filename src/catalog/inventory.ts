import { pauses } from '../base/pauses.js';
import { UsageError } from '../base/usage-error.js';
import { openStorage } from '../storage/open-storage.js';
import { isAtOrBelow } from '../storage/paths.js';
import { StorageError } from '../storage/storage.js';
import type { FoundArchives } from './find-archives.js';
import { type FoundOutput, searchOutputs, type Unseen } from './find-outputs.js';
import { hashFile } from './hash-file.js';
import { type Labels, readLabels } from './labels.js';
import { OutputList } from './output-list.js';
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
  /** What nothing is known of. */
  readonly unseen: readonly Unseen[];
  readonly #byPlace: Map<string, KnownOutput>;

  constructor(all: readonly KnownOutput[], records: Records, unseen: readonly Unseen[] = []) {
    this.all = all;
    this.records = records;
    this.unseen = unseen;
    this.#byPlace = new Map(all.map((output) => [placeOf(output), output]));
  }

  /** Why it cannot be known whether an output is there; `undefined`: it is known. */
  whyUnseen(output: Placed): string | undefined {
    return this.unseen.find((unseen) => !unseen.isAbsent && isAtOrBelow(output.path, unseen.path))?.problem;
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
  return (await lookUpCatalog(outputDir, options)).whole();
}

/** What is learnt of an output by reading it. */
type Read = Pick<KnownOutput, 'knowledge' | 'labels'>;

/** The outputs of an output folder and their records, in little memory: see {@link OutputList}, {@link RecordList}. */
export class OutputCatalog implements Iterable<KnownOutput> {
  readonly list: OutputList;
  readonly records: Records;
  /** What nothing is known of. */
  readonly unseen: readonly Unseen[];
  /** Of those that had to be read. */
  readonly #read: ReadonlyMap<number, Read>;
  #byPair: Map<string, Uint32Array> | undefined;

  constructor(
    list: OutputList,
    records: Records,
    unseen: readonly Unseen[],
    read: ReadonlyMap<number, Read> = new Map(),
  ) {
    this.list = list;
    this.records = records;
    this.unseen = unseen;
    this.#read = read;
  }

  get pairs(): Iterable<string> {
    return this.#indices().keys();
  }

  /** The outputs of a pair, of all markets. */
  ofPair(pair: string): Outputs {
    const indices = this.#indices().get(pair) ?? [];
    return new Outputs(
      Array.from(indices, (index) => this.#at(index)),
      this.records,
      this.unseen,
    );
  }

  whole(): Outputs {
    return new Outputs([...this], this.records, this.unseen);
  }

  *[Symbol.iterator](): Generator<KnownOutput, void, undefined> {
    for (let index = 0; index < this.list.length; index++) yield this.#at(index);
  }

  #at(index: number): KnownOutput {
    const output = this.list.at(index);
    return { ...output, ...(this.#read.get(index) ?? { knowledge: this.records.of(output) }) };
  }

  #indices(): Map<string, Uint32Array> {
    this.#byPair ??= this.list.byPair();
    return this.#byPair;
  }
}

/**
 * The same, for very many outputs.
 *
 * @throws as {@link lookUpOutputs} does.
 */
export async function lookUpCatalog(
  outputDir: string,
  { symbols, readContents }: LookUpOptions = {},
): Promise<OutputCatalog> {
  const list = new OutputList();
  let unseen: Unseen[];
  try {
    unseen = await searchOutputs(outputDir, list, symbols);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    // One that is not there, or no folder, holds nothing: whoever writes there is told.
    const place = await openStorage(outputDir).look(outputDir);
    const isAbsent = place === undefined || place.kind === 'file';
    const absent = { path: outputDir, problem: error.message, isAbsent };
    return new OutputCatalog(new OutputList(), await readRecords(outputDir), [absent]);
  }
  // After that: another run may be at work, and each output is recorded before it appears, so each that was found is known.
  const records = await readRecords(outputDir);
  await askForNotes(list, records);
  const read = new Map<number, Read>();
  for (let index = 0; readContents && index < list.length; index++) {
    const learnt = await learn(list.at(index), records);
    if (learnt) read.set(index, learnt);
  }
  return new OutputCatalog(list, records, unseen, read);
}

/** Outputs whose notes are asked for at a time: each asks for an answer of a server. */
const ASKED_AT_A_TIME = 32;

/**
 * Adds to records what outputs tell of themselves: one whose run was killed before it could write its records carries its
 * own, where files carry notes. Only those are asked that have no record as they are.
 */
export async function askForNotes(outputs: Iterable<FoundOutput>, records: Records): Promise<void> {
  const ask = async (some: FoundOutput[]) => {
    const notes = await Promise.all(some.map(({ path }) => openStorage(path).readNote(path)));
    for (const found of notes) if (found) records.addNote(found.note, found.version);
  };
  let asked: FoundOutput[] = [];
  const pause = pauses(undefined);
  for (const output of outputs) {
    await pause();
    if (openStorage(output.path).maxNoteBytes === 0 || records.isCertain(output)) continue;
    asked.push(output);
    if (asked.length < ASKED_AT_A_TIME) continue;
    await ask(asked);
    asked = [];
  }
  await ask(asked);
}

/** @returns `undefined` of an output of which its name, its version and the records tell all. */
async function learn(output: FoundOutput, records: Records): Promise<Read | undefined> {
  if (records.isCertain(output)) return undefined;
  if (records.isInDoubt(output)) return { knowledge: await readAndTell(output, records) };
  const knowledge = records.of(output);
  if (knowledge.kind !== 'unrecorded') return undefined;
  try {
    return { knowledge, labels: await readLabels(output) };
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
