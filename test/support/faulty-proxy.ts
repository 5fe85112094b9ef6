/** Stands before a server and does to its answers what networks and busy servers do. It knows no S3. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';

/** What becomes of a request. */
export type Fault =
  /** It is answered here, and the server does not hear of it. */
  | { answer: number; body?: string; headers?: Record<string, string> }
  /** The server hears of it and carries it out, and the answer is lost. */
  | { loseAnswer: true }
  /** The connection ends at once. */
  | { reset: true }
  /** The answer's body ends after so many bytes: `reset` breaks it off, else nothing more comes. */
  | { cutAfterBytes: number; followedBy: 'reset' | 'silence' }
  /** The body comes in pieces of so many bytes, with a pause after each. */
  | { pieceBytes: number; pauseMs: number }
  /** The body of its answer, which is text, is another one. */
  | { rewrite: (body: string) => string }
  /** Something is done before the request goes on to the server. */
  | { before: () => Promise<void> };

export interface Asked {
  method: string;
  /** Path and query as they were sent. */
  url: string;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** How many requests there were before. */
  count: number;
}

export interface FaultyProxy {
  endpoint: string;
  /** All that was asked for. */
  asked: Asked[];
  /** Decides for each request; nothing: it passes. */
  fault: (asked: Asked) => Fault | undefined;
  close(): Promise<void>;
}

export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(upstream);
  const agent = new http.Agent({ keepAlive: false });
  const proxy: FaultyProxy = { endpoint: '', asked: [], fault: () => undefined, close };
  const server = http.createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    if (headers.expect === '100-continue') response.writeContinue();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const asked = { method, url, headers, body, count: proxy.asked.length };
    proxy.asked.push(asked);
    const fault = proxy.fault(asked);
    if (fault && 'reset' in fault) return reset(request.socket);
    if (fault && 'answer' in fault) {
      response.writeHead(fault.answer, { 'content-type': 'application/xml', ...fault.headers }).end(fault.body ?? '');
      return;
    }
    if (fault && 'before' in fault) await fault.before();
    const { expect: _, ...passed } = headers;
    const forwarded = http.request({ hostname, port, method, path: url, headers: passed, agent });
    forwarded.end(body);
    const [answer] = (await once(forwarded, 'response')) as [http.IncomingMessage];
    if (fault && 'loseAnswer' in fault) {
      for await (const _chunk of answer);
      return reset(request.socket);
    }
    if (fault && 'rewrite' in fault) {
      const { 'content-length': _length, ...others } = answer.headers;
      response.writeHead(answer.statusCode ?? 500, others).end(fault.rewrite(await text(answer)));
      return;
    }
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    let sent = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (fault && 'cutAfterBytes' in fault && sent + chunk.length > fault.cutAfterBytes) {
        response.write(chunk.subarray(0, fault.cutAfterBytes - sent));
        if (fault.followedBy === 'silence') return;
        await setTimeout(20); // so that what was written has left
        return reset(request.socket);
      }
      if (fault && 'pieceBytes' in fault) {
        for (let start = 0; start < chunk.length; start += fault.pieceBytes) {
          response.write(chunk.subarray(start, start + fault.pieceBytes));
          await setTimeout(fault.pauseMs);
        }
      } else response.write(chunk);
      sent += chunk.length;
    }
    response.end();
  }

  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.endpoint = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return proxy;
}

function reset(socket: net.Socket): void {
  socket.resetAndDestroy();
}

/** An error as S3 words it. */
export function s3Error(status: number, code: string, more = ''): Fault {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>told by a test</Message>${more}</Error>`;
  return { answer: status, body };
}
