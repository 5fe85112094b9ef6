/**
 * What instrumented kernels (scripts/instrument-kernel.mjs) tell: which branches they take, for coverage, and which
 * bytes of the memory they touch, which must lie in their areas. A kernel is instrumented where the program loads it, so
 * that every way that leads into it is watched.
 */

/** As much of the global as is replaced here. */
declare const WebAssembly: { Instance: new (module: object, imports: object) => { readonly exports: unknown } };

type Exports = Record<string, unknown> & Record<'memory', never>;
type Call = (...args: number[]) => number;

/** Bytes [start, end) of the memory that may be touched. */
interface Area {
  start: number;
  end: number;
  /** From here on they may be written, too. */
  writableFrom: number;
}

/** What a kernel did that it may not do. */
export class AccessError extends Error {
  override name = 'AccessError';
}

const MAX_SITES = 1 << 22;
/** Kinds of how often a site was passed. */
const TIMES = 8;
/** How often each site was passed since {@link takeHits}, up to 255. */
const hits = new Uint8Array(MAX_SITES);
const hitSites: number[] = [];

function hit(site: number): void {
  if (hits[site] === 0) hitSites.push(site);
  if ((hits[site] as number) < 255) (hits[site] as number)++;
}

/**
 * Where kernels have been since it was asked last, as numbers: a site with how often it was passed, of which once, a few
 * times, often and very often count as different.
 */
export function takeHits(): number[] {
  const features = hitSites.map((site) => {
    const times = hits[site] as number;
    hits[site] = 0;
    return site * TIMES + (times < 4 ? times : times < 16 ? 4 : times < 128 ? 5 : 6);
  });
  hitSites.length = 0;
  return features;
}

/** The site of what {@link takeHits} tells. */
export function siteOf(feature: number): number {
  return Math.floor(feature / TIMES);
}

/** Sites of a kernel at most: each counts its own from 0. */
const SITES_OF_KERNEL = 1 << 12;
/** Modules in the order in which they were loaded; instances of one share its sites. */
const modules: object[] = [];

function firstSiteOf(module: object): number {
  if (!modules.includes(module)) modules.push(module);
  return modules.indexOf(module) * SITES_OF_KERNEL;
}

/** Where the memory of one kernel begins and ends, as its host has told it. */
class Areas {
  #areas: Area[] = [];
  /** While a module starts, it writes its tables: where they end is known afterwards. */
  #isStarting = true;

  set(areas: Area[]): void {
    this.#areas = areas;
    this.#isStarting = false;
  }

