/** One archive, and everything that can go wrong on its way. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DownloadOptions, download, type FileOutcome, prepare } from '../../src/download/download.js';
import { type ArchiveServer, type Fault, startServer } from '../support/archive-server.js';
import { tempDir } from '../support/files.js';
import { listFiles, makeArchive } from '../support/runs.js';

const DAY = '2025-01-15';
const PAIR = 'AAAUSDT';
const NAME = `${DAY}_${PAIR}_ob500.data.zip`;
const PATH = `/orderbook/linear/${PAIR}/${NAME}`;

function optionsFor(server: ArchiveServer, sourceDir: string, more: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    ...{ symbols: [PAIR], from: DAY, to: DAY, market: 'linear', sourceDir, baseUrl: server.url, isPublisher: false },
    ...{ listUrl: undefined, connections: 3, tries: 5, timeoutMs: 20_000, firstBackoffMs: 2, ...more },
  };
}

async function run(options: DownloadOptions, signal = new AbortController().signal) {
  const plan = await prepare(options, { signal });
  const outcomes: FileOutcome[] = [];
  let bytes = 0;
  const ending = await download(plan, options, {
    signal,
    onFile: (_, outcome) => outcomes.push(outcome),
    onBytes(more) {
      bytes += more;
    },
  });
  return { plan, ending, outcomes, outcome: outcomes[0], bytes };
}

async function publishOne(
  t: TestContext,
): Promise<{ server: ArchiveServer; sourceDir: string; target: string; bytes: Buffer }> {
  const server = await startServer(t);
  await server.publishMade(tempDir(t), 'linear', { pair: PAIR });
  const sourceDir = path.join(tempDir(t), 'archives');
  const target = path.join(sourceDir, 'linear/0500', PAIR, NAME);
  return { server, sourceDir, target, bytes: server.files.get(PATH)?.bytes ?? Buffer.alloc(0) };
}

/** What a fault leads to before all goes well, and how many requests it takes. */
const MENDED: [what: string, faults: Fault[], requests: number][] = [
  ['nothing', [], 1],
  ['a connection that is cut', [{ cutAfter: 1000 }, { cutAfter: 0 }, { cutAfter: 1 }], 4],
  ['a 403', [{ status: 403, body: '<html>Access Denied</html>' }], 2],
  ['a 429 with Retry-After', [{ status: 429, headers: { 'retry-after': '0' } }], 2],
  ['a 500 and a 503', [{ status: 500 }, { status: 503, headers: { 'retry-after': '0' } }], 3],
  [
    'a page with status 200',
    [{ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Try later</html>' }],
    2,
  ],
  ['an empty answer', [{ status: 200 }], 2],
  ['a length that is too large', [{ promises: 500 }], 2],
  ['a corrupt byte', ['corrupt'], 2],
  ['an answer without a length', ['chunked'], 1],
  ['an answer that stops without a length', [{ sends: Buffer.from('PK\x03\x04 and no more') }], 2],
  ['a server that ignores the range', [{ cutAfter: 1000 }, 'ignores-range'], 2],
  ['a server that sends another range', [{ cutAfter: 1000 }, 'wrong-range'], 3],
  ['a changed tag in mid-file', [{ cutAfter: 1000 }, 'other-tag'], 3],
  ['a 416 in mid-file', [{ cutAfter: 1000 }, { status: 416, headers: { 'content-range': 'bytes */7' } }], 3],
  ['a page in mid-file', [{ cutAfter: 1000 }, { status: 200, body: '<html>' }], 3],
];

for (const [what, faults, requests] of MENDED) {
  test(`${what}: the file is whole in the end`, async (t) => {
    const { server, sourceDir, target, bytes } = await publishOne(t);
    server.faults.set(PATH, [...faults]);
    const { ending, outcome, bytes: counted } = await run(optionsFor(server, sourceDir));
    assert.deepEqual(ending, { kind: 'complete' });
    assert.equal(outcome?.status, 'fetched', JSON.stringify(outcome));
    assert.ok(fs.readFileSync(target).equals(bytes));
    assert.deepEqual(listFiles(sourceDir), [target], 'nothing else is left');
    assert.equal(counted, bytes.length, 'bytes that were of no use are not counted');
    assert.equal(server.requests.length, requests);
  });
}

test('what has come before a cut, or a page in mid-file, is not asked for again', async (t) => {
  const { server, sourceDir, bytes } = await publishOne(t);
  server.faults.set(PATH, [{ cutAfter: 1000 }, { status: 200, body: '<html>' }, { cutAfter: 500 }]);
  await run(optionsFor(server, sourceDir));
  const ranges = server.requests.map(({ headers }) => headers.range);
  assert.deepEqual(ranges, [undefined, 'bytes=1000-', 'bytes=1000-', 'bytes=1500-']);
  assert.equal(server.totalSent, bytes.length);
  assert.ok(server.requests.every(({ headers }) => /^bookgrid\/\d/.test(headers['user-agent'] ?? '')));
  assert.equal(server.requests[1]?.headers['if-range'], server.files.get(PATH)?.etag);
});

test('a file that changes in mid-file is fetched anew', async (t) => {
  const { server, sourceDir, target } = await publishOne(t);
  const old = server.files.get(PATH)?.bytes ?? Buffer.alloc(0);
  server.faults.set(PATH, [{ cutAfter: old.length - 100 }]);
  const options = optionsFor(server, sourceDir, { tries: 1 });
  const first = await run(options);
  assert.equal(first.outcome?.status, 'failed');
  const changed = fs.readFileSync(await makeArchive(tempDir(t), { pair: PAIR, market: { seed: 99 } }));
  server.publish(PATH, changed, { etag: '"changed"' });
  const second = await run(options);
  assert.equal(second.outcome?.status, 'fetched');
  assert.ok(fs.readFileSync(target).equals(changed));
});

for (const [what, validators] of [
  ['no tag', { etag: undefined }],
  ['a weak tag', { etag: 'W/"weak"' }],
  ['neither tag nor time', { etag: undefined, lastModified: undefined }],
] as const) {
  test(`${what}: the rest is asked for all the same`, async (t) => {
    const { server, sourceDir, target, bytes } = await publishOne(t);
    server.publish(PATH, bytes, validators);
    server.faults.set(PATH, [{ cutAfter: 1000 }]);
    await run(optionsFor(server, sourceDir));
    assert.ok(fs.readFileSync(target).equals(bytes));
    assert.equal(server.totalSent, bytes.length);
  });
}

/** What is named when it does not get better, and what is kept for the next run. */
const GIVEN_UP: [what: string, fault: Fault, message: RegExp, requests: number, isKept: boolean][] = [
  ['a 403', { status: 403 }, /status 403 \(given up after 3 tries\)/, 3, false],
  ['a 503', { status: 503 }, /status 503/, 3, false],
  ['a wish to wait for a day', { status: 429, headers: { 'retry-after': '86400' } }, /asks to wait 86400 s/, 1, false],
  ['a page', { status: 200, body: '<html>Sorry</html>' }, /no zip file: it begins with "<html>Sorry/, 3, false],
  ['a corrupt byte', 'corrupt', /not whole or not what was asked for: damaged/, 2, false],
  ['a connection that is cut', { cutAfter: 100 }, /./, 3, true],
  [
    'a file cut short',
    { sends: Buffer.from(`PK\x03\x04${'x'.repeat(5000)}`) },
    /truncated: the zip's directory is missing/,
    2,
    false,
  ],
];

for (const [what, fault, message, requests, isKept] of GIVEN_UP) {
  test(`${what} again and again: given up and named`, async (t) => {
    const { server, sourceDir } = await publishOne(t);
    server.faults.set(
      PATH,
      Array.from({ length: 10 }, () => fault),
    );
    const { ending, outcome } = await run(optionsFor(server, sourceDir, { tries: 3 }));
    assert.deepEqual(ending, { kind: 'complete' });
    assert.ok(outcome?.status === 'failed');
    assert.match(outcome.error, message);
    assert.equal(server.requests.length, requests);
    assert.equal(listFiles(sourceDir).length > 0, isKept, listFiles(sourceDir).join());
  });
}

for (const fault of ['silent', 'stalls', 'trickles'] as const) {
  test(`a server that ${fault === 'silent' ? 'is silent' : fault}: given up after the time-out, and tried again`, async (t) => {
    const { server, sourceDir, target, bytes } = await publishOne(t);
    server.faults.set(PATH, [fault]);
    const { outcome } = await run(optionsFor(server, sourceDir, { timeoutMs: 1000 }));
    assert.equal(outcome?.status, 'fetched', JSON.stringify(outcome));
    assert.ok(fs.readFileSync(target).equals(bytes));
  });
}

test('bytes that come again and again are no progress: the file is given up', async (t) => {
  const server = await startServer(t);
  const market = { durationMs: 300_000, messageIntervalMs: 100 };
  await server.publishMade(tempDir(t), 'linear', { pair: PAIR, isStored: true, market });
  assert.ok((server.files.get(PATH)?.bytes.length ?? 0) > 600_000);
  const faults = Array.from({ length: 50 }, (): Fault[] => [{ cutAfter: 300_000 }, 'other-tag']);
  server.faults.set(PATH, faults.flat());
  const { outcome } = await run(optionsFor(server, tempDir(t), { tries: 4 }));
  assert.equal(outcome?.status, 'failed');
  assert.ok(server.requests.length <= 8, `${server.requests.length} requests`);
});

test('redirections are followed, with the range', async (t) => {
  const { server, sourceDir, target, bytes } = await publishOne(t);
  server.publish('/elsewhere.zip', bytes);
  const redirect: Fault = { status: 302, headers: { location: '/elsewhere.zip' } };
  server.faults.set(PATH, [redirect, redirect]);
  server.faults.set('/elsewhere.zip', [{ cutAfter: 1000 }]);
  const { outcome } = await run(optionsFor(server, sourceDir));
  assert.equal(outcome?.status, 'fetched');
  assert.ok(fs.readFileSync(target).equals(bytes));
  assert.equal(server.totalSent, bytes.length);
});

test('redirections in a circle end', async (t) => {
  const { server, sourceDir } = await publishOne(t);
  server.faults.set(
    PATH,
    Array.from({ length: 100 }, (): Fault => ({ status: 302, headers: { location: PATH } })),
  );
  const { outcome } = await run(optionsFor(server, sourceDir, { tries: 2 }));
  assert.ok(outcome?.status === 'failed');
  assert.match(outcome.error, /302/);
});

test('a 429 holds all connections for as long as it asks', async (t) => {
  const server = await startServer(t);
  const folder = tempDir(t);
  const paths = await Promise.all(
    ['AAAUSDT', 'BBBUSDT', 'CCCUSDT', 'DDDUSDT'].map((pair) => server.publishMade(folder, 'linear', { pair })),
  );
  server.faults.set(paths[0] ?? '', [{ status: 429, headers: { 'retry-after': '2' } }]);
  const options = { symbols: ['AAAUSDT', 'BBBUSDT', 'CCCUSDT', 'DDDUSDT'], connections: 1 };
  const { outcomes } = await run(optionsFor(server, tempDir(t), options));
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['fetched']));
  const [first, second] = server.requests;
  assert.ok((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 1990, 'nobody asked meanwhile');
});

test('no more connections than allowed', async (t) => {
  const server = await startServer(t);
  const symbols = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT', 'FUSDT'];
  const folder = tempDir(t);
  for (const pair of symbols) await server.publishMade(folder, 'linear', { pair });
  server.throttle = { bytes: 1000, everyMs: 5 };
  await run(optionsFor(server, tempDir(t), { symbols, connections: 2 }));
  assert.equal(server.mostAtATime, 2);
});

test('the depth in doubt: the other one is tried', async (t) => {
  const server = await startServer(t);
  await server.publishMade(tempDir(t), 'linear', { pair: PAIR, depth: 200 });
  const { outcome } = await run(optionsFor(server, tempDir(t)));
  assert.ok(outcome?.status === 'fetched');
  assert.match(outcome.path, /linear\/0200\/AAAUSDT\/2025-01-15_AAAUSDT_ob200\.data\.zip$/);
});

test('a day that is not published is absent, and no error', async (t) => {
  const server = await startServer(t);
  const sourceDir = tempDir(t);
  const { ending, outcome } = await run(optionsFor(server, sourceDir));
  assert.deepEqual([ending.kind, outcome?.status], ['complete', 'absent']);
  assert.deepEqual(fs.readdirSync(sourceDir), [], 'no folder was made for nothing');
});

const OTHER: [what: string, archive: Parameters<typeof makeArchive>[1], message: RegExp][] = [
  [
    'day',
    { pair: PAIR, date: '2025-01-14' },
    /none of its messages is of 2025-01-15, the day in its name; the last is of 2025-01-14/,
  ],
  ['pair', { pair: 'BBBUSDT' }, /its messages are of BBBUSDT, 500 levels, its name says AAAUSDT, 500 levels/],
  ['depth', { pair: PAIR, depth: 200 }, /its messages are of AAAUSDT, 200 levels, its name says AAAUSDT, 500 levels/],
];

for (const [what, archive, message] of OTHER) {
  test(`an archive of another ${what} than asked for is found out`, async (t) => {
    const server = await startServer(t);
    server.publish(PATH, fs.readFileSync(await makeArchive(tempDir(t), archive)));
    const sourceDir = tempDir(t);
    const { outcome } = await run(optionsFor(server, sourceDir));
    assert.ok(outcome?.status === 'failed');
    assert.match(outcome.error, message);
    assert.deepEqual(listFiles(sourceDir), []);
  });
}

test('nobody answers: the run ends instead of trying every file', async (t) => {
  const server = await startServer(t);
  const options = optionsFor(server, tempDir(t), { from: '2025-01-01', tries: 2 });
  await server.close();
  const { ending, outcomes } = await run(options);
  assert.equal(ending.kind, 'unreachable');
  assert.deepEqual(outcomes, []);
});

test('nobody answers any more: the run ends after some files', async (t) => {
  const server = await startServer(t);
  const path = await server.publishMade(tempDir(t), 'linear', { pair: PAIR, date: '2025-01-01' });
  server.onSent = async (sent) => {
    if (sent === path) await server.close();
  };
  const options = optionsFor(server, tempDir(t), { from: '2025-01-01', tries: 2, connections: 2 });
  const { ending, outcomes } = await run(options);
  assert.equal(ending.kind, 'unreachable');
  assert.ok(outcomes.length <= 5, `${outcomes.length} of 15 files were settled`);
});

test('what is there and whole is not fetched; what is not is replaced', async (t) => {
  const { server, sourceDir, target, bytes } = await publishOne(t);
  await run(optionsFor(server, sourceDir));
  const before = server.requests.length;
  const again = await run(optionsFor(server, sourceDir));
  assert.deepEqual(again.outcome, { status: 'there', path: target, bytes: bytes.length });
  assert.equal(server.requests.length, before);
  fs.truncateSync(target, 1000);
  const mended = await run(optionsFor(server, sourceDir));
  assert.match(mended.plan.files[0]?.problem ?? '', /truncated/);
  assert.equal(mended.outcome?.status, 'fetched');
  assert.ok(fs.readFileSync(target).equals(bytes));
});
