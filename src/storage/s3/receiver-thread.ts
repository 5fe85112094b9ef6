/**
 * What the thread runs that receives bytes beside one that computes: requests come in as messages, already signed, and
 * what is received is written to memory that both threads see. It knows HTTP, and nothing of S3.
 */
import http from 'node:http';
import https from 'node:https';
import { type MessagePort, parentPort } from 'node:worker_threads';

/** A request as it is sent. */
export interface SignedRequest {
  protocol: string;
  hostname: string;
  port: number | undefined;
  method: string;
  /** With the query. */
  path: string;
  headers: Record<string, string>;
}

/** How long is waited, in ms. */
export interface Limits {
  /** For a connection. */
  connectMs: number;
  /** For a sign of life: the answer, or more of its body. */
  silenceMs: number;
}

/** What the thread is told. */
export type ReceiverTask =
  | { id: number; request: SignedRequest; into: Uint8Array; limits: Limits }
  /** Nobody waits for the request any more. */
  | { id: number; isGivenUp: true };

/** An error as it goes from thread to thread: what those look at who decide whether to ask again. */
export interface Failure {
  name: string;
  message: string;
  code: string | undefined;
}

/** What became of a request. */
export type Received = { id: number } & (
  | ({ statusCode: number; headers: Record<string, string> } & (
      | {
          /** How many bytes have come and are in memory. */
          filledBytes: number;
          /** Why no more have come. */
          brokenOff?: Failure;
        }
      /** The body of an answer that says why the bytes do not come. */
      | { text: Uint8Array }
    ))
  /** There is no answer. */
  | { failure: Failure }
);

/** Answers that say why are some hundred bytes long. */
const MAX_TEXT_BYTES = 64 * 1024;

const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
/**
 * What comes from a socket lies outside of V8's heap, in pieces of 64 KB, and is garbage as soon as it is copied. V8 lets 32
 * MB of it gather before it collects its young objects on account of that, but collects them at once when its own little
 * nursery is full. So each piece has some elements beside it that fill the nursery: then a few MB gather.
 */
const ELEMENTS_A_PIECE = 2048;
const nursery = { filler: [] as unknown[] };

/** What ends a request that is under way. */
const running = new Map<number, (why: Error) => void>();
const port = parentPort as MessagePort;

port.on('message', (task: ReceiverTask) => {
  if ('isGivenUp' in task) running.get(task.id)?.(new Error('given up'));
  else receive(task);
});

function receive({ id, request, into, limits }: Extract<ReceiverTask, { into: unknown }>): void {
  const { protocol, hostname, ...rest } = request;
  const isEncrypted = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1'); // an IPv6 address stands in brackets
  const sent = isEncrypted
    ? https.request({ ...rest, host, agent: agents.https })
    : http.request({ ...rest, host, agent: agents.http });

  let stop = (why: Error) => void sent.destroy(why);
  let timer = setTimeout(() => stop(timeout('no connection', limits.connectMs)), limits.connectMs);
  running.set(id, (why) => stop(why));
  const end = (received: Received) => {
    if (!running.delete(id)) return; // what has ended may fail as well
    clearTimeout(timer);
    port.postMessage(received);
  };

  const onConnected = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop(timeout('nothing came', limits.silenceMs)), limits.silenceMs);
  };
  sent.once('socket', (socket) => {
    if (!socket.connecting) onConnected();
    else socket.once(isEncrypted ? 'secureConnect' : 'connect', onConnected);
  });
  let hasAnswer = false;
  sent.on('error', (error) => {
    if (!hasAnswer) end({ id, failure: describe(error) }); // else the answer fails, too, and knows how far it came
  });
  sent.once('response', (response) => {
    hasAnswer = true;
    stop = (why) => void response.destroy(why);
    const { statusCode = 0 } = response;
    const answer = { id, statusCode, headers: joined(response.headers) };
    const hasBytes = statusCode === 200 || statusCode === 206;
    const body = hasBytes ? into : new Uint8Array(MAX_TEXT_BYTES);
    let filledBytes = 0;
    response.on('data', (chunk: Uint8Array) => {
      timer.refresh();
      if (filledBytes + chunk.length > body.length) return stop(new Error('more bytes came than were asked for'));
      nursery.filler = new Array(ELEMENTS_A_PIECE);
      body.set(chunk, filledBytes);
      filledBytes += chunk.length;
    });
    response.once('end', () => {
      end(hasBytes ? { ...answer, filledBytes } : { ...answer, text: body.slice(0, filledBytes) });
    });
    response.on('error', (error) => {
      end(hasBytes ? { ...answer, filledBytes, brokenOff: describe(error) } : { id, failure: describe(error) });
    });
  });
  sent.end();
}

function timeout(what: string, ms: number): Error {
  return Object.assign(new Error(`${what} for ${ms / 1000} s`), { name: 'TimeoutError' });
}

function describe({ name, message, code }: NodeJS.ErrnoException): Failure {
  return { name, message, code };
}

function joined(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