  check(address: number, bytes: number, isStore: boolean): void {
    if (this.#isStarting || bytes === 0) return;
    const end = address + bytes;
    for (const area of this.#areas) {
      if (address >= (isStore ? area.writableFrom : area.start) && end <= area.end) return;
    }
    const areas = this.#areas.map(({ start, end, writableFrom }) => `[${start}, ${end}) written from ${writableFrom}`);
    const what = `${isStore ? 'writes' : 'reads'} [${address}, ${end})`;
    throw new AccessError(`a kernel ${what}, which lies in none of its areas: ${areas.join(', ')}`);
  }
}

/** Instruments every kernel that this thread loads from now on. */
export function watchKernels(): void {
  const Original = WebAssembly.Instance;
  WebAssembly.Instance = class {
    readonly exports: unknown;
    constructor(module: object, imports: object) {
      const areas = new Areas();
      const firstSite = firstSiteOf(module);
      const access = (isStore: boolean) => (pointer: number, offset: number, bytes: number) => {
        areas.check((pointer >>> 0) + (offset >>> 0), bytes >>> 0, isStore);
        return pointer;
      };
      const probe = {
        enter: (site: number) => hit(firstSite + site),
        branch(site: number, condition: number) {
          hit(firstSite + site + (condition === 0 ? 0 : 1));
          return condition;
        },
        load: access(false),
        store: access(true),
      };
      const instance = new Original(module, { ...imports, probe });
      const { memory } = (imports as { env: { memory: { buffer: ArrayBuffer } } }).env;
      this.exports = watched(instance.exports as Exports, areas, memory);
    }
  };
}

/** Exports of a kernel, which tell `areas` what the host says of them. */
function watched(exports: Exports, areas: Areas, memory: { buffer: ArrayBuffer }): Exports {
  if ('inflateInput' in exports) return watchedInflater(exports, areas);
  if ('adoptText' in exports) return watchedBook(exports, areas);
  if ('snappyBound' in exports) return watchedParquet(exports, areas, memory);
  throw new Error('a kernel of which it is not known what memory it may touch');
}

/** The areas of kernel/inflate.ts: its tables, the input, and the output with what came before and the slack behind. */
function watchedInflater(exports: Exports, areas: Areas): Exports {
  const tables = { start: 0, end: number(exports, 'TABLES_END'), writableFrom: 0 };
  const historyBytes = number(exports, 'HISTORY_BYTES');
  const slackBytes = number(exports, 'OUTPUT_SLACK_BYTES');
  let input: Area = { start: 0, end: 0, writableFrom: 0 };
  let produced = 0;
  areas.set([tables]);
  return {
    ...exports,
    inflateReset() {
      produced = 0;
      return call(exports, 'inflateReset');
    },
    inflateInput(pointer: number, length: number, isLast: number) {
      input = { start: pointer, end: pointer + length, writableFrom: Number.POSITIVE_INFINITY };
      return call(exports, 'inflateInput', pointer, length, isLast);
    },
    inflate(pointer: number, end: number) {
      const start = pointer - Math.min(produced, historyBytes);
      areas.set([tables, input, { start, end: end + slackBytes, writableFrom: pointer }]);
      const answer = call(exports, 'inflate', pointer, end);
      produced += call(exports, 'inflateOutputPointer') - pointer;
      return answer;
    },
  };
}

/** The areas of kernel/layout.ts, and the text that was adopted where the inflater has put it. */
function watchedBook(exports: Exports, areas: Areas): Exports {
  // What begins with the first of the layout ends with the memory that the kernel asks for.
  const own = { start: number(exports, 'FORMATS'), end: number(exports, 'MEMORY_BYTES'), writableFrom: 0 };
  own.writableFrom = own.start;
  const historyBytes = number(exports, 'HISTORY_BYTES');
  const slackBytes = number(exports, 'SLACK_BYTES');
  areas.set([own]);
  return {
    ...exports,
    reset() {
      areas.set([own]);
      return call(exports, 'reset');
    },
    adoptText(at: number, bytes: number) {
      // The beginning of the line that goes on there is put before it, over text that the inflater has kept.
      const start = at - historyBytes;
      areas.set([own, { start, end: at + bytes + slackBytes, writableFrom: start }]);
      return call(exports, 'adoptText', at, bytes);
    },
  };
}

/** The tables of kernel/parquet.ts, and what the host has laid out behind them: for Snappy, what is compressed and into what. */
function watchedParquet(exports: Exports, areas: Areas, memory: { buffer: ArrayBuffer }): Exports {
  const tablesEnd = number(exports, 'AREAS');
  const slackBytes = number(exports, 'SLACK_BYTES');
  const whole = { start: 0, end: memory.buffer.byteLength, writableFrom: 0 };
  areas.set([whole]);
  const calls = Object.entries(exports).filter(([, value]) => typeof value === 'function');
  const inWhole = calls.map(([name]) => {
    const watchedCall = (...args: number[]) => {
      areas.set([{ ...whole, end: memory.buffer.byteLength }]); // it grows
      return call(exports, name, ...args);
    };
    return [name, watchedCall];
  });
  return {
    ...exports,
    ...Object.fromEntries(inWhole),
    snappy(input: number, bytes: number, output: number, step: number) {
      const bound = call(exports, 'snappyBound', bytes);
      areas.set([
        { start: 0, end: tablesEnd, writableFrom: 0 },
        { start: input, end: input + bytes + slackBytes, writableFrom: Number.POSITIVE_INFINITY },
        { start: output, end: output + bound + slackBytes, writableFrom: output },
      ]);
      return call(exports, 'snappy', input, bytes, output, step);
    },
  };
}

function number(exports: Exports, name: string): number {
  const variable = exports[name] as { value?: unknown } | undefined;
  if (typeof variable?.value !== 'number') throw new Error(`the kernel does not export the number ${name}`);
  return variable.value;
}

function call(exports: Exports, name: string, ...args: number[]): number {
  return (exports[name] as Call)(...args);
}
