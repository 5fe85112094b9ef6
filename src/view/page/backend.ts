/** The page's side of its worker, and of the server. */
import type { Listing } from '../listing.js';
import type { Event, Reply, Request, Results } from './messages.js';

interface Waiting {
  resolve(result: Results[Request['kind']]): void;
  reject(error: Error): void;
  onEvent?: ((event: Event) => void) | undefined;
}

export class RowsWorker {
  readonly #worker = new Worker('worker.js', { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      if (!waiting) return;
      if ('event' in data) {
        waiting.onEvent?.(data.event);
        return;
      }
      this.#waiting.delete(data.id);
      if ('error' in data) waiting.reject(new Error(data.error));
      else waiting.resolve(data.result);
    });
  }

  ask<Kind extends Request['kind']>(
    request: Extract<Request, { kind: Kind }>,
    onEvent?: (event: Event) => void,
  ): Promise<Results[Kind]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject, onEvent });
      this.#worker.postMessage({ id, request });
    });
  }
}

async function get(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok) throw new Error((await response.text()).trim());
  return response;
}

export async function fetchListing(): Promise<Listing> {
  return (await get('listing')).json();
}

export async function fetchVersion(): Promise<string> {
  return (await (await get('version')).json()).version;
}

/** The address of something of a file. The version makes it another one when the file is another one. */
export function fileUrl(
  what: 'book' | 'rows' | 'metrics' | 'metric-names',
  file: { series: string; day: string; version: string },
  more: Record<string, string | number> = {},
): string {
  const texts = Object.entries({ ...file, ...more }).map(([name, value]) => [name, String(value)]);
  return `${what}?${new URLSearchParams(texts)}`;
}

export async function fetchMetricNames(url: string): Promise<string[]> {
  return (await (await get(url)).json()).names;
}

export interface MetricColumns {
  timesMs: Float64Array;
  /** In the order in which they were asked for. */
  values: Float64Array[];
}

export async function fetchMetrics(url: string): Promise<MetricColumns> {
  const bytes = await (await get(url)).arrayBuffer();
  const [columns = 0, rows = 0] = new Uint32Array(bytes, 0, 2);
  const column = (index: number) => new Float64Array(bytes, 8 * (1 + index * rows), rows);
  return { timesMs: column(0), values: Array.from({ length: columns }, (_, index) => column(1 + index)) };
}
