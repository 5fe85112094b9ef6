/** A publisher of archives, as a test needs it: with every fault that real ones have, and a count of every byte. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type MadeArchive, makeArchive } from './runs.js';

/** What goes wrong with one answer. */
export type Fault =
  | { status: number; headers?: http.OutgoingHttpHeaders; body?: string }
  /** The connection ends after so many bytes of the answer. */
  | { cutAfter: number }
  /** So many bytes more are promised than come. */
  | { promises: number }
  /** The whole file with status 200, whatever was asked for. */
  | 'ignores-range'
  /** A range that begins elsewhere than asked for. */
  | 'wrong-range'
  /** The tag of another version. */
  | 'other-tag'
  /** A byte in the middle is another one. */
  | 'corrupt'
  /** Without a length. */
  | 'chunked'
  /** Nothing comes, not even headers. */
  | 'silent'
  /** Headers and the first bytes come, then nothing. */
  | 'stalls'
  /** Bytes come, one by one, without end. */
  | 'trickles'
  | { sends: Buffer };

interface PublishedFile {
  bytes: Buffer;
  etag: string | undefined;
  lastModified: string | undefined;
}

export class ArchiveServer {
  readonly files = new Map<string, PublishedFile>();
  /** Of each path what goes wrong, request by request; then nothing does. */
  readonly faults = new Map<string, Fault[]>();
  /** Bytes of bodies that were handed to connections, by path. */
  readonly sentBytes = new Map<string, number>();
  readonly requests: { path: string; headers: http.IncomingHttpHeaders; atMs: number; query: URLSearchParams }[] = [];
  /** How files are sent: so many bytes each so many ms; at once when absent. */
  throttle: { bytes: number; everyMs: number } | undefined;
  /** Hears of each file that has been sent to its end. */
  onSent: ((path: string) => Promise<void>) | undefined;
  /** Nothing is sent meanwhile. */
  isPaused = false;
  /** What the list service at `/list` answers; absent: 404. */
  list: ((query: URLSearchParams) => { status?: number; body: string }) | undefined;
  /** Requests for files that are open now, and the most that were at a time. */
  readonly open = new Set<http.ServerResponse>();
  mostAtATime = 0;
  readonly #server = http.createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get listUrl(): string {
    return `${this.url}/list`;
  }

  get totalSent(): number {
    return [...this.sentBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param path as in the publisher's addresses: `/orderbook/linear/BTCUSDT/…`. */
  publish(path: string, bytes: Buffer, more: Partial<PublishedFile> = {}): string {
    const etag = `"${bytes.length.toString(16)}-${path.length}"`;
    this.files.set(path, { bytes, etag, lastModified: 'Wed, 15 Jan 2025 04:00:00 GMT', ...more });
    return path;
  }

  /** Makes an archive and publishes it, with the same name below `folder`. @returns its path here. */
  async publishMade(folder: string, market: string, archive: MadeArchive): Promise<string> {
    const file = await makeArchive(`${folder}/${market}`, archive);
    const name = file.split('/').at(-1);
    return this.publish(`/orderbook/${market}/${archive.pair}/${name}`, fs.readFileSync(file));
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://server');
    const path = url.pathname;
    this.requests.push({ path, headers: request.headers, atMs: performance.now(), query: url.searchParams });
    if (path === '/list') return this.#answerList(url.searchParams, response);
    this.open.add(response);
    this.mostAtATime = Math.max(this.mostAtATime, this.open.size);
    try {
      await this.#answerFile(path, request, response);
    } finally {
      this.open.delete(response);
    }
  }

  #answerList(query: URLSearchParams, response: http.ServerResponse): void {
    const { status = 200, body } = this.list?.(query) ?? { status: 404, body: 'nothing here' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }

  async #answerFile(path: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const fault = this.faults.get(path)?.shift();
    const file = this.files.get(path);
    if (typeof fault === 'object' && 'status' in fault) {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
      return;
    }
    if (!file) {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html>Not Found</html>');
      return;
    }
    if (fault === 'silent') {
      await once(response, 'close');
      return;
    }
    const { etag: ownTag, lastModified } = file;
    const etag = fault === 'other-tag' ? '"another"' : ownTag;
    let body = file.bytes;
    if (fault === 'corrupt') {
      body = Buffer.from(body);
      const middle = body.length >> 1;
      body.writeUInt8((body[middle] ?? 0) ^ 0xff, middle);
    }
    if (typeof fault === 'object' && 'sends' in fault) body = fault.sends;
    const validators = { ...(etag && { etag }), ...(lastModified && { 'last-modified': lastModified }) };
    const start = fault === 'ignores-range' ? 0 : startOf(request.headers, { etag: ownTag, lastModified });
    if (start >= body.length) {
      response.writeHead(416, { ...validators, 'content-range': `bytes */${body.length}` }).end();
      return;
    }
    const first = fault === 'wrong-range' ? start + 1 : start;
    const part = body.subarray(first);
    const promised = part.length + (typeof fault === 'object' && 'promises' in fault ? fault.promises : 0);
    const isOpenEnded = fault === 'chunked' || fault === 'trickles';
    response.writeHead(start > 0 ? 206 : 200, {
      ...validators,
      'content-type': 'application/zip',
      ...(isOpenEnded ? {} : { 'content-length': promised }),
      ...(start > 0 && { 'content-range': `bytes ${first}-${body.length - 1}/${body.length}` }),
    });
    if (fault === 'trickles' || fault === 'stalls') return this.#neverEnd(fault, part, response);
    const cutAfter = typeof fault === 'object' && 'cutAfter' in fault ? fault.cutAfter : undefined;
    await this.#send(path, part.subarray(0, cutAfter), response);
    // Handed over before the connection ends, as far as they are sent at all.
    if (cutAfter !== undefined || promised !== part.length) setImmediate(() => response.destroy());
    else response.end(() => void this.onSent?.(path));
  }

  async #send(path: string, bytes: Buffer, response: http.ServerResponse): Promise<void> {
    const step = this.throttle?.bytes ?? bytes.length;
    for (let start = 0; start < bytes.length && !response.destroyed; start += step) {
      while (this.isPaused && !response.destroyed) await setTimeout(2);
      if (response.destroyed) return;
      const piece = bytes.subarray(start, start + step);
      // Whoever has got the last piece may ask for the next file before it is known here that it has been sent.
      if (start + step >= bytes.length) this.open.delete(response);
      this.sentBytes.set(path, (this.sentBytes.get(path) ?? 0) + piece.length);
      await new Promise((resolve) => {
        response.once('close', resolve);
        response.write(piece, () => {
          response.off('close', resolve);
          resolve(undefined);
        });
      });
      if (this.throttle) await setTimeout(this.throttle.everyMs);
    }
  }

  async #neverEnd(fault: 'trickles' | 'stalls', part: Buffer, response: http.ServerResponse): Promise<void> {
    response.write(part.subarray(0, 100));
    if (fault === 'stalls') return;
    for (let at = 100; !response.destroyed && at < 1_000_000; at++) {
      response.write(part.subarray(at % part.length, (at % part.length) + 1));
      await setTimeout(20);
    }
  }
}

