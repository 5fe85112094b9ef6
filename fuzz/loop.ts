/** The fuzzer itself: inputs that reach new places are kept, and changed to reach further ones. */
import { setImmediate } from 'node:timers/promises';
import { Random } from '../src/samples/random.js';
import type { Coverage } from './coverage.js';
import { mutate } from './mutate.js';
import { shrink } from './shrink.js';
import type { Target } from './target.js';

export interface LoopOptions {
  target: Target;
  coverage: Coverage;
  /** Inputs to begin with, beside the target's own. */
  corpus: readonly Buffer[];
  seed: number;
  /** How long, at least until those to begin with have all been tried. */
  durationMs: number;
  /** Hears of each input before it is tried. */
  onInput: (input: Buffer) => void;
  /** Called after each input; throws when something is wrong that the target does not see. */
  check: () => void;
}

/** What a target did wrong, with the smallest input that was found for it. */
export interface Finding {
  input: Buffer;
  error: Error;
  /** How many inputs were tried until it was found; smaller ones were tried after that. */
  afterInputs: number;
}

export interface LoopResult {
  inputs: number;
  /** Of the places that were reached how many there are. */
  places: number;
  finding: Finding | undefined;
  /** The smallest inputs that reach all of the places together. */
  corpus: Buffer[];
}

/** An input that was kept, and where it has been. */
interface Kept {
  input: Buffer;
  places: number[];
}

const SHRINK_MS = 20_000;

export async function fuzz({ target, coverage, durationMs, ...options }: LoopOptions): Promise<LoopResult> {
  const endMs = performance.now() + durationMs;
  const random = new Random(options.seed);
  const dictionary = (target.dictionary ?? []).map((piece) =>
    typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece),
  );
  const seen = new Set<number>();
  const kept: Kept[] = [];
  let inputs = 0;

  /** @returns what went wrong. */
  const tryOne = async (input: Buffer): Promise<Error | undefined> => {
    options.onInput(input);
    inputs++;
    try {
      await target.run(Buffer.from(input));
      // What was begun and not awaited fails while this is still the input that began it.
      await setImmediate();
      options.check();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
    }
  };
  const finding = async (input: Buffer, error: Error): Promise<Finding> => {
    let last = error;
    const afterInputs = inputs;
    const isSame = async (smaller: Buffer) => {
      const other = await tryOne(smaller);
      const isAlike = other !== undefined && kindOf(other) === kindOf(error);
      if (isAlike) last = other;
      return isAlike;
    };
    return { input: await shrink(input, isSame, performance.now() + SHRINK_MS), error: last, afterInputs };
  };
  /** Runs inputs, and keeps those that have been anywhere new. */
  const runAll = async (batch: readonly Buffer[]): Promise<Finding | undefined> => {
    for (const input of batch) {
      const error = await tryOne(input);
      if (error) return finding(input, error);
    }
    if (coverage.take().every((place) => seen.has(place))) return undefined;
    for (const input of batch) {
      const error = await tryOne(input);
      if (error) return finding(input, error);
      const places = coverage.take();
      if (places.every((place) => seen.has(place))) continue;
      for (const place of places) seen.add(place);
      kept.push({ input, places });
    }
    return undefined;
  };
  const result = (found: Finding | undefined): LoopResult => ({
    inputs,
    places: seen.size,
    finding: found,
    corpus: smallestCover(kept.map(({ input, places }) => ({ input, places: places.map(coverage.siteOf) }))),
  });

  coverage.take();
  const seeds = [...options.corpus, ...(await target.seeds())].map((seed) => Buffer.from(seed));
  for (const seed of seeds) {
    const found = await runAll([seed.subarray(0, target.maxBytes)]);
    if (found) return result(found);
  }
  // A target without seeds begins with nothing.
  if (kept.length === 0) kept.push({ input: Buffer.alloc(0), places: [] });
  const pick = () => {
    // Those that were kept last reach what was found last: half of the time one of the last eighth.
    const from = random.below(2) === 0 ? 0 : kept.length - Math.ceil(kept.length / 8);
    return (kept[from + random.below(kept.length - from)] as Kept).input;
  };
  while (performance.now() < endMs) {
    const batch = Array.from({ length: coverage.inputsAtATime }, () =>
      mutate(pick(), { random, maxBytes: target.maxBytes, dictionary, other: pick() }),
    );
    const found = await runAll(batch);
    if (found) return result(found);
  }
  return result(undefined);
}

/** What tells failures apart: without the numbers and texts that come from the input. */
function kindOf({ name, message }: Error): string {
  const [firstLine = ''] = message.split('\n');
  return `${name}: ${firstLine.replaceAll(/\d+|"[^"]*"|'[^']*'/g, '…')}`.slice(0, 80);
}

/** Few and small inputs that have been everywhere: of those with most new places for their size one after the other. */
function smallestCover(kept: readonly Kept[]): Buffer[] {
  const bySize = [...kept].sort((a, b) => a.input.length - b.input.length);
  const covered = new Set<number>();
  const cover: Buffer[] = [];
  for (const { input, places } of bySize) {
    if (places.every((place) => covered.has(place))) continue;
    for (const place of places) covered.add(place);
    cover.push(input);
  }
  return cover;
}
