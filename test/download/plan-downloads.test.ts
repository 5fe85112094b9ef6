import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daysFrom } from '../../src/base/time.js';
import { countPublished, ERAS, firstPublishedDay, isPublished, likelyDepths } from '../../src/catalog/coverage.js';
import type { ArchiveFile } from '../../src/catalog/find-archives.js';
import { availableDays, type PlanInput, planDownloads } from '../../src/download/plan-downloads.js';

const NOW_MS = Date.parse('2025-09-01T03:00:00Z');

test('days of the market that have ended', () => {
  const days = (from: string, to: string, market: 'linear' | 'spot' = 'linear') =>
    availableDays({ market, from, to }, NOW_MS);
  assert.deepEqual(days('2025-08-30', '2025-09-03'), { days: ['2025-08-30', '2025-08-31'], tooEarly: 0, tooLate: 3 });
  assert.deepEqual(days('2023-01-16', '2023-01-19'), { days: ['2023-01-18', '2023-01-19'], tooEarly: 2, tooLate: 0 });
  assert.deepEqual(days('2025-04-28', '2025-04-29', 'spot'), { days: ['2025-04-29'], tooEarly: 1, tooLate: 0 });
  assert.deepEqual(days('2020-01-01', '2020-01-10'), { days: [], tooEarly: 10, tooLate: 0 });
  assert.deepEqual(days('2025-09-01', '2025-09-10'), { days: [], tooEarly: 0, tooLate: 10 });
  const all = days('2020-01-01', '2030-01-01');
  assert.equal(all.days.length + all.tooEarly + all.tooLate, 3654);
});

test('the table of eras: in order, without holes, and what it says of a day', () => {
  for (const market of ['linear', 'inverse', 'spot'] as const) {
    const eras = ERAS.filter((era) => era.market === market);
    for (const [index, { lastDay = '' }] of eras.slice(0, -1).entries()) {
      assert.equal(Date.parse(eras[index + 1]?.firstDay ?? '') - Date.parse(lastDay), 86_400_000);
    }
    assert.equal(eras.at(-1)?.lastDay, undefined);
    assert.equal(eras[0]?.firstDay, firstPublishedDay(market));
  }
  assert.deepEqual(likelyDepths('linear', '2025-08-20'), [500, 200]);
  assert.deepEqual(likelyDepths('inverse', '2025-08-21'), [200, 500]);
  assert.deepEqual(likelyDepths('spot', '2025-08-20'), [200]);
  assert.ok(isPublished('2025-08-20', { market: 'linear', depth: 500 }));
  assert.ok(!isPublished('2025-08-21', { market: 'linear', depth: 500 }));
  assert.ok(isPublished('2025-08-21', { market: 'linear', depth: 50 }));
  assert.ok(!isPublished('2025-04-28', { market: 'spot' }));
  assert.ok(isPublished('2025-04-28', {}), 'of a market that is not told, it may be any');
  assert.ok(!isPublished('2023-01-17', {}));
});

test('days counted at once are as many as days asked for one by one', () => {
  const ranges = [
    ['2022-12-01', '2023-02-01'],
    ['2025-04-01', '2025-10-01'],
    ['2025-08-20', '2025-08-20'],
    ['2025-08-21', '2025-08-21'],
    ['2010-01-01', '2010-02-01'],
  ] as const;
  for (const [from, to] of ranges) {
    for (const market of [undefined, 'linear', 'spot'] as const) {
      for (const depth of [undefined, 50, 200, 500, 1000]) {
        const days = daysFrom(from, to).filter((day) => isPublished(day, { market, depth }));
        assert.equal(countPublished(from, to, { market, depth }), days.length, `${from} ${market} ${depth}`);
        const byEras = daysFrom(from, to).filter((day) =>
          ERAS.some(
            (era) =>
              (market ?? era.market) === era.market &&
              era.depth >= (depth ?? 0) &&
              day >= era.firstDay &&
              day <= (era.lastDay ?? day),
          ),
        );
        assert.deepEqual(days, byEras);
      }
    }
  }
});

function planned(more: Partial<PlanInput> = {}) {
  return planDownloads({
    wanted: { market: 'linear', symbols: ['AAAUSDT', 'BBB-26SEP25'], from: '2025-08-20', to: '2025-08-21' },
    ...{ days: ['2025-08-20', '2025-08-21'], sourceDir: 'archives', baseUrl: 'https://host/', usesLinks: true },
    ...{ archives: [], listed: [], ...more },
  });
}

test('each file: addresses and places, by symbol and day', () => {
  const files = planned();
  assert.deepEqual(
    files.map(({ number, pair, date }) => [number, pair, date]),
    [
      [1, 'AAAUSDT', '2025-08-20'],
      [2, 'AAAUSDT', '2025-08-21'],
      [3, 'BBB-26SEP25', '2025-08-20'],
      [4, 'BBB-26SEP25', '2025-08-21'],
    ],
  );
  assert.deepEqual(files[3]?.candidates, [
    {
      sourceDepth: 200,
      fileName: '2025-08-21_BBB-26SEP25_ob200.data.zip',
      url: 'https://host/orderbook/linear/BBB-26SEP25/2025-08-21_BBB-26SEP25_ob200.data.zip',
      path: 'archives/linear/0200/BBB-26SEP25/2025-08-21_BBB-26SEP25_ob200.data.zip',
    },
    {
      sourceDepth: 500,
      fileName: '2025-08-21_BBB-26SEP25_ob500.data.zip',
      url: 'https://host/orderbook/linear/BBB-26SEP25/2025-08-21_BBB-26SEP25_ob500.data.zip',
      path: 'archives/linear/0500/BBB-26SEP25/2025-08-21_BBB-26SEP25_ob500.data.zip',
    },
  ]);
});

test('what is there: of the same market and any depth, wherever it lies', () => {
  const archive = (path: string, more: Partial<ArchiveFile> = {}): ArchiveFile => ({
    ...{ path, fileName: path.split('/').at(-1) ?? '', market: 'linear', pair: 'AAAUSDT', date: '2025-08-20' },
    ...{ sourceDepth: 500, sizeBytes: 1, mtimeMs: 1, isDayFile: true, ...more },
  });
  const there = (...archives: ArchiveFile[]) => planned({ archives })[0]?.there?.path;
  assert.equal(
    there(archive('x/linear/2025-08-20_AAAUSDT_ob500.data.zip')),
    'x/linear/2025-08-20_AAAUSDT_ob500.data.zip',
  );
  assert.equal(
    there(archive('x/2025-08-20_AAAUSDT_ob200.data.zip', { sourceDepth: 200 })),
    'x/2025-08-20_AAAUSDT_ob200.data.zip',
  );
  assert.equal(there(archive('x/2025-08-20_AAAUSDT_ob500.data.zip', { market: 'spot' })), undefined);
  assert.equal(there(archive('x/2025-08-20_AAAUSDT_ob500.data')), undefined, 'another file than the publisher’s');
  const own = archive('archives/linear/0500/AAAUSDT/2025-08-20_AAAUSDT_ob500.data.zip');
  assert.equal(there(archive('a/2025-08-20_AAAUSDT_ob500.data.zip'), own), own.path, 'its own place first');
});
