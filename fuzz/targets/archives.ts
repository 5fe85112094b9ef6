/**
 * Archives that are valid but odd, converted as the command does it: rows are those of the definition, counts those that
 * were put in, bad lines those that are bad.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ArchiveError } from '../../src/archive/archive-error.js';
import { midnightMs } from '../../src/base/time.js';
import { AsOfGrid } from '../../src/book/grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { readRows } from '../../src/convert/read-rows.js';
import { ConversionError, convertArchive } from '../../src/library/convert-archive.js';
import { acquireArena, releaseArena } from '../../src/wasm/arena.js';
import { booksOf, type Driven, drive, takeRows } from '../../test/support/drive.js';
import { asOfRows, type TestRow } from '../../test/support/oracle.js';
import { Choices } from '../choices.js';
import { DATE, makeOddArchive, type OddArchive, PAIR } from '../odd-archive.js';
import type { Target, TargetContext } from '../target.js';

interface Sampling {
  intervalMs: number;
  onGap: 'fill' | 'skip';
  /** Of a row. */
  depth: number;
}

export function createTarget({ folder }: TargetContext): Target {
  return {
    unit: 'archives',
    coverage: 'kernels',
    maxBytes: 1500,
    seeds: () =>
      Array.from({ length: 8 }, (_, at) => Buffer.from(Array.from({ length: 400 }, (_, i) => (i * at) % 251))),
    async run(input) {
      const choices = new Choices(input);
      const sampling: Sampling = {
        intervalMs: choices.of(60_000, 1000, 100, 86_400_000),
        onGap: choices.of('fill', 'skip'),
        depth: choices.of(5, 1, 2, 50),
      };
      const isByCommand = choices.oneIn(8);
      const archive = makeOddArchive(choices);
      // A row each 100 ms of a long silence says nothing that a minute's does not.
      const [first = 0, last = 0] = [Math.min, Math.max].map((of) => of(...archive.messages.map(({ tsMs }) => tsMs)));
      if ((last - first) / sampling.intervalMs > 1000) sampling.onGap = 'skip';
      const file = path.join(folder, archive.fileName);
      fs.writeFileSync(file, archive.bytes);
      if (isByCommand) await compareConverted(file, archive, sampling, path.join(folder, 'output'));
      else await compareRows(file, archive, sampling);
      fs.rmSync(file);
      assert.deepEqual(fs.readdirSync(folder), [], 'nothing is left');
    },
  };
}

/** The rows that must come, by the definition. */
function expectedRows({ messages }: OddArchive, { intervalMs, onGap, depth }: Sampling): TestRow[] {
  return asOfRows(messages, { intervalMs, depth, dayMs: midnightMs(DATE), onGap });
}

async function compareRows(file: string, archive: OddArchive, sampling: Sampling): Promise<void> {
  const { intervalMs, onGap, depth } = sampling;
  const options = () => ({
    grid: new AsOfGrid({ intervalMs, dayMs: midnightMs(DATE), onGap }),
    books: booksOf(depth),
    keepZeros: false,
    expected: { symbol: PAIR, depth: archive.depth },
  });
  const arena = acquireArena();
  const engine = new KernelEngine({ ...options(), kernel: arena.kernel });
  const driven: Driven = { rows: [], states: [], badLines: [] };
  const badLines: number[] = [];
  const read = readRows(file, {
    engine,
    inflateKernel: arena.inflater,
    isPassedOver({ lineNumber }) {
      badLines.push(lineNumber);
      return true;
    },
    day: undefined,
    signal: undefined,
  });
  try {
    for await (const rows of read) takeRows(rows, driven);
  } catch (error) {
    // Without a snapshot there is no book.
    if (!(error instanceof ArchiveError) || archive.counts.snapshots > 0) throw error;
    assert.match(error.message, /no snapshot/);
  }
  const { counts } = engine;
  const { rows } = driven;
  releaseArena(arena);
  assert.deepEqual(rows, expectedRows(archive, sampling));
  assert.deepEqual(badLines, archive.badLines);
  const { filledRows, rows: rowCount } = counts;
  const filled = rows.filter(({ isFilled }) => isFilled).length;
  assert.deepEqual(
    { ...counts, filledRows, rows: rowCount },
    { ...counts, ...archive.counts, rows: rows.length, filledRows: filled },
  );
  // What the definition of rows does not say: crossed, suspect, partial, levels as numbers.
  const slow = drive(new ReferenceEngine(options()), [archive.text]);
  assert.deepEqual(driven.states, slow.states);
}

/** The whole way to a CSV file, which is read as text. */
async function compareConverted(
  file: string,
  archive: OddArchive,
  sampling: Sampling,
  outputDir: string,
): Promise<void> {
  const depth = Math.min(sampling.depth, archive.depth);
  const { intervalMs, onGap } = sampling;
  const options = { outputDir, intervalMs, onGap, depths: [depth], onBadLine: 'skip' } as const;
  const rows = expectedRows(archive, { ...sampling, depth });
  try {
    const conversion = await convertArchive(file, options);
    assert.equal(conversion.status, 'done');
    const [output] = conversion.status === 'done' ? conversion.outputs : [];
    const lines = output ? fs.readFileSync(output.path, 'latin1').split('\r\n') : [];
    const expected = rows.map(({ boundaryMs, cells }) => `${boundaryMs},${cells}`);
    assert.deepEqual(lines.slice(1), [...expected, '']);
    const files = fs.readdirSync(outputDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.deepEqual(files.map(({ name }) => name).sort(), [path.basename(output?.path ?? ''), 'conversions.jsonl']);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    // Without a snapshot there is no book, and without a message of its day it is not what its name says.
    assert.match(error.reason, /no snapshot|the day in its name/);
    assert.ok(archive.counts.snapshots === 0 || rows.every(({ isFilled }) => isFilled), error.reason);
  } finally {
    fs.rmSync(outputDir, { recursive: true, force: true });
  }
}
