/** The client of the service that the download page asks which files there are. */
import { type Dispatcher, request } from 'undici';
import { DAY_MS, midnightMs } from '../base/time.js';
import { type ArchiveName, parseArchiveName } from '../catalog/archive-name.js';
import type { MarketName } from '../catalog/market.js';
import { describeRequestError, USER_AGENT } from './http.js';
import { backoffMs, type Pace, sleep } from './pace.js';
import { archiveFileName, LIST_BIZ_TYPES, LIST_MAX_DAYS, LIST_REFERER } from './sources.js';

/** A file that is published. */
export interface ListedFile extends ArchiveName {
  /** Absent: not told. */
  sizeBytes?: number;
  url?: string;
}

/** The service did not answer, or not as it is known to. The message says what it did. */
export class ListServiceError extends Error {
  override name = 'ListServiceError';
}

/** How the service is asked. */
export interface ListOptions {
  http: Dispatcher;
  listUrl: string;
  pace: Pace;
  firstBackoffMs: number;
  signal: AbortSignal;
}

/** Days of one symbol, from the first to the last. */
export interface Window {
  market: MarketName;
  pair: string;
  from: string;
  to: string;
}

const TRIES = 3;
const MAX_ANSWER_BYTES = 1 << 20;

/** Cuts days, in ascending order, into windows that the service answers for. */
export function windowsOf(days: readonly string[]): { from: string; to: string }[] {
  const windows: { from: string; to: string }[] = [];
  for (const day of days) {
    const last = windows.at(-1);
    if (last && midnightMs(day) - midnightMs(last.from) < LIST_MAX_DAYS * DAY_MS) last.to = day;
    else windows.push({ from: day, to: day });
  }
  return windows;
}

/**
 * Asks which files there are.
 *
 * @throws {@link ListServiceError} when it cannot be told; the signal's reason.
 */
export async function listFiles(window: Window, options: ListOptions): Promise<ListedFile[]> {
  for (let failures = 1; ; failures++) {
    await options.pace.wait(options.signal);
    try {
      return parseAnswer(await ask(window, options), window);
    } catch (error) {
      options.signal.throwIfAborted();
      const isFinal = error instanceof ListServiceError || failures === TRIES;
      if (isFinal)
        throw error instanceof ListServiceError ? error : new ListServiceError(describeRequestError(error).message);
      await sleep(backoffMs(failures, options.firstBackoffMs), options.signal);
    }
  }
}

async function ask({ market, pair, from, to }: Window, { http, listUrl, signal }: ListOptions): Promise<string> {
  const url = new URL(listUrl);
  const query = {
    bizType: LIST_BIZ_TYPES[market],
    productId: 'orderbook',
    symbols: pair,
    interval: 'daily',
    periods: '',
    startDay: from,
    endDay: to,
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const headers = { 'user-agent': USER_AGENT, accept: 'application/json', referer: LIST_REFERER };
  const { statusCode, body } = await request(url, { dispatcher: http, headers, signal });
  if (statusCode !== 200) {
    body.on('error', () => {}).destroy();
    const message = `it answered with status ${statusCode}`;
    throw statusCode === 429 || statusCode >= 500 ? new Error(message) : new ListServiceError(message);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new ListServiceError(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Reads an answer: `{"ret_code":0,"ret_msg":"","result":{"list":[{"date":…,"filename":…,"size":"…","url":…},…]}}`, `size` in
 * bytes as text. What is not of the window is passed over; so is a name that is none of an archive.
 *
 * @throws {@link ListServiceError} when it has another form.
 */
export function parseAnswer(text: string, { pair, from, to }: Omit<Window, 'market'>): ListedFile[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ListServiceError('it answered with something that is not JSON');
  }
  const { ret_code: code, ret_msg: reason, result } = asObject(answer);
  if (code !== 0) throw new ListServiceError(`it answered with ret_code ${code}, ${JSON.stringify(reason)}`);
  const { list } = asObject(result);
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new ListServiceError('its answer has no list of files');
  return list.flatMap((item: unknown): ListedFile | [] => {
    const { filename, size, url } = asObject(item);
    const name = typeof filename === 'string' ? parseArchiveName(filename) : undefined;
    if (!name || filename !== archiveFileName(name)) return [];
    if (name.pair !== pair || name.date < from || name.date > to) return [];
    const sizeBytes = /^\d{1,15}$/.test(String(size)) ? Number(size) : 0;
    return { ...name, ...(sizeBytes > 0 && { sizeBytes }), ...(typeof url === 'string' && { url }) };
  });
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
