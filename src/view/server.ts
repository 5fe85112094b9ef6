/** Serves the page and the rows that it asks for, on this machine only. docs/view.md tells what it refuses and why. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createGzip, gzipSync, constants as zlib } from 'node:zlib';
import { MAX_DEPTH } from '../catalog/archive-name.js';
import { splitSuffix } from '../output/formats.js';
import type { ByteSource } from '../storage/storage.js';
import type { BookRange } from './book-columns.js';
import { type Found, fileKey, type Holdings, versionText } from './holdings.js';
import { inflated, readBookOf, readTableNamesOf, readTableOf, textFrom } from './open-output.js';
import { rowsAsCsv, rowsOfCsv } from './rows-text.js';
import { seekRow } from './seek-row.js';
import { Slots } from './slots.js';
import { encodeBook, encodeEnd, encodeFailure } from './wire.js';

const HOST = '127.0.0.1';
const TOKEN_BYTES = 24;
/** Files that are read at a time: each takes some MB, however large it is. Others wait. */
const READ_AT_A_TIME = 3;
/** A page that takes nothing for so long has lost its answer: it must not keep others waiting. */
const STALLED_MS = 30_000;
/** How long the end of the server waits for answers that were being given. */
const LEAVING_MS = 2000;

/** What the bytes of answers look like; rises when the same file is sent in another way. */
const WIRE_VERSION = 1;

const SECURITY_HEADERS = {
  'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

/** Files of the page, by their names in addresses. */
const PAGE_FILES = {
  '': { name: 'index.html', type: 'text/html; charset=utf-8' },
  'page.js': { name: 'page.js', type: 'text/javascript; charset=utf-8' },
  'page.css': { name: 'page.css', type: 'text/css; charset=utf-8' },
  'worker.js': { name: 'worker.js', type: 'text/javascript; charset=utf-8' },
  'icon.svg': { name: 'icon.svg', type: 'image/svg+xml' },
} as const;

interface PageFile {
  type: string;
  packed: Buffer;
  etag: string;
}

/** A request cannot be answered. The message is shown in the page. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: http.OutgoingHttpHeaders = {},
  ) {
    super(message);
  }
}

export interface RunningServer {
  /** Holds the token: who has it can read the outputs. */
  url: string;
  /** Ends all answers. */
  close(): Promise<void>;
}

/**
 * Starts serving.
 *
 * @param port 0: any free one.
 * @throws a system error when the port cannot be had.
 */
export async function startServer(holdings: Holdings, port: number): Promise<RunningServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const pageFiles = loadPageFiles();
  const slots = new Slots(READ_AT_A_TIME);
  const server = http.createServer({ maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 20_000 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  const hosts = [`${HOST}:${actual}`, `localhost:${actual}`];
  const answering = new Set<Promise<void>>();
  server.on('request', (request, response) => {
    const answer = new Answer(request, response);
    const answered = answer.handle(() => route(answer, { holdings, pageFiles, slots, token, hosts }));
    answering.add(answered);
    void answered.then(() => answering.delete(answered));
  });
  server.on('clientError', (_, socket) => socket.destroy());
  return {
    url: `http://${HOST}:${actual}/${token}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      // Until their files are closed; a disk that does not answer is not waited for.
      await Promise.race([Promise.allSettled(answering), wait(LEAVING_MS, undefined, { ref: false })]);
    },
  };
}

/** @throws when the page was not built. */
function loadPageFiles(): Map<string, PageFile> {
  return new Map(
    Object.entries(PAGE_FILES).map(([address, { name, type }]) => {
      const bytes = fs.readFileSync(fileURLToPath(new URL(`./page/${name}`, import.meta.url)));
      const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 24)}"`;
      return [address, { type, etag, packed: gzipSync(bytes) }];
    }),
  );
}

interface Served {
  holdings: Holdings;
  pageFiles: Map<string, PageFile>;
  slots: Slots;
  token: string;
  hosts: readonly string[];
}