/** Where a range begins that holds, as RFC 9110 has it; 0: the whole file is to be sent. */
function startOf(headers: http.IncomingHttpHeaders, file: Pick<PublishedFile, 'etag' | 'lastModified'>): number {
  const [, start] = /^bytes=(\d+)-$/.exec(String(headers.range)) ?? [];
  if (start === undefined) return 0;
  const condition = headers['if-range'];
  const holds = condition === undefined || condition === file.etag || condition === file.lastModified;
  return holds ? Number(start) : 0;
}

/** A publisher that is gone when the test ends. */
export async function startServer(t: { after: (end: () => Promise<void>) => void }): Promise<ArchiveServer> {
  const server = new ArchiveServer();
  await server.listen();
  t.after(() => server.close());
  return server;
}

/** An answer of the list service, as public programs that call it have recorded it, with these files. */
export function listAnswer(
  files: { market: string; pair: string; date: string; depth: number; bytes: number }[],
): string {
  const list = files.map(({ market, pair, date, depth, bytes }) => ({
    bizType: market === 'spot' ? 'spot' : 'contract',
    productId: 'orderbook',
    interval: 'daily',
    symbol: pair,
    date,
    filename: `${date}_${pair}_ob${depth}.data.zip`,
    size: `${bytes}`,
    url: `https://quote-saver.bycsi.com/orderbook/${market}/${pair}/${date}_${pair}_ob${depth}.data.zip`,
    period: '',
  }));
  return JSON.stringify({ ret_code: 0, ret_msg: '', result: { list } });
}
