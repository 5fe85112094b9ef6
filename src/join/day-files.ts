import { UsageError } from '../base/usage-error.js';
import { type FoundOutput, findOutputs } from '../catalog/find-outputs.js';
import { type MarketChoice, type MarketName, parseMarket } from '../catalog/market.js';
import { listNearest } from '../catalog/nearest-symbols.js';
import type { Format } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { pieces } from '../storage/pieces.js';
import { type ByteSource, StorageError } from '../storage/storage.js';
import { JoinError } from './join-error.js';

/** Opens a day's file. Close it. */
export async function openDayFile(filePath: string): Promise<ByteSource> {
  try {
    return await openStorage(filePath).open(filePath);
  } catch (error) {
    throw naming(filePath, error);
  }
}

/** The bytes of [startByte, endByte), each piece valid until the next is asked for. */
export async function* readBytes(
  filePath: string,
  source: ByteSource,
  startByte: number,
  endByte: number, // exclusive
): AsyncGenerator<Buffer> {
  try {
    yield* pieces(source, startByte, endByte, () => {});
  } catch (error) {
    throw naming(filePath, error);
  }
}

/** What the system says of a file often does not name it. */
export function naming(filePath: string, error: unknown): JoinError {
  return new JoinError(`${filePath}: ${(error as Error).message}`, { cause: error });
}

/** Which days are wanted. */
export interface DayFilter {
  /** The folder that `bookgrid convert` wrote to. */
  outputDir: string;
  symbol: string;
  /** `none`: what lies in no folder of a market; absent: the only one there is. */
  market?: MarketChoice;
  /** Metrics instead of books. */
  metrics: boolean;
  /** As in file names: `1m`. */
  interval: string;
  /** Levels a side; absent: the only depth there is. */
  depth?: number;
  /** Absent: the only one there is. */
  format?: Format;
  /** First and last day, `YYYY-MM-DD`; absent: the first and last there are. */
  from?: string;
  to?: string;
}

/** Days found, all of one kind, in order. */
export interface Days {
  files: FoundOutput[];
  format: Format;
  /** Whose folder they lie in; `undefined`: none. */
  market: MarketName | undefined;
  /** Of books. */
  depth: number | undefined;
  from: string;
  to: string;
}

/**
 * Finds the outputs of a symbol.
 *
 * @throws {@link UsageError} that says what there is instead, when there are none, or when they are of several kinds.
 */
export async function findDays(filter: DayFilter): Promise<Days> {
  const { outputDir, symbol, market, metrics, interval, depth, format } = filter;
  const kind = metrics ? 'metrics' : 'book';
  const all = (await outputsIn(outputDir, [symbol])).filter((output) => output.kind === kind);
  if (all.length === 0) throw new UsageError(await describeNothing(outputDir, symbol, kind));

  const what = `${kind} files of ${symbol} below ${outputDir}`;
  const ofMarket = choose(all.map(withMarket), 'market', market, what);
  const ofInterval = choose(ofMarket, 'interval', interval, what);
  const ofDepth = metrics ? ofInterval : choose(ofInterval, 'depth', depth, what);
  const files = choose(ofDepth, 'format', format, what).sort((a, b) => (a.date < b.date ? -1 : 1));
  const [first, last] = [files[0], files.at(-1)] as [Candidate, Candidate];
  const { from = first.date, to = last.date } = filter;
  const wanted = files.filter(({ date }) => date >= from && date <= to);
  if (wanted.length === 0) {
    const days = first === last ? `all of ${first.date}` : `of ${first.date} to ${last.date}`;
    throw new UsageError(`No day ${describeDays(filter)} among the ${what}, which are ${days}.`);
  }
  return {
    files: wanted.map(({ market, ...file }) => ({ ...file, market: parseMarket(market) })),
    format: first.format,
    market: parseMarket(first.market),
    depth: first.depth,
    from,
    to,
  };
}

/** An output as options choose it. */
type Candidate = Omit<FoundOutput, 'market'> & { market: MarketChoice };

function withMarket(output: FoundOutput): Candidate {
  return { ...output, market: output.market ?? 'none' };
}

function describeDays({ from, to }: DayFilter): string {
  if (to === undefined) return `from ${from} on`;
  return from === undefined ? `up to ${to}` : `from ${from} to ${to}`;
}

/** The options that choose among outputs of several kinds. */
const CHOOSING = { market: '--market', interval: '--interval', depth: '--depths', format: '--format' } as const;

/**
 * The outputs that are as wanted, or all when nothing is wanted and all are alike.
 *
 * @returns at least one.
 */
function choose<Key extends keyof typeof CHOOSING>(
  outputs: Candidate[],
  key: Key,
  wanted: Candidate[Key] | undefined,
  what: string,
): Candidate[] {
  const found = [...new Set(outputs.map((output) => output[key]))];
  if (wanted === undefined && found.length > 1) {
    throw new UsageError(`There are ${what} of ${key} ${found.join(' and ')}. Say which with ${CHOOSING[key]}.`);
  }
  const chosen = wanted === undefined ? outputs : outputs.filter((output) => output[key] === wanted);
  if (chosen.length > 0) return chosen;
  throw new UsageError(`There are no ${what} of ${key} ${wanted}, only of ${found.join(', ')}.`);
}

/** @throws {@link UsageError} when a folder is missing, or it or an output cannot be looked at. */
async function outputsIn(outputDir: string, symbols?: string[]): Promise<FoundOutput[]> {
  try {
    const { outputs, unseen } = await findOutputs(outputDir, symbols);
    if (unseen.length > 0) throw new UsageError(unseen.map(({ problem }) => problem).join('\n'));
    return outputs;
  } catch (error) {
    throw error instanceof StorageError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function describeNothing(outputDir: string, symbol: string, kind: FoundOutput['kind']): Promise<string> {
  const outputs = await outputsIn(outputDir);
  const symbols = outputs.flatMap((output) => (output.kind === kind ? [output.pair] : []));
  if (symbols.length === 0) {
    return (
      `No ${kind} files found below ${outputDir}. Looked for ${kind === 'metrics' ? kind : 'DEPTH'}/SYMBOL/ folders as ` +
      'bookgrid convert writes them; say where they are with --output-dir DIR or BOOKGRID_OUTPUT_DIR.'
    );
  }
  return `No ${kind} files of ${symbol} below ${outputDir}, only of ${listNearest(symbols, [symbol])}.`;
}
