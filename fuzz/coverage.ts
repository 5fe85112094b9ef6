/** Where an input has been, as numbers: the same number each time it is the same place. */
import inspector from 'node:inspector';
import { siteOf, takeHits } from './kernel-probe.js';

export interface Coverage {
  /**
   * As many inputs are run before it is asked, because asking takes long. When they have been anywhere new together, they
   * are run once more, each by itself.
   */
  readonly inputsAtATime: number;
  /** Where the program has been since this was asked last. */
  take(): number[];
  /** What is common to the numbers of a place that was passed seldom and often. */
  siteOf(place: number): number;
  stop(): void;
}

/** Branches that the instrumented kernels have taken, and about how often. */
export function kernelCoverage(): Coverage {
  return { inputsAtATime: 1, take: takeHits, siteOf, stop() {} };
}

/** Only one thread asks, and synchronously. */
type Post = <Result>(method: string, params?: object) => Result;

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}

interface ScriptCoverage {
  url: string;
  /** Of each the whole of it comes first, and what lies within another after it. */
  functions: { ranges: Range[] }[];
}

/**
 * The blocks of one function, as far as they are known. V8 does not tell of a block that was run as often as what is
 * around it: so that it was run shows only in that it is not told as one that was not.
 */
class FunctionBlocks {
  readonly #numbers = new Map<string, { range: Range; number: number }>();

  /** @returns how many blocks there are in all, of which there were `blocks` before. */
  learn(ranges: readonly Range[], blocks: number): number {
    let next = blocks;
    for (const range of ranges) {
      const key = `${range.startOffset}:${range.endOffset}`;
      if (!this.#numbers.has(key)) this.#numbers.set(key, { range, number: next++ });
    }
    return next;
  }

  /** Adds the numbers of those that were run. */
  reached(ranges: readonly Range[], features: number[]): void {
    for (const { range, number } of this.#numbers.values()) {
      const around = ranges.findLast(
        ({ startOffset, endOffset }) => startOffset <= range.startOffset && endOffset >= range.endOffset,
      );
      if (around && around.count > 0) features.push(number);
    }
  }
}

/**
 * Blocks of JavaScript that were run in this thread, as V8 counts them.
 *
 * @param parts the address of a file that counts holds one of these.
 */
export function codeCoverage(parts: readonly string[]): Coverage {
  const session = new inspector.Session();
  session.connect();
  const post: Post = (method, params) => {
    let answer: unknown;
    session.post(method, params, (error, result) => {
      if (error) throw new Error(`${method}: ${error.message}`);
      answer = result;
    });
    return answer as never;
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  /** By the address of the file and where they begin. */
  const functions = new Map<string, FunctionBlocks>();
  let blocks = 0;
  return {
    inputsAtATime: 24,
    take() {
      const { result } = post<{ result: ScriptCoverage[] }>('Profiler.takePreciseCoverage');
      const features: number[] = [];
      for (const { url, functions: scriptFunctions } of result) {
        if (!parts.some((part) => url.includes(part))) continue;
        for (const { ranges } of scriptFunctions) {
          const [whole] = ranges;
          if (!whole || whole.count === 0) continue;
          const key = `${url}:${whole.startOffset}:${whole.endOffset}`;
          const known = functions.get(key) ?? new FunctionBlocks();
          functions.set(key, known);
          blocks = known.learn(ranges, blocks);
          known.reached(ranges, features);
        }
      }
      return features;
    },
    siteOf: (place) => place,
    stop() {
      session.disconnect();
    },
  };
}
