/** The list service, as public programs that call it have recorded its answers, and as it is when it does not answer. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type DownloadOptions, prepare, sizeOf } from '../../src/download/download.js';
import { ListServiceError, parseAnswer, windowsOf } from '../../src/download/list-service.js';
import { BASE_URL } from '../../src/download/sources.js';
import { type ArchiveServer, listAnswer, startServer } from '../support/archive-server.js';
import { tempDir } from '../support/files.js';

const WEEK = { pair: 'BTCUSDT', from: '2025-08-18', to: '2025-08-24' };

const file = (date: string, depth: number, bytes = 1000, pair = 'BTCUSDT') => ({
  market: 'linear',
  pair,
  date,
  depth,
  bytes,
});

test('an answer: names, sizes as text, links', () => {
  const text = listAnswer([file('2025-08-20', 500, 123_456_789), file('2025-08-21', 200)]);
  assert.deepEqual(parseAnswer(text, WEEK), [
    {
      ...{ date: '2025-08-20', pair: 'BTCUSDT', sourceDepth: 500, sizeBytes: 123_456_789 },
      url: 'https://quote-saver.bycsi.com/orderbook/linear/BTCUSDT/2025-08-20_BTCUSDT_ob500.data.zip',
    },
    {
      ...{ date: '2025-08-21', pair: 'BTCUSDT', sourceDepth: 200, sizeBytes: 1000 },
      url: 'https://quote-saver.bycsi.com/orderbook/linear/BTCUSDT/2025-08-21_BTCUSDT_ob200.data.zip',
    },
  ]);
});

test('an answer without files', () => {
  for (const result of [{ list: [] }, { list: null }, {}]) {
    assert.deepEqual(parseAnswer(JSON.stringify({ ret_code: 0, ret_msg: '', result }), WEEK), []);
  }
});

test('what is of another symbol or day, or no archive, is passed over; a size may be a number, or missing', () => {
  const list = [
    { filename: '2025-08-20_ETHUSDT_ob500.data.zip', size: '1' },
    { filename: '2025-08-25_BTCUSDT_ob200.data.zip', size: '1' },
    { filename: '../../2025-08-20_BTCUSDT_ob500.data.zip', size: '1' },
    { filename: '2025-08-20_BTCUSDT_ob500.data.zip/../x', size: '1' },
    { filename: 'BTCUSDT2025-08-20.csv.gz', size: '1' },
    { filename: 5 },
    null,
    { filename: '2025-08-19_BTCUSDT_ob500.data.zip', size: 77 },
    { filename: '2025-08-20_BTCUSDT_ob500.data.zip', size: 'large' },
  ];
  const found = parseAnswer(JSON.stringify({ ret_code: 0, result: { list } }), WEEK);
  assert.deepEqual(found, [
    { date: '2025-08-19', pair: 'BTCUSDT', sourceDepth: 500, sizeBytes: 77 },
    { date: '2025-08-20', pair: 'BTCUSDT', sourceDepth: 500 },
  ]);
});

for (const [what, text] of [
  ['a page', '<html>Access Denied</html>'],
  ['an error', '{"ret_code":10001,"ret_msg":"params error"}'],
  ['something else', '[1]'],
  ['no list', '{"ret_code":0,"result":{"list":{}}}'],
] as const) {
  test(`${what} is no answer`, () => assert.throws(() => parseAnswer(text, WEEK), ListServiceError));
}

test('windows have at most seven days, and none without a day that is wanted', () => {
  const days = ['2025-08-01', '2025-08-02', '2025-08-07', '2025-08-08', '2025-08-20'];
  assert.deepEqual(windowsOf(days), [
    { from: '2025-08-01', to: '2025-08-07' },
    { from: '2025-08-08', to: '2025-08-08' },
    { from: '2025-08-20', to: '2025-08-20' },
  ]);
});

async function prepareWith(t: TestContext, list: ArchiveServer['list'], more: Partial<DownloadOptions> = {}) {
  const server = await startServer(t);
  server.list = list;
  const options: DownloadOptions = {
    ...{
      symbols: ['BTCUSDT', 'ETHUSDT'],
      from: '2025-08-15',
      to: '2025-08-26',
      market: 'linear',
      sourceDir: tempDir(t),
    },
    ...{ baseUrl: BASE_URL, isPublisher: true, listUrl: server.listUrl, connections: 1, tries: 1, timeoutMs: 20_000 },
    ...{ firstBackoffMs: 2, ...more },
  };
  const plan = await prepare(options, { signal: new AbortController().signal });
  return { server, plan };
}

test('it is asked as the download page asks, a week of a symbol at a time', async (t) => {
  const { server } = await prepareWith(t, () => ({ body: listAnswer([]) }), { market: 'spot' });
  assert.equal(server.requests.length, 4);
  assert.deepEqual(Object.fromEntries(server.requests[0]?.query ?? []), {
    ...{ bizType: 'spot', productId: 'orderbook', symbols: 'BTCUSDT', interval: 'daily', periods: '' },
    ...{ startDay: '2025-08-15', endDay: '2025-08-21' },
  });
  assert.deepEqual(
    server.requests.map(({ query }) => [query.get('symbols'), query.get('startDay'), query.get('endDay')].join(' ')),
    [
      'BTCUSDT 2025-08-15 2025-08-21',
      'BTCUSDT 2025-08-22 2025-08-26',
      'ETHUSDT 2025-08-15 2025-08-21',
      'ETHUSDT 2025-08-22 2025-08-26',
    ],
  );
  for (const { headers } of server.requests) {
    assert.equal(headers.referer, 'https://www.bybit.com/data-download');
    assert.match(headers['user-agent'] ?? '', /^bookgrid\//);
  }
});

test('what it tells comes before what the table of eras says', async (t) => {
  const url = 'https://quote-saver.bycsi.com/moved/2025-08-21_BTCUSDT_ob200.data.zip';
  const { plan } = await prepareWith(t, (query) => {
    const answer = JSON.parse(listAnswer([file('2025-08-20', 200, 5), file('2025-08-21', 200, 7)]));
    answer.result.list[1].url = url;
    answer.result.list[0].url = 'https://example.org/2025-08-20_BTCUSDT_ob200.data.zip';
    return { body: query.get('symbols') === 'BTCUSDT' ? JSON.stringify(answer) : listAnswer([]) };
  });
  const candidates = (date: string) =>
    plan.files.find((wanted) => wanted.pair === 'BTCUSDT' && wanted.date === date)?.candidates ?? [];
  assert.deepEqual(
    candidates('2025-08-20').map(({ sourceDepth, sizeBytes }) => [sourceDepth, sizeBytes]),
    [
      [200, 5],
      [500, undefined],
    ],
    'in doubt the other depth is tried as well',
  );
  assert.equal(candidates('2025-08-21')[0]?.url, url, 'a link of the publisher is taken');
  assert.equal(
    candidates('2025-08-20')[0]?.url,
    'https://quote-saver.bycsi.com/orderbook/linear/BTCUSDT/2025-08-20_BTCUSDT_ob200.data.zip',
    'one that leads elsewhere is not',
  );
  const other = plan.files.find(({ pair, date }) => pair === 'ETHUSDT' && date === '2025-08-20');
  assert.equal(other && sizeOf(other), undefined);
});

test('links are not taken where a mirror is asked', async (t) => {
  const { plan } = await prepareWith(t, () => ({ body: listAnswer([file('2025-08-20', 500)]) }), {
    ...{ baseUrl: 'http://mirror/', isPublisher: false },
  });
  assert.ok(plan.files.every(({ candidates }) => candidates[0].url.startsWith('http://mirror/orderbook/linear/')));
});

for (const [what, answer, problem, requests] of [
  ['a 403', { status: 403, body: '<html>Access Denied</html>' }, /status 403/, 1],
  ['a 500', { status: 500, body: '' }, /status 500/, 3],
  ['a page', { body: '<html>' }, /not JSON/, 1],
  ['an endless answer', { body: 'x'.repeat(3_000_000) }, /more than 1048576 bytes/, 1],
] as const) {
  test(`${what}: it is not asked again, and the table of eras has to do`, async (t) => {
    const { server, plan } = await prepareWith(t, () => answer);
    assert.match(plan.listProblem ?? '', problem);
    assert.equal(server.requests.length, requests);
    assert.equal(plan.files.length, 24);
    assert.deepEqual(
      plan.files.slice(4, 8).map(({ date, candidates }) => [date, candidates[0].sourceDepth]),
      [
        ['2025-08-19', 500],
        ['2025-08-20', 500],
        ['2025-08-21', 200],
        ['2025-08-22', 200],
      ],
    );
  });
}

test('nobody there', async (t) => {
  const { plan } = await prepareWith(t, undefined, { listUrl: 'http://127.0.0.1:9/list' });
  assert.ok(plan.listProblem);
});
