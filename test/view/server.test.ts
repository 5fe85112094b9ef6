/** What the server answers, and what it refuses. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type BookColumns, joinBookColumns, newBookColumns } from '../../src/view/book-columns.js';
import { Holdings } from '../../src/view/holdings.js';
import { readWholeBook } from '../../src/view/open-output.js';
import { encodeBook, encodeEnd, encodeFailure, type WirePart, WireReader } from '../../src/view/wire.js';
import { writeDay } from '../support/book-days.js';
import { type StartedView, startView, waitFor } from '../support/browser.js';
import { runCli } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { holds } from '../support/holds.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-server-'));
const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-outside-'));
const DATE = '2025-01-15';
let view: StartedView;
let files: Record<'csv' | 'csv.gz' | 'parquet', string>;

before(async () => {
  const day = { symbol: 'AAAUSDT', date: DATE, depth: 20, seed: 3 };
  files = {
    csv: await writeDay(root, { ...day, format: 'csv' }),
    'csv.gz': await writeDay(root, { ...day, format: 'csv.gz' }),
    parquet: await writeDay(root, { ...day, format: 'parquet' }),
  };
  // A link within the folder is followed, one that leads out of it is not.
  const elsewhere = await writeDay(outside, { ...day, symbol: 'BBBUSDT', format: 'csv' });
  fs.mkdirSync(path.join(root, '0020/BBBUSDT'));
  fs.symlinkSync(elsewhere, path.join(root, '0020/BBBUSDT', path.basename(elsewhere)));
  fs.symlinkSync(path.join(outside, '0020/BBBUSDT'), path.join(root, '0020/CCCUSDT'));
  fs.mkdirSync(path.join(root, '0020/DDDUSDT'));
  fs.symlinkSync(files.csv, path.join(root, '0020/DDDUSDT', path.basename(files.csv).replace('AAA', 'DDD')));
  view = await startView([root]);
});

after(() => {
  view?.stop();
  for (const folder of [root, outside]) fs.rmSync(folder, { recursive: true, force: true });
});

interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Asks for a path as it is, which `fetch` would tidy. */
async function get(target: string, { method = 'GET', headers = {} }: http.RequestOptions = {}): Promise<Got> {
  const { hostname, port } = new URL(view.url);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path: target, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const all = Buffer.concat(parts);
        const body = response.headers['content-encoding'] === 'gzip' && all.length > 0 ? gunzipSync(all) : all;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
      response.on('error', reject);
    });
    request.on('error', reject).end();
  });
}

const prefix = () => new URL(view.url).pathname;
const bookAt = (format: string, more = '', symbol = 'AAAUSDT') =>
  `${prefix()}book?series=/${symbol}/ob20/1m/${format}&day=${DATE}${more}`;

function decode(bytes: Uint8Array, pieceBytes = bytes.length): WirePart[] {
  const reader = new WireReader();
  const parts: WirePart[] = [];
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    reader.push(bytes.subarray(start, start + pieceBytes));
    for (let part = reader.next(); part; part = reader.next()) parts.push(part);
  }
  return parts;
}

const columnsOf = (parts: WirePart[]) =>
  joinBookColumns(parts.flatMap((part) => (part.kind === 'book' ? [part.columns] : [])));

for (const format of ['csv', 'csv.gz', 'parquet'] as const) {
  test(`rows of ${format} are sent as they are in the file, by range of time and depth`, async () => {
    const [fromMs, toMs] = [Date.parse(DATE) + 3_600_000, Date.parse(DATE) + 7_200_000];
    for (const range of [{}, { fromMs, toMs }, { fromMs, toMs, depth: 3 }, { fromMs: toMs + 1e9 }]) {
      const query = Object.entries(range).map(([name, value]) => `&${name.replace('Ms', '')}=${value}`);
      const { status, headers, body } = await get(bookAt(format, query.join('')));
      assert.equal(status, 200);
      assert.equal(headers['content-encoding'], 'gzip');
      const parts = decode(body);
      assert.equal(parts.at(-1)?.kind, 'end');
      assert.deepEqual(columnsOf(parts), await readWholeBook(files[format], range));
    }
  });
}

