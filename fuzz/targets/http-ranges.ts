/**
 * Answers of a host, byte by byte, to a program that fetches a file in ranges: the file appears whole and right, or not
 * at all. When the host answers well again, the file comes, whatever was left of it before.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import type { Dispatcher } from 'undici';
import { ArchiveError } from '../../src/archive/archive-error.js';
import { FetchError, type Fetched, fetchFile } from '../../src/download/fetch-file.js';
import { openHttp } from '../../src/download/http.js';
import { Pace } from '../../src/download/pace.js';
import { bookText } from '../samples.js';
import type { Target, TargetContext } from '../target.js';
import { zipFile } from '../wrappings.js';

const FILE = zipFile('a.data', bookText(1, 120), { isStored: true });
const NAME = '2025-01-15_FUZZUSDT_ob5.data.zip';
/** Between the answers of an input: no byte of a header or of the file. */
const BETWEEN = Buffer.from('\n~~~\n');
const ETAG = '"made"';
/** An answer may ask to be left alone for minutes. */
const PATIENCE_MS = 300;
/** A host that answers well is answered well, however busy the machine. */
const WELL_MS = 8000;

export async function createTarget({ folder }: TargetContext): Promise<Target> {
  const host = new RawHost();
  await host.listen();
  const http = openHttp({ connections: 1, timeoutMs: WELL_MS });
  let runs = 0;
  return {
    unit: 'executions',
    coverage: ['/dist/fuzzing/src/download/', '/dist/fuzzing/src/storage/partial-file'],
    maxBytes: 3000,
    dictionary: [
      ...[
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.1 206 Partial Content\r\n',
        'HTTP/1.1 416 Range\r\n',
        'HTTP/1.1 302 Found\r\n',
      ],
      ...['content-length: ', 'content-range: bytes ', `/${FILE.length}\r\n`, '-', '*/', `etag: ${ETAG}\r\n`, 'W/'],
      ...['transfer-encoding: chunked\r\n', 'last-modified: ', 'location: /\r\n', '\r\n', '0\r\n\r\n', 'PK\x03\x04'],
      ...[BETWEEN, FILE, FILE.subarray(50)],
    ],
    seeds,
    async run(input) {
      // A folder of its own: what one leaves behind must not help or hinder another.
      const target = path.join(folder, String(runs++), NAME);
      fs.mkdirSync(path.dirname(target));
      host.answers = split(input);
      const fetched = await fetchOnce(host.url, target, { http, patienceMs: PATIENCE_MS });
      assertWholeOrAbsent(target, fetched);
      // The host is well again. One try finds out that what was left is of another file.
      host.answers = [];
      assert.equal(
        await fetchOnce(host.url, target, { http, patienceMs: WELL_MS }),
        'fetched',
        'it comes when the host is well',
      );
      assertWholeOrAbsent(target, 'fetched');
      assert.deepEqual(fs.readdirSync(path.dirname(target)), [NAME], 'nothing is left beside it');
      fs.rmSync(path.dirname(target), { recursive: true });
    },
    async close() {
      await http.destroy();
      await host.close();
    },
  };
}

async function fetchOnce(
  url: string,
  target: string,
  { http, patienceMs }: { http: Dispatcher; patienceMs: number },
): Promise<Fetched['status'] | 'given up'> {
  const signal = AbortSignal.timeout(patienceMs);
  const check = async (file: string) => {
    if (!fs.existsSync(file) || !fs.readFileSync(file).equals(FILE)) throw new ArchiveError('not the file');
  };
  try {
    const pace = new Pace();
    const onBytes = () => {};
    const options = { http, pace, runId: 'fuzz', tries: 4, timeoutMs: WELL_MS, firstBackoffMs: 0, signal, onBytes };
    return (await fetchFile({ url, path: target, check }, options)).status;
  } catch (error) {
    if (error instanceof FetchError || error === signal.reason) return 'given up';
    throw error;
  }
}

function assertWholeOrAbsent(target: string, status: string): void {
  const isThere = fs.existsSync(target);
  assert.equal(isThere, status === 'fetched', `after ${status}`);
  if (isThere) assert.ok(fs.readFileSync(target).equals(FILE), 'what appeared is the file');
}

function split(input: Buffer): Buffer[] {
  const answers: Buffer[] = [];
  let start = 0;
  for (let end = input.indexOf(BETWEEN); end >= 0; end = input.indexOf(BETWEEN, start)) {
    answers.push(input.subarray(start, end));
    start = end + BETWEEN.length;
  }
  return [...answers, input.subarray(start)];
}

function answer(status: string, headers: Record<string, string | number>, body: Buffer): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`), body]);
}

function whole(): Buffer {
  return answer('200 OK', { etag: ETAG, 'content-length': FILE.length }, FILE);
}

function rest(from: number): Buffer {
  const range = `bytes ${from}-${FILE.length - 1}/${FILE.length}`;
  const headers = { etag: ETAG, 'content-length': FILE.length - from, 'content-range': range };
  return answer('206 Partial Content', headers, FILE.subarray(from));
}

function seeds(): Buffer[] {
  const cut = whole().subarray(0, -40);
  const chunked = answer(
    '200 OK',
    { 'transfer-encoding': 'chunked' },
    Buffer.from(`${FILE.length.toString(16)}\r\n${FILE.toString('latin1')}\r\n0\r\n\r\n`, 'latin1'),
  );
  const join = (...answers: Buffer[]) =>
    Buffer.concat(answers.flatMap((each, index) => (index === 0 ? [each] : [BETWEEN, each])));
  return [
    whole(),
    chunked,
    join(cut, rest(FILE.length - 40)),
    join(cut, rest(10)),
    join(cut, answer('416 Range', { 'content-range': `bytes */${FILE.length}` }, Buffer.alloc(0))),
    join(answer('302 Found', { location: '/' }, Buffer.alloc(0)), whole()),
    answer('404 Not Found', {}, Buffer.alloc(0)),
    join(answer('503 Busy', { 'retry-after': 0 }, Buffer.alloc(0)), whole()),
  ];
}

/** A host that sends the given answers one after the other, a connection each, as they are; then it answers well. */
class RawHost {
  answers: Buffer[] = [];
  readonly #server = net.createServer((socket) => {
    socket.on('error', () => {}); // the other side may have had enough
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      if (!request.includes('\r\n\r\n')) return;
      const answer = this.answers.shift() ?? good(request);
      request = '';
      socket.end(answer);
    });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${NAME}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What a host answers that does all right. */
function good(request: string): Buffer {
  const [, start = 0] = /^range: bytes=(\d+)-\r$/im.exec(request) ?? [];
  const [, condition = ETAG] = /^if-range: (.*)\r$/im.exec(request) ?? [];
  const from = condition === ETAG ? Number(start) : 0;
  if (from === 0) return whole();
  if (from < FILE.length) return rest(from);
  return answer('416 Range', { 'content-range': `bytes */${FILE.length}` }, Buffer.alloc(0));
}
