import { formatMoment, type Moment, parseMoment } from '../base/moment.js';
import { UsageError } from '../base/usage-error.js';
import { clean } from '../console/clean-text.js';
import { oneOf, parseDepth, parseWhole, rethrow } from '../console/option-values.js';
import { addS3Options, newCommand, takeS3Options } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { FileError } from '../plot/file-error.js';
import { plotFiles } from '../plot/plot.js';
import { openStorage, writeAlone } from '../storage/open-storage.js';
import type { Theme } from '../view/palettes.js';

/** The command line of `bookgrid plot`, read and checked. */
export interface PlotLine {
  files: string[];
  output: string;
  width: number;
  height: number;
  depth?: number;
  from?: Moment;
  to?: Moment;
  scale: 'log' | 'linear';
  theme: Theme;
}

const EXPLANATION = `
FILE… are book outputs of convert or join (.csv, .csv.gz, .parquet): a day, or several days of one symbol,
which are put on one axis of time. The picture has the levels as colours (time across, price up, bids blue,
asks orange), best bid, best ask and mid as lines, the spread below, and strips that mark rows that are
suspect, crossed or filled, and times without a row. A row is drawn from its time up to the next.

Where a pixel has several rows or prices it has the colour of the largest level among them, and the lines
keep the least and the greatest: nothing is sampled. Prices are shown as far from the best ones as these
have moved, unless --depth says how many levels to show.

An .svg has texts as text, and the heatmap as an embedded PNG. A .png is drawn from it with a font that comes
along. The same rows and options give the same bytes on every machine. A file that exists is replaced when it
is a picture of the same kind, and else refused.

Examples:
  bookgrid plot snapshots/0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.parquet -o day.svg
  bookgrid plot snapshots/0200/BTCUSDT/2025-01-*.csv -o january.png --width 2400 --theme light
  bookgrid plot 2025-01-15_BTCUSDT_ob500_1s.csv -o crash.png --from 10:00 --to 10:30 --depth 100

Exit status: 0 drawn, 1 a file is damaged or the picture cannot be written, 2 wrong usage or nothing to draw.`;

const SIZES = { width: { least: 640, most: 8192 }, height: { least: 360, most: 8192 } };

/** The command line of `bookgrid plot` as commander knows it. */
export function buildPlotCommand() {
  const command = newCommand('bookgrid plot')
    .usage('FILE… -o FILE [options]')
    .argument('<file...>', 'Book outputs, of one symbol.')
    .description('Draws a day, or several, as a heatmap with its spread, without a browser.')
    .requiredOption('-o, --output <file>', 'Picture to write: its ending, .svg or .png, says which kind.', parseOutput)
    .option('--width <pixels>', 'Width of the picture.', rethrow(parseSize('width')), 1280)
    .option('--height <pixels>', 'Height of the picture.', rethrow(parseSize('height')), 720)
    .option('--depth <levels>', 'Levels a side to draw, and to show prices for. (default: all there are)', parseDepth)
    .option(
      '--from <time>',
      'Where to begin: 10:15, 2025-01-15, 2025-01-15T10:15, ms since 1970 (UTC).',
      rethrow(parseMoment),
    )
    .option('--to <time>', 'Where to end, inclusive; a day alone means all of it.', rethrow(parseMoment))
    .option('--scale <kind>', 'How quantities become colours: log or linear.', oneOf(['log', 'linear'] as const), 'log')
    .option('--theme <name>', 'Background: dark or light.', oneOf(['dark', 'light'] as const), 'dark')
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

function parseSize(side: keyof typeof SIZES): (text: string) => number {
  const { least, most } = SIZES[side];
  return (text) => {
    const pixels = parseWhole(text, most, 'pixels');
    if (pixels < least) throw new RangeError(`Expected ${least} to ${most} pixels.`);
    return pixels;
  };
}

function parseOutput(text: string): string {
  return rethrow((name) => {
    if (kindOf(name) === undefined) throw new RangeError('Expected a name that ends in .svg or .png.');
    return name;
  })(text);
}

type Kind = 'svg' | 'png';

function kindOf(name: string): Kind | undefined {
  return (['svg', 'png'] as const).find((kind) => name.toLowerCase().endsWith(`.${kind}`));
}

/**
 * Reads the command line of `bookgrid plot`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 */
export function parsePlotLine(argv: string[]): PlotLine {
  const command = buildPlotCommand().parse(argv, { from: 'user' });
  takeS3Options(command);
  return { ...command.opts<Omit<PlotLine, 'files'>>(), files: command.args };
}

/**
 * Draws outputs into a file, which appears whole or not at all.
 *
 * @returns whether it was drawn.
 * @throws {@link UsageError} when there is nothing to draw, or the file is not to be replaced.
 */
export async function plot(line: PlotLine, { stdout, stderr, signal }: Surroundings): Promise<boolean> {
  const { files, output, ...options } = line;
  const kind = kindOf(output) ?? 'svg';
  await checkReplaceable(output, kind);
  try {
    const { svg, span, measured } = await plotFiles(files, { ...options, signal });
    const bytes = kind === 'svg' ? Buffer.from(svg) : await (await import('../plot/png.js')).rasterizeSvg(svg);
    signal.throwIfAborted();
    await writeAlone(output, bytes);
    const { rows, missing } = measured;
    const [from, to] = [span.firstMs, span.lastMs].map(formatMoment);
    const print = lineWriter(stdout);
    print(`Drawn: ${rows} rows of ${from} to ${to} UTC, ${missing} missing`);
    print(clean(`Written: ${output}`));
    return true;
  } catch (error) {
    if (signal.aborted) return true;
    if (!(error instanceof FileError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    lineWriter(stderr)(clean(`bookgrid: ${(error as Error).message}. Nothing was written for ${output}`));
    return false;
  }
}

/** A picture is made again and again while one looks for the right one; anything else that is there was not meant. */
async function checkReplaceable(output: string, kind: Kind): Promise<void> {
  const there = await openStorage(output).look(output);
  if (!there) return;
  if (there.kind !== 'file') throw new UsageError(`${output} is no file: give another name with --output`);
  if (there.sizeBytes > 0 && !(await isPicture(output, kind))) {
    throw new UsageError(
      `${output} exists and is no ${kind.toUpperCase()} picture, so it is not replaced: give another name with --output`,
    );
  }
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

async function isPicture(file: string, kind: Kind): Promise<boolean> {
  const start = Buffer.alloc(512);
  const source = await openStorage(file).open(file);
  try {
    await source.read(start, 0);
  } finally {
    await source.close();
  }
  if (kind === 'png') return start.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE);
  return /^\ufeff?\s*(<\?xml|<!DOCTYPE svg|<svg)/i.test(start.toString());
}