test('rows as CSV are those of the file, byte for byte', async () => {
  const [fromMs, toMs] = [Date.parse(DATE) + 3_600_000, Date.parse(DATE) + 3_660_000];
  const text = fs.readFileSync(files.csv, 'utf8').split('\r\n');
  const wanted = `${[text[0], ...text.filter((line) => Number(line.split(',')[0]) >= fromMs && Number(line.split(',')[0]) <= toMs)].join('\r\n')}\r\n`;
  for (const format of ['csv', 'csv.gz']) {
    const { body } = await get(`${bookAt(format, `&from=${fromMs}&to=${toMs}`).replace('/book?', '/rows?')}`);
    assert.equal(body.toString(), wanted);
  }
  const { body } = await get(`${bookAt('parquet', `&from=${fromMs}&to=${toMs}&depth=20`).replace('/book?', '/rows?')}`);
  const cells = (csv: string, row: number) =>
    csv
      .split('\r\n')
      [row]?.split(',')
      .filter((_, i) => i === 0 || i > 7)
      .map(Number);
  assert.equal(body.toString().split('\r\n').length, 4);
  const [, ...numbers] = body.toString().split('\r\n')[1]?.split(',').map(Number) ?? [];
  assert.deepEqual(numbers, cells(wanted, 1)?.slice(1));
});

test('an answer has an ETag, and is not sent again when it is known', async () => {
  const { headers } = await get(bookAt('csv'));
  const again = await get(bookAt('csv'), { headers: { 'if-none-match': headers.etag ?? '' } });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  const other = await get(bookAt('csv', '&depth=5'), { headers: { 'if-none-match': headers.etag ?? '' } });
  assert.equal(other.status, 200);
  const { headers: ofPage } = await get(prefix());
  assert.equal((await get(prefix(), { headers: { 'if-none-match': ofPage.etag ?? '' } })).status, 304);
});

test('HEAD answers as GET does, without a body', async () => {
  for (const target of [prefix(), bookAt('csv'), `${prefix()}listing`]) {
    const [head, whole] = [await get(target, { method: 'HEAD' }), await get(target)];
    assert.deepEqual([head.status, head.body.length, head.headers.etag], [200, 0, whole.headers.etag]);
  }
});

const FORBIDDEN: [what: string, target: () => string, status: number, options?: http.RequestOptions][] = [
  ['no token', () => '/', 404],
  ['another token', () => `/${'A'.repeat(32)}/`, 404],
  ['a token cut short', () => `${prefix().slice(0, -2)}/`, 404],
  ['..', () => `${prefix()}../../etc/passwd`, 404],
  ['encoded ..', () => `${prefix()}%2e%2e/%2e%2e/etc/passwd`, 404],
  ['encoded slashes', () => `${prefix()}..%2f..%2fetc%2fpasswd`, 404],
  ['backslashes', () => `${prefix()}..\\..\\etc\\passwd`, 404],
  ['a NUL', () => `${prefix()}page.js%00.css`, 404],
  ['a file beside the page', () => `${prefix()}worker.ts`, 404],
  ['an absolute address', () => `http://127.0.0.1${prefix()}`, 404],
  ['a name of Object', () => `${prefix()}constructor?series=a&day=b`, 404],
  ['a path as a day', () => `${prefix()}book?series=/AAAUSDT/ob20/1m/csv&day=../../../../etc/passwd`, 404],
  ['a path as a series', () => `${prefix()}book?series=../../etc&day=passwd`, 404],
  ['a link to a file outside', () => bookAt('csv', '', 'BBBUSDT'), 403],
  ['a link to a folder outside', () => bookAt('csv', '', 'CCCUSDT'), 404],
  ['a depth of 0', () => bookAt('csv', '&depth=0'), 400],
  ['a time that is none', () => bookAt('csv', '&from=-1'), 400],
  ['another host', prefix, 421, { headers: { host: 'evil.example:80' } }],
  ['the right host without a port', prefix, 421, { headers: { host: '127.0.0.1' } }],
  ['another site', prefix, 403, { headers: { 'sec-fetch-site': 'cross-site' } }],
  ...['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'].map(
    (method): [string, () => string, number, http.RequestOptions] => [method, prefix, 405, { method }],
  ),
];

