import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { ArchiveError, type Message, OrderBook, readMessages, snapshots } from 'bookgrid';
import { marketMessages } from '../../src/samples/market.js';
import { SAMPLES, writeSample } from '../../src/samples/samples.js';
import { openDescriptors } from '../support/descriptors.js';
import { tempDir } from '../support/files.js';
import { fixture, fixtures } from '../support/fixtures.js';
import { DAY_MS, line, writeLines } from '../support/messages.js';
import { makeArchive } from '../support/runs.js';

async function all(messages: AsyncIterable<Message>): Promise<Message[]> {
  const list: Message[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

describe('messages', () => {
  test('have what their lines have', async (t) => {
    const lines = [
      line({ type: 'snapshot', atMs: 10, bids: [['1.0', '2']], u: 7 }),
      '',
      '{"type":"delta","ts":1736899201000,"data":{"b":[],"a":[["1.10","0"]],"seq":"none"},"cts":-1}',
    ];
    for (const ending of ['.data', '.data.gz', '.data.zip']) {
      const archive = await writeLines(tempDir(t), lines, `lines${ending}`);
      assert.deepEqual(await all(readMessages(archive)), [
        {
          topic: 'orderbook.500.TESTUSDT',
          symbol: 'TESTUSDT',
          type: 'snapshot',
          tsMs: DAY_MS + 10,
          ctsMs: DAY_MS + 8,
          updateId: 7,
          seq: 1007,
          bids: [['1.0', '2']],
          asks: [],
          market: 'contract',
        },
        {
          topic: undefined,
          symbol: undefined,
          type: 'delta',
          tsMs: 1736899201000,
          ctsMs: undefined,
          updateId: undefined,
          seq: undefined,
          bids: [],
          asks: [['1.10', '0']],
          market: undefined,
        },
      ]);
    }
  });

  test('come all and in order, in any archive', async (t) => {
    for (const { market } of SAMPLES) {
      const expected = [...marketMessages(market)].map((text) => {
        const { ts, type } = JSON.parse(text) as { ts: number; type: string };
        return [ts, type];
      });
      const messages = await all(readMessages(await writeSample(tempDir(t), market)));
      assert.deepEqual(
        messages.map(({ tsMs, type }) => [tsMs, type]),
        expected,
      );
    }
    for (const { name, path } of fixtures('archives')) assert.equal((await all(readMessages(path))).length, 2, name);
  });

  test('bad lines', async (t) => {
    const lines = [line({ type: 'snapshot', atMs: 10 }), '{}', line({ atMs: 20, u: 2 }), 'no message'];
    const archive = await writeLines(tempDir(t), lines);
    await assert.rejects(all(readMessages(archive)), {
      name: 'ArchiveError',
      message: `${archive}: line 2: not an order book message: "type" must be "snapshot" or "delta", found nothing`,
      lineNumber: 2,
    });
    assert.equal((await all(readMessages(archive, { onBadLine: 'skip' }))).length, 2);
    const heard: unknown[] = [];
    await all(readMessages(archive, { onBadLine: ({ lineNumber }) => heard.push(lineNumber) }));
    assert.deepEqual(heard, [2, 4]);
    assert.equal(openDescriptors(archive) ?? 0, 0);
  });

  test('damage is told at the end, and rather than a bad line before it', async () => {
    const damaged = fixture('bad', 'WRONG-CRC').path;
    const messages: Message[] = [];
    await assert.rejects(
      async () => {
        for await (const message of readMessages(damaged)) messages.push(message);
      },
      (error) => error instanceof ArchiveError && error.message.startsWith(`${damaged}: damaged: `),
    );
    assert.equal(messages.length, 2);
    const cut = fixture('bad', 'FIRST-LINE-CUT').path;
    await assert.rejects(all(readMessages(cut)), (error) => error instanceof ArchiveError);
  });

  test('break and abort close the file', async (t) => {
    const archive = await makeArchive(tempDir(t), { pair: 'LONGUSDT', market: { durationMs: 3_600_000 } });
    for await (const _ of readMessages(archive)) {
      assert.equal(openDescriptors(archive) ?? 1, 1);
      break;
    }
    assert.equal(openDescriptors(archive) ?? 0, 0);
    for (const stopAt of [1, 2, 1000]) {
      const stop = new AbortController();
      let count = 0;
      const read = async () => {
        for await (const _ of readMessages(archive, { signal: stop.signal })) if (++count === stopAt) stop.abort();
      };
      await assert.rejects(read, { name: 'AbortError' });
      assert.equal(count, stopAt);
      assert.equal(openDescriptors(archive) ?? 0, 0);
    }
    const signal = AbortSignal.timeout(30); // while nothing but archives is read
    const read = async () => {
      for (;;) await all(readMessages(archive, { signal }));
    };
    await assert.rejects(read, { name: 'TimeoutError' });
  });
});

describe('a book driven by hand', () => {
  test('is the one that the rows show', async (t) => {
    for (const { market } of SAMPLES) {
      const archive = await writeSample(tempDir(t), market);
      const book = new OrderBook();
      const messages = readMessages(archive);
      let next = await messages.next();
      for await (const row of snapshots(archive, { intervalMs: 1000 })) {
        for (; !next.done && next.value.tsMs <= row.boundaryMs; next = await messages.next()) book.apply(next.value);
        assert.deepEqual(book.text(), row.text());
        assert.deepEqual(book.text(1), row.text(1));
        assert.deepEqual(book.levels(20), row.levels(20));
        assert.equal(book.bestBid?.price, row.levels().bidPrices[0]);
        assert.equal(book.bestAsk?.quantity, row.levels().askQuantities[0]);
        assert.equal(book.isCrossed, row.isCrossed);
        assert.equal(book.depth, market.depth);
      }
      assert.equal(next.done, true);
    }
  });

  test('knows prices as decimals', () => {
    const book = new OrderBook();
    book.apply({
      type: 'snapshot',
      bids: [
        ['0.10', '1'],
        ['100000000000000001', '2'],
        ['100000000000000000', '3'],
      ],
      asks: [['100000000000000000.5', '4']],
    });
    // As floats the two bids and the ask are one number.
    assert.deepEqual(book.text(2).bids, [
      ['100000000000000001', '2'],
      ['100000000000000000', '3'],
    ]);
    assert.equal(book.isCrossed, true);
    book.apply({
      type: 'delta',
      bids: [
        ['0100000000000000001.0', '0.00'],
        ['0.1', '5'],
      ],
      asks: [],
    });
    assert.deepEqual(book.text().bids, [
      ['100000000000000000', '3'],
      ['0.1', '5'],
    ]);
    assert.equal(book.isCrossed, false);
    assert.deepEqual(book.bestBid, { price: 1e17, quantity: 3 });
    assert.equal(book.depth, 2);
  });

  test('is empty at first, and after an empty snapshot', () => {
    const book = new OrderBook();
    for (let round = 0; round < 2; round++) {
      assert.equal(book.bestBid, undefined);
      assert.equal(book.bestAsk, undefined);
      assert.equal(book.isCrossed, false);
      assert.deepEqual(book.text(), { bids: [], asks: [] });
      book.apply({ type: 'delta', bids: [['1', '1']], asks: [] });
      book.apply({ type: 'snapshot', bids: [], asks: [] });
    }
  });

  test('stays as it was when a message is wrong', () => {
    const book = new OrderBook();
    book.apply({ type: 'snapshot', bids: [['1', '1']], asks: [] });
    for (const wrong of ['1e-7', '-1', '', ' 1', '.5', 'NaN']) {
      for (const asks of [[[wrong, '1']], [['2', wrong]]] as [string, string][][]) {
        assert.throws(() => book.apply({ type: 'snapshot', bids: [], asks }), RangeError);
        assert.deepEqual(book.text(), { bids: [['1', '1']], asks: [] });
      }
    }
  });
});

test('reading leaves archives as they are', async (t) => {
  const archive = await writeLines(tempDir(t), [line({ type: 'snapshot', atMs: 10 })]);
  const before = fs.readFileSync(archive);
  await all(readMessages(archive));
  assert.deepEqual(fs.readFileSync(archive), before);
});