async function route(answer: Answer, served: Served): Promise<void> {
  const { method, headers, url = '' } = answer.request;
  // Another site's name that leads here (DNS rebinding) would let that site's pages read answers.
  if (!served.hosts.includes(headers.host ?? ''))
    throw new Refusal(421, 'This server answers to its own address only.');
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, 'Only GET and HEAD.', { Allow: 'GET, HEAD' });
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new Refusal(403, 'Not for other sites.');
  const [, token, address, query] = /^\/([^/?#]*)\/([a-z.-]*)(?:\?([^#]*))?$/.exec(url) ?? [];
  if (token === undefined || !isSame(token, served.token)) {
    throw new Refusal(404, 'Nothing is here. Use the whole address that bookgrid view printed.');
  }
  const file = served.pageFiles.get(address ?? '');
  if (file) return answer.sendPacked(file.packed, file.type, file.etag);
  const parameters = new URLSearchParams(query);
  const found = await served.holdings.look();
  if (address === 'version') return answer.sendJson({ version: found.listing.version });
  if (address === 'listing') return answer.sendJson(found.listing, `"${found.listing.version}"`);
  const sender = Object.hasOwn(SENDERS, address ?? '') ? SENDERS[address as keyof typeof SENDERS] : undefined;
  if (!sender) throw new Refusal(404, 'Nothing is here.');
  const name = pathOf(found, parameters);
  // Asked before the range is looked at, so that a page that waits does not hold the file open.
  const release = await served.slots.take(answer.closed);
  try {
    const source = await openInside(served.holdings, name);
    try {
      const etag = etagOf(versionText(source.version), address ?? '', parameters);
      if (!answer.isCurrent(etag)) await sender(answer, { name, source, etag, parameters, range: rangeOf(parameters) });
    } finally {
      await source.close();
    }
  } finally {
    release();
  }
}

/** In a time that tells nothing of the token. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** A file is named by its series and day, and only what was found can be named. */
function pathOf(found: Found, parameters: URLSearchParams): string {
  const name = found.paths.get(fileKey(parameters.get('series') ?? '', parameters.get('day') ?? ''));
  if (name === undefined) throw new Refusal(404, 'There is no such output any more.');
  return name;
}

async function openInside(holdings: Holdings, name: string): Promise<ByteSource> {
  try {
    const opened = await holdings.openFile(name);
    if (opened) return opened;
    throw new Refusal(403, 'A symbolic link leads out of the folder that is shown, so this file is not read.');
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(404, `The file cannot be opened: ${(error as Error).message}`);
  }
}

function rangeOf(parameters: URLSearchParams): BookRange {
  const number = (name: string, max: number) => {
    const text = parameters.get(name);
    if (text === null) return undefined;
    const value = Number(text);
    if (/^\d{1,16}$/.test(text) && value <= max) return value;
    throw new Refusal(400, `${name} is ${JSON.stringify(text.slice(0, 40))}: expected a whole number up to ${max}.`);
  };
  const depth = number('depth', MAX_DEPTH);
  if (depth === 0) throw new Refusal(400, 'depth is 0: expected at least 1.');
  return { fromMs: number('from', 8.64e15), toMs: number('to', 8.64e15), depth };
}

function etagOf(version: string, address: string, parameters: URLSearchParams): string {
  const text = JSON.stringify([WIRE_VERSION, version, address, [...parameters].sort()]);
  return `"${createHash('sha256').update(text).digest('hex').slice(0, 24)}"`;
}

interface Opened {
  /** The path that was found, whose ending tells the format. */
  name: string;
  source: ByteSource;
  etag: string;
  parameters: URLSearchParams;
  range: BookRange;
}

/** What is sent of a file. */
const SENDERS = {
  /** Rows of a book as `wire.ts` has them. */
  async book(answer: Answer, { name, source, etag, range }: Opened) {
    async function* bytes() {
      try {
        for await (const part of readBookOf(name, source, range)) yield encodeBook(part);
        yield encodeEnd();
      } catch (error) {
        yield encodeFailure((error as Error).message);
      }
    }
    await answer.stream(bytes(), 'application/octet-stream', etag);
  },

  /** Rows of a book as the text that they are in the file, or would be. */
  async rows(answer: Answer, { name, source, etag, range }: Opened) {
    const format = splitSuffix(name)?.format;
    const isText = format === 'csv' || format === 'csv.gz';
    const begun = format === 'csv' ? await seekRow(source, range.fromMs) : undefined;
    const text = begun ? textFrom(source, begun) : inflated(source);
    const rows = isText
      ? rowsOfCsv(text, range, begun?.header)
      : rowsAsCsv(readBookOf(name, source, range), range.depth ?? 1);
    await answer.stream(rows, 'text/csv; charset=utf-8', etag);
  },

  /** The names of a metrics file's columns. */
  async 'metric-names'(answer: Answer, { name, source, etag }: Opened) {
    return answer.sendJson({ names: await readTableNamesOf(name, source) }, etag);
  },

  /** Columns of a metrics file: their number and that of rows (u32), then the times and each column that was asked for (f64). */
  async metrics(answer: Answer, { name, source, etag, parameters, range }: Opened) {
    const wanted = (parameters.get('columns') ?? '').split(',').slice(0, 32);
    const { timesMs, names, values } = await readTableOf(name, source, range, wanted);
    const none = new Float64Array(timesMs.length).fill(Number.NaN);
    const columns = wanted.map((column) => values[names.indexOf(column)] ?? none);
    async function* bytes() {
      yield new Uint8Array(Uint32Array.of(columns.length, timesMs.length).buffer);
      for (const { buffer } of [timesMs, ...columns]) yield new Uint8Array(buffer);
    }
    await answer.stream(bytes(), 'application/octet-stream', etag);
  },
};

/** One request and what is answered. */
class Answer {
  /** Aborted when nobody waits for the answer any more. */
  readonly closed: AbortSignal;

  constructor(
    readonly request: http.IncomingMessage,
    readonly response: http.ServerResponse,
  ) {
    const controller = new AbortController();
    this.closed = controller.signal;
    response.once('close', () => controller.abort());
  }

  /** @returns when all is done, also when it failed. */
  handle(work: () => Promise<void>): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) this.response.setHeader(name, value);
    this.response.setTimeout(STALLED_MS, () => {
      // Before its head was sent it is this side that is slow: to list a million outputs takes a minute.
      if (this.response.headersSent) this.response.destroy();
    });
    return work().catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (this.closed.aborted || this.response.headersSent) {
      this.response.destroy();
      return;
    }
    const refusal = error instanceof Refusal ? error : new Refusal(500, (error as Error).message);
    const headers = { ...refusal.headers, 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
    // What a refused request still sends is not waited for.
    this.response
      .writeHead(refusal.status, { ...headers, Connection: 'close' })
      .end(this.#body(`${refusal.message}\n`));
  }

  /** Answers "not modified" when that is so. */
  isCurrent(etag: string): boolean {
    const known = (this.request.headers['if-none-match'] ?? '').split(',').map((text) => text.trim());
    if (!known.includes(etag)) return false;
    this.response.writeHead(304, { ETag: etag, 'Cache-Control': 'private, no-cache' }).end();
    return true;
  }

  sendJson(value: unknown, etag?: string): void {
    if (etag !== undefined && this.isCurrent(etag)) return;
    this.sendPacked(gzipSync(JSON.stringify(value), { level: zlib.Z_BEST_SPEED }), 'application/json', etag);
  }

  sendPacked(packed: Buffer, type: string, etag?: string): void {
    if (etag !== undefined && this.isCurrent(etag)) return;
    const headers = { 'Content-Length': packed.length, 'Content-Encoding': 'gzip', ...(etag && { ETag: etag }) };
    this.response
      .writeHead(200, {
        ...headers,
        'Content-Type': type,
        'Cache-Control': 'private, no-cache',
        Vary: 'Accept-Encoding',
      })
      .end(this.#body(packed));
  }

  /**
   * Sends bytes as they come, no faster than they are taken.
   *
   * @throws why there is not even a first one: that can still be said by a status.
   */
  async stream(bytes: AsyncGenerator<Uint8Array>, type: string, etag: string): Promise<void> {
    const first = await bytes.next();
    const headers = {
      'Content-Type': type,
      'Content-Encoding': 'gzip',
      ETag: etag,
      'Cache-Control': 'private, no-cache',
    };
    this.response.writeHead(200, { ...headers, Vary: 'Accept-Encoding' });
    if (this.request.method === 'HEAD') {
      this.response.end();
      await bytes.return(undefined);
      return;
    }
    await pipeline(
      Readable.from(startingWith(first, bytes), { objectMode: true, highWaterMark: 1 }),
      createGzip({ level: 1 }),
      this.response,
    );
  }

  #body<T>(body: T): T | undefined {
    return this.request.method === 'HEAD' ? undefined : body;
  }
}

/** What has been taken from a generator, and then the rest. */
async function* startingWith<T>(first: IteratorResult<T, unknown>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