for (const [what, target, status, options] of FORBIDDEN) {
  test(`refused: ${what}`, async () => {
    const { status: found, body, headers } = await get(target(), options);
    assert.equal(found, status, body.toString());
    assert.ok(!body.includes('root:'));
    assert.match(String(headers['content-security-policy']), /^default-src 'self';/);
  });
}

test('a link within the folder is followed', async () => {
  const { status, body } = await get(bookAt('csv', '', 'DDDUSDT'));
  assert.equal(status, 200);
  assert.equal(columnsOf(decode(body)).rows, 1440);
});

test('what is no HTTP ends the connection and nothing else', async () => {
  const { hostname, port } = new URL(view.url);
  for (const text of [
    '\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    `GET ${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    '\x16\x03\x01',
  ]) {
    await new Promise((resolve) => {
      const socket = net.connect(Number(port), hostname, () => socket.end(text));
      socket.on('error', resolve).on('close', resolve).resume();
    });
  }
  assert.equal((await get(prefix())).status, 200);
});

test('a name is not in a listing that it has left, and a new one is', async () => {
  const file = await writeDay(root, { symbol: 'EEEUSDT', date: DATE, depth: 1, seed: 1, format: 'csv' });
  const symbols = async () => {
    const { body } = await get(`${prefix()}listing`);
    return JSON.parse(body.toString()).series.map(({ symbol }: { symbol: string }) => symbol);
  };
  await waitFor(async () => (await symbols()).includes('EEEUSDT'));
  fs.rmSync(file);
  await waitFor(async () => !(await symbols()).includes('EEEUSDT'));
});

test('a day that appears just before another one is first opened is seen all the same', async (t) => {
  const folder = tempDir(t);
  const day = { date: DATE, depth: 1, seed: 1, format: 'csv' } as const;
  const first = await writeDay(folder, { ...day, symbol: 'AAAUSDT' });
  const holdings = await Holdings.open([folder]);
  await holdings.look();
  await writeDay(folder, { ...day, symbol: 'BBBUSDT' });
  await (await holdings.openFile(first))?.close();
  await waitFor(async () => [...(await holdings.look()).paths.values()].some((file) => file.includes('BBBUSDT')));
});

/** As large as asked for: rows of 500 levels a side, a second apart. */
function writeLarge(file: string, bytes: number): void {
  const names = ['bid', 'ask'].flatMap((side) =>
    Array.from({ length: 500 }, (_, level) => `${side}_price_${level + 1},${side}_qty_${level + 1}`),
  );
  const levels = Array.from(
    { length: 1000 },
    (_, level) => `${(level < 500 ? 2 - level / 1e4 : 2 + (level - 499) / 1e4).toFixed(4)},${(level * 37) % 1000}`,
  );
  const rest = `,${levels.join(',')}\r\n`;
  const fd = fs.openSync(file, 'w');
  fs.writeSync(fd, `timestamp,${names.join(',')}\r\n`);
  const startMs = Date.parse(DATE);
  let written = 0;
  for (let row = 1; written < bytes; ) {
    const some = Array.from({ length: 500 }, () => `${startMs + row++ * 1000}${rest}`).join('');
    written += fs.writeSync(fd, some);
  }
  fs.closeSync(fd);
}

const LARGE_BYTES = process.env['CI_LONG'] ? 1e9 : 2e8;
/** Node itself takes some 70 MB of it. */
const LIMIT_MB = 450;

