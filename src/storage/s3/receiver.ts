/**
 * Receives ranges of objects in a thread of its own, beside the one that converts them: to take bytes from a socket costs
 * a fifth of what it costs to convert them, and is done on another core meanwhile. The requests are those of the AWS SDK,
 * which signs them here, and here decides whether to make them again: the thread knows neither keys nor the SDK.
 */
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { forgetBlocks } from './blocks.js';
import type { Failure, Limits, Received, ReceiverTask, SignedRequest } from './receiver-thread.js';

/** A request of the SDK, as far as ranges need it. */
type SdkRequest = Omit<SignedRequest, 'port'> & {
  port?: number;
  query?: Record<string, string | string[] | null>;
};

interface SdkOptions {
  abortSignal: AbortSignal;
}

interface SdkAnswer {
  response: { statusCode: number; headers: Record<string, string>; body: Readable };
}

/** What goes with a request for a range, and what came of its last try. */
export interface Reception {
  /** Shared memory for the bytes. */
  into: Uint8Array;
  /** How long is waited for more bytes, in ms. */
  silenceMs: number;
  /** How many have come, from the first on. */
  filledBytes: number;
  /** Why no more have come. */
  brokenOff?: Error | undefined;
}

interface WithReception extends SdkOptions {
  reception: Reception;
}

/** The options of a request that is received beside. The SDK hands them on as they are. */
export function withReception(options: SdkOptions, reception: Reception): SdkOptions {
  const more: WithReception = { ...options, reception };
  return more;
}

/** Of a client of the SDK whose answers are received beside. Its requests are made {@link withReception}. */
export function receivingHandler(connectMs: number): NonNullable<S3ClientConfig['requestHandler']> {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: (request: SdkRequest, options: WithReception) => handle(request, connectMs, options),
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

async function handle(
  request: SdkRequest,
  connectMs: number,
  { abortSignal, reception }: WithReception,
): Promise<SdkAnswer> {
  const { into, silenceMs } = reception;
  const received = await thread().receive(toSigned(request), into, { connectMs, silenceMs }, abortSignal);
  if ('failure' in received) throw toError(received.failure);
  const { statusCode, headers } = received;
  if ('text' in received) return { response: { statusCode, headers, body: Readable.from([received.text]) } };
  reception.filledBytes = received.filledBytes; // of this try: the SDK may have made others
  reception.brokenOff = received.brokenOff && toError(received.brokenOff);
  // The bytes are where they belong.
  return { response: { statusCode, headers, body: Readable.from([]) } };
}

function toSigned({ protocol, hostname, port, method, path, query = {}, headers }: SdkRequest): SignedRequest {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, one] as const),
  );
  const text = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return { protocol, hostname, port, method, path: text === '' ? path : `${path}?${text}`, headers: { ...headers } };
}

/** As it was signed: also what `encodeURIComponent` leaves as it is and RFC 3986 does not. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function toError({ name, message, code }: Failure): Error {
  return Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
}

/** Of V8's nursery: what the thread makes is garbage at once. */
const NURSERY_MB = 4;

/** How long the thread is kept for the next archive: to start one takes some 40 ms. */
const KEPT_MS = 2000;

let current: ReceiverThread | undefined;
let users = 0;
let ending: NodeJS.Timeout | undefined;

/**
 * Keeps the thread for somebody who will ask it for many ranges, and starts it.
 *
 * @returns what lets go of it. When nobody needs it any more, it ends.
 */
export function useReceiver(): () => void {
  users++;
  clearTimeout(ending);
  thread();
  let isUsed = true;
  return () => {
    if (!isUsed) return;
    isUsed = false;
    users--;
    if (users === 0) ending = setTimeout(end, KEPT_MS).unref();
  };
}

function end(): void {
  const ended = current;
  current = undefined; // who comes now gets a new one
  forgetBlocks();
  ended?.end();
}

function thread(): ReceiverThread {
  if (current) return current;
  const started = new ReceiverThread(() => {
    if (current === started) current = undefined;
  });
  current = started;
  return started;
}

/** Whoever waits for an answer. */
interface Waiting {
  resolve: (received: Received) => void;
  reject: (error: unknown) => void;
  /** Nothing is waited for any more. */
  ended: () => void;
}

class ReceiverThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  constructor(onEnd: () => void) {
    const resourceLimits = { maxYoungGenerationSizeMb: NURSERY_MB };
    this.#worker = new Worker(new URL('./receiver-thread.js', import.meta.url), { resourceLimits });
    const end = (why: string) => {
      onEnd();
      const error = new Error(`the thread that receives has ended: ${why}`);
      for (const id of this.#waiting.keys()) this.#settle(id)?.reject(error);
    };
    this.#worker.on('message', (received: Received) => this.#settle(received.id)?.resolve(received));
    this.#worker.once('error', (error: Error) => end(error.message));
    this.#worker.once('exit', (code) => end(`exit code ${code}`));
    this.#worker.unref(); // only who waits keeps the program running
  }

  /** @throws when the request is given up, or the thread ends. What becomes of the request itself is told. */
  receive(request: SignedRequest, into: Uint8Array, limits: Limits, signal: AbortSignal): Promise<Received> {
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const giveUp = () => {
        this.#post({ id, isGivenUp: true });
        this.#settle(id)?.reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp);
      const ended = () => signal.removeEventListener('abort', giveUp);
      this.#waiting.set(id, { resolve, reject, ended });
      this.#worker.ref();
      this.#post({ id, request, into, limits });
    });
  }

  end(): void {
    void this.#worker.terminate();
  }

  #post(task: ReceiverTask): void {
    this.#worker.postMessage(task);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.ended();
    if (this.#waiting.size === 0) this.#worker.unref();
    return waiting;
  }
}
