import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  ArchiveError,
  ConversionError,
  convertArchive,
  readMessages,
  type SnapshotRow,
  snapshots,
  UsageError,
} from 'bookgrid';
import { SAMPLES, writeSample } from '../../src/samples/samples.js';
import { runCli } from '../support/cli.js';
import { collect } from '../support/collect.js';
import { openDescriptors } from '../support/descriptors.js';
import { readOutputs, tempDir } from '../support/files.js';
import { fixtures } from '../support/fixtures.js';
import { DAY_MS, line, writeLines } from '../support/messages.js';
import { makeArchive, makeEndless } from '../support/runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-library-'));
/** Made archives in both of Bybit's styles, one with a gap, one with a restart, and one whose levels no ladder holds. */
let archives: string[];
/** Much longer than what is read at a time. */
let long: string;

before(async () => {
  archives = await Promise.all(SAMPLES.map(({ market }) => writeSample(root, market)));
  archives.push(await writeLines(path.join(root, 'odd'), ODD_LINES));
  long = await makeArchive(root, { pair: 'LONGUSDT', market: { durationMs: 3_600_000 } });
});
after(() => fs.rmSync(root, { recursive: true, force: true }));

const ODD_LINES = [
  line({
    type: 'snapshot',
    atMs: 10,
    bids: [
      ['0.650', '1'],
      ['123456789012345678', '2'],
    ],
    asks: [['0.000000000000000001', '3']],
  }),
  line({ atMs: 700, bids: [['0.65', `0.${'123456789'.repeat(20)}`]], u: 3 }),
  line({ atMs: 2500, bids: [['123456789012345678.0', '0']], asks: [['0.000000000000000001', '0.00']], u: 4 }),
  line({ atMs: 3000, bids: [['0.6500', '0']], u: 5 }),
];