test(`a CSV of ${LARGE_BYTES / 1e6} MB and 200 connections at once: within ${LIMIT_MB} MB of memory`, async (t) => {
  const folder = tempDir(t);
  const file = path.join(folder, `${DATE}_LARGEUSDT_ob500_1s.csv`);
  writeLarge(file, LARGE_BYTES);
  const large = await startView([file]);
  t.after(large.stop);
  const { hostname, port, pathname } = new URL(large.url);
  const target = `${pathname}book?series=/LARGEUSDT/ob500/1s/csv&day=${DATE}`;
  const startMs = Date.parse(DATE);
  // 150 that take some bytes and then nothing, and 50 that want a minute near the end.
  const stalled = Array.from({ length: 150 }, () =>
    http
      .get({ hostname, port, path: target, agent: false }, (response) => response.once('data', () => response.pause()))
      .on('error', () => {}),
  );
  const lastMs = startMs + Math.floor(LARGE_BYTES / 28_000) * 1000;
  const minutes = Array.from(
    { length: 50 },
    () =>
      new Promise<number>((resolve, reject) => {
        http
          .get({ hostname, port, path: `${target}&from=${lastMs}&to=${lastMs + 59_000}`, agent: false }, (response) => {
            const parts: Buffer[] = [];
            response.on('data', (part) => parts.push(part)).on('error', reject);
            response.on('end', () => resolve(columnsOf(decode(gunzipSync(Buffer.concat(parts)))).rows));
          })
          .on('error', reject);
      }),
  );
  // The page itself is answered while files are waited for.
  assert.equal((await fetch(large.url)).status, 200);
  setTimeout(() => {
    for (const request of stalled) request.destroy();
  }, 2000).unref();
  assert.deepEqual(await Promise.all(minutes), Array(50).fill(60));
  // And one that takes all of it.
  const response = await fetch(`${large.url}book?series=/LARGEUSDT/ob500/1s/csv&day=${DATE}`);
  let bytes = 0;
  for await (const piece of response.body as AsyncIterable<Uint8Array>) bytes += piece.length;
  assert.ok(bytes > LARGE_BYTES / 10, `${bytes} bytes`);
  const peakKb = /VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${large.pid}/status`, 'utf8'))?.[1];
  assert.ok(Number(peakKb) < LIMIT_MB * 1000, `${peakKb} kB`);
});

test('parts come out of their bytes as they went in, however these are cut', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: 0, max: 1e6 }).map((n) => n / 1e4),
    fc.nat(1e6),
  );
  const column = fc.tuple(fc.nat(4), fc.nat(3)).chain(([rows, depth]) =>
    fc.record({
      rows: fc.constant(rows),
      depth: fc.constant(depth),
      numbers: fc.array(number, { minLength: 4 * rows * depth, maxLength: 4 * rows * depth }),
      counts: fc.array(fc.nat(depth), { minLength: 2 * rows, maxLength: 2 * rows }),
      flags: fc.array(fc.nat(31), { minLength: rows, maxLength: rows }),
      times: fc.array(fc.nat(2 ** 31), { minLength: rows, maxLength: rows }),
    }),
  );
  holds(
    fc.property(
      column,
      fc.integer({ min: 1, max: 50 }),
      ({ rows, depth, numbers, counts, flags, times }, pieceBytes) => {
        const columns: BookColumns = newBookColumns(rows, depth, true);
        columns.timesMs.set(times);
        columns.flags.set(flags);
        columns.bidCounts.set(counts.slice(0, rows));
        columns.askCounts.set(counts.slice(rows));
        for (const [index, name] of (['bidPrices', 'bidQuantities', 'askPrices', 'askQuantities'] as const).entries()) {
          const side = index < 2 ? columns.bidCounts : columns.askCounts;
          // Room that no level has is empty.
          numbers.slice(index * rows * depth, (index + 1) * rows * depth).forEach((value, at) => {
            if (at % depth < (side[Math.floor(at / depth)] ?? 0)) columns[name][at] = value === 0 ? 0 : value;
          });
        }
        const sent = Buffer.concat([encodeBook(columns), encodeFailure('ünwell'), encodeEnd()]);
        assert.deepEqual(decode(sent, pieceBytes), [
          { kind: 'book', columns },
          { kind: 'failed', message: 'ünwell' },
          { kind: 'end' },
        ]);
      },
    ),
  );
});

test('what cannot be shown is said before anything is served', async (t) => {
  const folder = tempDir(t);
  fs.writeFileSync(path.join(folder, 'a.txt'), '');
  const { port } = new URL(view.url);
  for (const [args, message] of [
    [[path.join(folder, 'none')], /No such file or folder: /],
    [[path.join(folder, 'a.txt')], /is no output by its name, which must end in \.csv, \.csv\.gz or \.parquet/],
    [[folder, files.csv], /Give one folder, or files/],
    [['--port', port], new RegExp(`Port ${port} cannot be had: .*Leave out --port`)],
    [['--port', '70000'], /Expected a port from 1 to 65535/],
  ] as const) {
    const { status, stderr } = await runCli(['view', ...(args[0] === '--port' ? [root] : []), ...args]);
    assert.equal(status, 2);
    assert.match(stderr, message);
  }
});
