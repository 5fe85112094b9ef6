/** Makes archives of a seeded market on disk, for benchmarks and trials. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type MarketOptions, marketText } from '../src/samples/market.js';
import { writeArchive } from '../src/samples/write-archive.js';

interface GenerateOptions {
  out: string;
  symbol: string;
  date: string;
  days: number;
  depth: number;
  style: 'contract' | 'spot';
  spacing: 'dense' | 'sparse';
  seed: number;
  price: string;
  tick: string;
  quantityStep: string;
  start?: number;
  minutes?: number;
  restart?: number[];
  gap?: { fromMs: number; toMs: number }[];
  level: number;
  format: 'zip' | 'gz' | 'data';
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('expected a whole number above zero.');
  return value;
}

function compressionLevel(text: string): number {
  if (!/^[0-9]$/.test(text)) throw new InvalidArgumentError('expected 0 to 9.');
  return Number(text);
}

function dayText(text: string): string {
  const ms = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(ms) || dateOf(ms) !== text) throw new InvalidArgumentError('expected a date, YYYY-MM-DD.');
  return text;
}

function timeOfDayMs(text: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) throw new InvalidArgumentError('expected a time of day, HH:MM.');
  return (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

function stretch(text: string): { fromMs: number; toMs: number } {
  const [from = '', to = ''] = text.split('-');
  const gap = { fromMs: timeOfDayMs(from), toMs: timeOfDayMs(to) };
  if (gap.fromMs >= gap.toMs) throw new InvalidArgumentError('expected the earlier time first.');
  return gap;
}

/** Options that may be given again and again: commander hands over what it has so far. */
const each =
  <T>(parse: (text: string) => T) =>
  (text: string, previous: T[] = []): T[] => [...previous, parse(text)];

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function parseArguments(): GenerateOptions {
  return new Command('generate')
    .description(
      "Makes archives of a seeded market that read like Bybit's, at DIR/0500/XRPUSDT/2025-01-15_XRPUSDT_ob500.data.zip.\n" +
        'The same options give the same text. A whole contract day at depth 500 is about 1 GB of text and 280 MB zipped.',
    )
    .requiredOption('--out <dir>', 'folder for the archives, made when missing')
    .option('--symbol <name>', 'trading pair', 'XRPUSDT')
    .option('--date <date>', 'first day, UTC', dayText, '2025-01-15')
    .option('--days <n>', 'consecutive days, one archive each; a day continues neither price nor u', positiveNumber, 1)
    .option('--depth <levels>', 'levels a side: Bybit has 500 for contracts, 200 for spot', positiveNumber, 500)
    .addOption(
      new Option(
        '--style <style>',
        'contract: 100 ms, fixed decimals; spot: 200 ms, no trailing zeros, other key order',
      )
        .choices(['contract', 'spot'])
        .default('contract'),
    )
    .addOption(
      new Option('--spacing <spacing>', 'dense: a level at nearly every tick; sparse: several ticks apart, as BTC')
        .choices(['dense', 'sparse'])
        .default('dense'),
    )
    .option('--seed <n>', 'another seed, another market; later days count up from it', wholeNumber, 1)
    .option('--price <price>', 'price to start at', '1.9531')
    .option('--tick <size>', 'distance of prices; its decimals are those of the prices', '0.0001')
    .option('--quantity-step <size>', 'the same for quantities', '1')
    .option('--start <HH:MM>', 'first message (default: 0.5 to 1.1 s after midnight)', timeOfDayMs)
    .option('--minutes <n>', 'length, for quick trials (default: to 6 s past the next midnight)', positiveNumber)
    .option('--restart <HH:MM>', 'service restart: a snapshot with u = 1; may be repeated', each(timeOfDayMs))
    .option('--gap <HH:MM-HH:MM>', 'stretch without messages; may be repeated', each(stretch))
    .option('--level <0-9>', 'compression; 0 stores', compressionLevel, 6)
    .addOption(new Option('--format <format>', 'kind of archive').choices(['zip', 'gz', 'data']).default('zip'))
    .addHelpText(
      'after',
      '\nExample, a spot day and its end only:\n' +
        '  generate --out days --style spot --depth 200 --symbol ADAUSDC --price 0.6543\n' +
        '  generate --out days --style spot --depth 200 --symbol ADAUSDC --price 0.6543 --start 23:50',
    )
    .parse()
    .opts<GenerateOptions>();
}

function marketOptions(options: GenerateOptions, day: number): MarketOptions {
  const { symbol, depth, style, spacing, seed, price, tick, quantityStep, start, minutes, restart, gap } = options;
  return {
    symbol,
    depth,
    style,
    spacing,
    quantityStep,
    date: dateOf(Date.parse(`${options.date}T00:00:00Z`) + day * DAY_MS),
    seed: seed + day,
    startPrice: price,
    tickSize: tick,
    restartsAtMs: restart ?? [],
    gaps: gap ?? [],
    ...(start !== undefined && { startMs: start }),
    ...(minutes !== undefined && { durationMs: minutes * MINUTE_MS }),
  };
}

async function generateDay(options: GenerateOptions, day: number): Promise<void> {
  const market = marketOptions(options, day);
  const { symbol, date, depth } = market;
  const memberName = `${date}_${symbol}_ob${depth}.data`;
  const fileName = options.format === 'data' ? memberName : `${memberName}.${options.format}`;
  const path = join(options.out, String(depth).padStart(4, '0'), symbol, fileName);

  let messages = 0;
  let textBytes = 0;
  function* counted(): Generator<Uint8Array> {
    for (const chunk of marketText(market)) {
      textBytes += chunk.length;
      for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) messages++;
      yield chunk;
    }
  }
  const startedMs = performance.now();
  await writeArchive(path, memberName, counted(), { compress: options.level > 0, level: options.level });
  const seconds = (performance.now() - startedMs) / 1000;
  const { size: archiveBytes } = await stat(path);
  console.log(
    `${path}  ${messages} messages  ${textBytes} text bytes  ${archiveBytes} archive bytes  ${seconds.toFixed(1)} s`,
  );
}

try {
  const options = parseArguments();
  for (let day = 0; day < options.days; day++) await generateDay(options, day);
} catch (error) {
  console.error(`generate: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