async function all(rows: AsyncIterable<SnapshotRow>): Promise<SnapshotRow[]> {
  const list: SnapshotRow[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** A row as the line of a CSV file that it is. */
function csvLine(row: SnapshotRow, depth: number): string {
  const { bids, asks } = row.text(depth);
  const cells = [bids, asks].flatMap((side) => Array.from({ length: depth }, (_, at) => side[at] ?? ['', ''])).flat();
  return [row.boundaryMs, ...cells].join(',');
}

async function cliLines(t: Parameters<typeof tempDir>[0], archive: string, args: string[]): Promise<string[]> {
  const out = tempDir(t);
  const { status, stdout } = await runCli([archive, '--output-dir', out, ...args]);
  assert.equal(status, 0, stdout);
  const [csv = ''] = readOutputs(out).values();
  return csv.split('\r\n').slice(1, -1);
}

describe('rows are those that the command line writes', () => {
  for (const [which, name] of ['spot', 'contract', 'odd'].entries()) {
    for (const [interval, intervalMs] of [
      ['1m', 60_000],
      ['1s', 1000],
      ['100ms', 100],
    ] as const) {
      for (const depth of [1, 50, 200]) {
        test(`${name}, ${depth} levels, ${interval}`, async (t) => {
          const archive = archives[which] ?? '';
          const expected = await cliLines(t, archive, ['--interval', interval, '--depths', `${depth}`]);
          const rows = await all(snapshots(archive, { intervalMs, depths: [depth] }));
          assert.ok(rows.length > 0);
          const lines = rows.map((row) => csvLine(row, depth));
          assert.ok(lines.join('\n') === expected.join('\n'));
        });
      }
    }
  }

  test('--on-gap skip', async (t) => {
    const [archive = ''] = archives;
    const expected = await cliLines(t, archive, ['--interval', '1s', '--depths', '3', '--on-gap', 'skip']);
    const rows = await all(snapshots(archive, { intervalMs: 1000, depths: [3, 1], onGap: 'skip' }));
    assert.deepEqual(
      rows.map((row) => csvLine(row, 3)),
      expected,
    );
    assert.ok(rows.every(({ isFilled }) => !isFilled));
  });

  test('inflated by Node too', async () => {
    const [archive = ''] = archives;
    const [kernel, node] = await Promise.all([all(snapshots(archive)), all(snapshots(archive, { inflater: 'node' }))]);
    assert.deepEqual(
      node.map((row) => csvLine(row, 200)),
      kernel.map((row) => csvLine(row, 200)),
    );
  });
});

test('numbers are the nearest to the texts, at every depth', async () => {
  for (const archive of archives) {
    for (const row of await all(snapshots(archive, { intervalMs: 1000 }))) {
      for (const depth of [1, 7, 9999]) {
        const { bidPrices, bidQuantities, askPrices, askQuantities } = row.levels(depth);
        const { bids, asks } = row.text(depth);
        assert.deepEqual(
          [...bidPrices],
          bids.map(([price]) => Number(price)),
        );
        assert.deepEqual(
          [...bidQuantities],
          bids.map(([, quantity]) => Number(quantity)),
        );
        assert.deepEqual(
          [...askPrices],
          asks.map(([price]) => Number(price)),
        );
        assert.deepEqual(
          [...askQuantities],
          asks.map(([, quantity]) => Number(quantity)),
        );
        assert.equal(row.isThin(depth), Math.min(bids.length, asks.length) < depth);
      }
    }
  }
});

test('what is known of a row', async () => {
  const odd = archives[2] ?? '';
  const states = (await all(snapshots(odd, { intervalMs: 1000 }))).map(({ boundaryMs, bookTsMs, ...flags }) => [
    boundaryMs - DAY_MS,
    bookTsMs - DAY_MS,
    ...Object.entries(flags).flatMap(([flag, isSet]) => (isSet ? [flag] : [])),
  ]);
  assert.deepEqual(states, [
    [1000, 700, 'isSuspect', 'isCrossed'],
    [2000, 700, 'isFilled', 'isSuspect', 'isCrossed'],
    [3000, 3000, 'isSuspect'],
  ]);
});

test('rows may be kept', async () => {
  const texts: string[] = [];
  const rows: SnapshotRow[] = [];
  for await (const row of snapshots(archives[1] ?? '', { intervalMs: 1000, depths: [20] })) {
    texts.push(csvLine(row, 20), [...row.levels().askQuantities].join());
    rows.push(row);
  }
  await all(snapshots(archives[0] ?? '')); // gets the same memory
  assert.deepEqual(
    rows.flatMap((row) => [csvLine(row, 20), [...row.levels().askQuantities].join()]),
    texts,
  );
});

test('a row says no to what it does not hold', async () => {
  const [row] = await all(snapshots(archives[0] ?? '', { depths: [10, 50], keepTexts: false }));
  assert.equal(row?.levels().bidPrices.length, 50);
  assert.throws(() => row?.levels(51), /^RangeError: the row holds 50 levels a side, not 51: /);
  assert.throws(() => row?.isThin(Number.NaN), RangeError);
  assert.throws(() => row?.text(1), /^TypeError: the row has no texts: the option keepTexts is false$/);
});

test('the day: of the name, another, or none', async (t) => {
  const lines = [
    line({ type: 'snapshot', atMs: -60_000, bids: [['1', '1']] }),
    line({ atMs: 500 }),
    line({ atMs: 86_400_500, bids: [['2', '2']] }),
  ];
  const archive = await writeLines(tempDir(t), lines);
  const hours = async (day?: string | false) =>
    (await all(snapshots(archive, { intervalMs: 3_600_000, ...(day === undefined ? {} : { day }) }))).map(
      ({ boundaryMs }) => (boundaryMs - DAY_MS) / 3_600_000,
    );
  const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  assert.deepEqual(await hours(), count(1, 24));
  assert.deepEqual(await hours(false), count(0, 25));
  assert.deepEqual(await hours('2025-01-14'), [0]);
  assert.deepEqual(await hours('2025-01-16'), [25]);
  await assert.rejects(hours('2025-01-17'), {
    name: 'ArchiveError',
    message: `${archive}: none of its 3 messages is of 2025-01-17, the day in its name; the last is of 2025-01-16`,
  });
});

test('wrong options are told at once', () => {
  assert.throws(() => snapshots('x.zip', { intervalMs: 7000 }), /^UsageError: intervalMs is 7000\. It must be /);
  assert.throws(() => snapshots('x.zip', { intervalMs: 0.5 }), UsageError);
  for (const depths of [[], [0], [1.5], [10_000], [Number.NaN]]) {
    assert.throws(
      () => snapshots('x.zip', { depths }),
      /^UsageError: depths is .*\. It must be a list of at least one item, each a whole number of levels from 1 to 9999\./,
    );
  }
  assert.throws(
    () => snapshots('x.zip', { day: '2025-02-30' }),
    /^UsageError: day is "2025-02-30"\. It must be a day of the calendar as YYYY-MM-DD, or false\./,
  );
});

describe('the file is closed', () => {
  const open = () => openDescriptors(long);

  test('and not even opened before the first row is asked for', async () => {
    const rows = snapshots(long);
    assert.equal(open() ?? 0, 0);
    await rows.next();
    assert.equal(open() ?? 1, 1);
    await rows.return();
    assert.equal(open() ?? 0, 0);
    assert.deepEqual(await rows.next(), { done: true, value: undefined });
  });

  test('after break, a throw in the loop, and the end', async () => {
    for await (const _ of snapshots(long)) break;
    assert.equal(open() ?? 0, 0);
    await assert.rejects(async () => {
      for await (const _ of snapshots(long)) throw new Error('of the loop');
    }, /^Error: of the loop$/);
    assert.equal(open() ?? 0, 0);
    const rows = await all(snapshots(long));
    assert.equal(rows.length, 60);
    assert.equal(open() ?? 0, 0);
  });
});

test('many sequences in turn, some left early, do not disturb one another', async () => {
  const expected = await Promise.all(
    archives.map(async (file) => (await all(snapshots(file, { intervalMs: 1000 }))).map((row) => csvLine(row, 9))),
  );
  const given = archives.flatMap((file, which) =>
    [9, 40, 500].map((depth) => ({
      rows: snapshots(file, { intervalMs: 1000, depths: [depth] }),
      which,
      lines: [] as string[],
    })),
  );
  const open = new Set(given);
  for (let turn = 0; open.size > 0; turn++) {
    for (const one of open) {
      const { value, done } = await one.rows.next();
      if (value) one.lines.push(csvLine(value, 9));
      if (done) open.delete(one);
    }
    if (turn % 50 === 20) for await (const _ of snapshots(archives[turn % 3] ?? '')) break;
  }
  for (const { which, lines } of given) assert.deepEqual(lines, expected[which]);
});

describe('a signal', () => {
  test('aborted before', async () => {
    const reason = new Error('not wanted');
    await assert.rejects(all(snapshots('nowhere.zip', { signal: AbortSignal.abort(reason) })), reason);
  });

  test('aborted at any row', async () => {
    const [archive = ''] = archives;
    const count = (await all(snapshots(archive))).length;
    for (let stopAt = 1; stopAt <= count; stopAt++) {
      const stop = new AbortController();
      const seen: number[] = [];
      const read = async () => {
        for await (const row of snapshots(archive, { signal: stop.signal })) {
          if (seen.push(row.boundaryMs) === stopAt) stop.abort();
        }
      };
      await assert.rejects(read, { name: 'AbortError' });
      assert.equal(seen.length, stopAt);
      assert.equal(openDescriptors(archive) ?? 0, 0);
    }
  });

  test('aborted by a timer, where nothing else would let it be heard', async (t) => {
    const endless = await makeEndless(tempDir(t));
    const signal = AbortSignal.timeout(100);
    await assert.rejects(all(snapshots(endless, { intervalMs: 100, keepTexts: false, signal })), {
      name: 'TimeoutError',
    });
    assert.equal(openDescriptors(endless) ?? 0, 0);
    await setTimeout(1);
  });
});

test('a signal is heard among millions of bad lines', async (t) => {
  const archive = path.join(tempDir(t), 'many.data');
  fs.writeFileSync(archive, `${line({ type: 'snapshot', atMs: 10 })}\n${'x\n'.repeat(3_000_000)}`);
  const startMs = performance.now();
  const signal = AbortSignal.timeout(100);
  await assert.rejects(all(snapshots(archive, { onBadLine: 'skip', signal })), { name: 'TimeoutError' });
  assert.ok(performance.now() - startMs < 5000, 'reading all of them takes 20 s');
});

test('what the name says is compared with the messages, where it says it; readMessages compares nothing', async (t) => {
  const folder = tempDir(t);
  const lines = [
    line({ type: 'snapshot', atMs: 10, bids: [['1', '1']] }),
    line({ atMs: 20, bids: [['2', '1']] }).replaceAll('TESTUSDT', 'ETHUSDT'),
  ];
  const named = await writeLines(folder, lines);
  const other = await writeLines(folder, lines, '2025-01-15_ETHUSDT_ob500.data');
  const unnamed = await writeLines(folder, lines, '2025-01-15.data');
  await assert.rejects(all(snapshots(named)), /: line 2: a message of orderbook\.500\.ETHUSDT in an archive of /);
  await assert.rejects(all(snapshots(other)), /: its name says orderbook\.500\.ETHUSDT, its first message /);
  assert.equal((await all(snapshots(unnamed)))[0]?.levels().bidPrices.length, 2);
  for (const archive of [named, other]) {
    const messages = await collect(readMessages(archive));
    assert.deepEqual(
      messages.map(({ symbol }) => symbol),
      ['TESTUSDT', 'ETHUSDT'],
    );
  }
});

describe('bad lines', () => {
  const lines = [line({ type: 'snapshot', atMs: 10, bids: [['1', '1']] }), 'no message', line({ atMs: 60_500 }), '{}'];

  test('end the sequence, with file and line', async (t) => {
    const archive = await writeLines(tempDir(t), lines);
    await assert.rejects(all(snapshots(archive)), (error) => {
      assert.ok(error instanceof ArchiveError);
      assert.ok(error.message.startsWith(`${archive}: line 2: not JSON (`), error.message);
      assert.equal(error.lineNumber, 2);
      return true;
    });
    assert.equal(openDescriptors(archive) ?? 0, 0);
  });

  test('are passed over, in silence or not', async (t) => {
    const archive = await writeLines(tempDir(t), lines);
    assert.equal((await all(snapshots(archive, { onBadLine: 'skip' }))).length, 2);
    const heard: number[] = [];
    const rows = await all(snapshots(archive, { onBadLine: ({ lineNumber }) => heard.push(lineNumber) }));
    assert.equal(rows.length, 2);
    assert.deepEqual(heard, [2, 4]);
    const onBadLine = () => assert.fail('enough');
    await assert.rejects(all(snapshots(archive, { onBadLine })), { message: 'enough' });
  });
});

test('what cannot be converted cannot be read either, for the same reason', async (t) => {
  const outputDir = tempDir(t);
  let failures = 0;
  for (const { name, path: archive } of fixtures('bad')) {
    const [converted, read, readFast] = await Promise.allSettled([
      convertArchive(archive, { outputDir }),
      // Of damaged data zlib has the last word in a conversion too.
      all(snapshots(archive, { inflater: 'node' })),
      all(snapshots(archive)),
    ]);
    assert.equal(readFast.status, converted.status, name);
    assert.ok(readFast.status === 'fulfilled' || readFast.reason instanceof ArchiveError, name);
    assert.equal(read.status, converted.status, name);
    if (read.status === 'fulfilled' || converted.status === 'fulfilled') continue;
    failures++;
    assert.ok(converted.reason instanceof ConversionError, name);
    assert.ok(read.reason instanceof ArchiveError, name);
    assert.equal(read.reason.message, converted.reason.message);
    assert.equal(openDescriptors(archive) ?? 0, 0);
  }
  assert.ok(failures > 50);
});

test('a file that is not there', async () => {
  await assert.rejects(all(snapshots('nowhere.zip')), { code: 'ENOENT', path: 'nowhere.zip' });
});
