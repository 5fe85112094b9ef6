/** A plan of millions of archives is that of a few: entry for entry what `plan` gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { catalogOf } from '../../src/catalog/catalog.js';
import { type ArchiveFile, noArchives, type UnusableFile } from '../../src/catalog/find-archives.js';
import type { FoundOutput } from '../../src/catalog/find-outputs.js';
import { OutputCatalog } from '../../src/catalog/inventory.js';
import { OutputList } from '../../src/catalog/output-list.js';
import { nameOutput, parsePlace, placeOf } from '../../src/catalog/output-name.js';
import { Records } from '../../src/catalog/records.js';
import { ConflictError } from '../../src/convert/conflicts.js';
import { LargePlan } from '../../src/convert/large-plan.js';
import { type PlanEntry, plan } from '../../src/convert/plan.js';
import { holds } from '../support/holds.js';

const pair = fc.constantFrom('AAAUSDT', 'BBBUSDT', 'CCCUSDT');
const date = fc.constantFrom('2025-01-15', '2025-01-16');
const market = fc.constantFrom(undefined, 'linear', 'spot');
const sourceDepth = fc.constantFrom(50, 200, 500);

const archive = fc
  .record({ pair, date, market, sourceDepth, ending: fc.constantFrom('.data.zip', '.data.gz'), sizeBytes: fc.nat(9) })
  .map(({ ending, market, ...named }): ArchiveFile => {
    const fileName = `${named.date}_${named.pair}_ob${named.sourceDepth}${ending}`;
    const told = market && { market };
    return { ...named, ...told, mtimeMs: 1, fileName, isDayFile: true, path: `/in/${market}/${fileName}` };
  });

const unusable = fc.record({ pair: fc.oneof(pair, fc.constant('?')), market }).map(
  ({ pair, market }): UnusableFile => ({
    pair,
    ...(market && { market }),
    path: `/in/${pair}`,
    fileName: pair,
    problem: 'x',
  }),
);

/** An output of an archive that may be there, and how its record says that it was made; `undefined`: it has none. */
const made = fc.record({
  archive,
  depth: fc.constantFrom(200, 500),
  partition: fc.constantFrom('none' as const, 'hive' as const),
  recorded: fc.constantFrom(undefined, { onGap: 'fill' }, { onGap: 'skip' }),
  isChanged: fc.boolean(),
});

const options = fc.record({
  depths: fc.constantFrom(undefined, [200], [200, 500]),
  onStale: fc.constantFrom('refuse' as const, 'keep' as const, 'remake' as const),
  overwrite: fc.boolean(),
  symbols: fc.constantFrom(undefined, ['BBBUSDT']),
  metrics: fc.boolean(),
});

test('entry for entry', () =>
  holds(
    fc.property(
      fc.uniqueArray(archive, { maxLength: 30, selector: ({ path }) => path }),
      fc.uniqueArray(unusable, { maxLength: 3, selector: ({ path, market }) => `${path} ${market}` }),
      fc.uniqueArray(made, { maxLength: 10, selector: (output) => outputOf(output).path }),
      options,
      (archives, files, outputs, { depths, symbols, ...rest }) => {
        const given = { outputDir: 'out', ...rest, ...(depths && { depths }), ...(symbols && { symbols }) };
        const found = { ...noArchives(), archives, unusable: files };
        const list = new OutputList();
        const records = new Records();
        for (const output of outputs) {
          list.push(outputOf(output));
          if (output.recorded) records.add(recordOf(output));
        }
        const listed = new OutputCatalog(list, records, []);
        const expected = entriesOrConflicts(() => plan({ archives: found, outputs: listed.whole() }, given));
        const actual = entriesOrConflicts(() => new LargePlan({ archives: catalogOf(found), outputs: listed }, given));
        assert.deepEqual(actual, expected);
      },
    ),
  ));

test('what is kept of it is numbered anew', () => {
  const archives = ['AAAUSDT', 'BBBUSDT', 'CCCUSDT'].map((pair): ArchiveFile => {
    const named = { pair, date: '2025-01-15', sourceDepth: 200 };
    const fileName = `2025-01-15_${pair}_ob200.data.zip`;
    return { ...named, sizeBytes: 1, mtimeMs: 1, fileName, path: `/in/${fileName}`, isDayFile: true };
  });
  const broken: UnusableFile = { path: '/in/ABAUSDT', fileName: 'ABAUSDT', pair: 'ABAUSDT', problem: 'broken' };
  const archivesFound = catalogOf({ ...noArchives(), archives, unusable: [broken] });
  const outputs = new OutputCatalog(new OutputList(), new Records(), []);
  const whole = new LargePlan({ archives: archivesFound, outputs }, { outputDir: 'out' });
  assert.deepEqual(
    [...whole].map(({ pair }) => pair),
    ['ABAUSDT', 'AAAUSDT', 'BBBUSDT', 'CCCUSDT'],
  );
  whole.keep(Uint32Array.of(0, 2));
  assert.deepEqual(
    [...whole].map(({ number, pair }) => [number, pair]),
    [
      [1, 'ABAUSDT'],
      [2, 'BBBUSDT'],
    ],
  );
  assert.equal(whole.length, 2);
  assert.equal(whole.at(2), undefined);
});

type Made = typeof made extends fc.Arbitrary<infer T> ? T : never;

function outputOf({ archive: of, depth, partition }: Made): FoundOutput {
  const form = { contents: { kind: 'book', depth }, intervalMs: 60_000, format: 'csv', partition } as const;
  const { path } = nameOutput('out', of, form);
  const name = parsePlace(placeOf({ path, market: of.market }));
  if (!name) throw new Error(`${path} is no output's path`);
  return { ...name, path, sizeBytes: 5, mtimeMs: 5 };
}

function recordOf(output: Made): Record<string, unknown> {
  const { archive: of, recorded, isChanged, partition } = output;
  const { path, market, kind, depth, format, mtimeMs } = outputOf(output);
  const shape = {
    interval: '1m',
    onBadLine: 'fail',
    compat: 'none',
    ...recorded,
    quality: false,
    formattedTimestamp: false,
    partition,
  };
  return {
    ...{
      archive: of.path,
      archiveBytes: of.sizeBytes,
      archiveMtimeMs: isChanged ? 2 : 1,
      pair: of.pair,
      date: of.date,
    },
    outputs: [
      { kind, depth, format, market, path: placeOf({ path, market }), shape, formatVersion: 1, bytes: 5, mtimeMs },
    ],
    ...{ status: 'done', rows: 1, filledRows: 0, suspectRows: 0, badLines: 0 },
  };
}

function entriesOrConflicts(make: () => Iterable<PlanEntry>): unknown {
  try {
    return [...make()];
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    // In whatever order.
    return [...error.conflicts].sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}
