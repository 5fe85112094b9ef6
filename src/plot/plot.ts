/** The picture of rows: what is to be drawn, two readings of the files, the drawing. */
import { pauses } from '../base/pauses.js';
import { UsageError } from '../base/usage-error.js';
import type { BookColumns } from '../view/book-columns.js';
import { readBook } from '../view/open-output.js';
import type { Theme } from '../view/palettes.js';
import { drawSvg } from './draw-svg.js';
import { FileError } from './file-error.js';
import { Heat } from './heat.js';
import { layOut, plotWidth } from './layout.js';
import { type Measured, Measurer } from './measure.js';
import { type PlotSpan, planSpan, type SpanOptions } from './plot-span.js';
import { priceRange } from './price-range.js';

export interface PlotOptions extends SpanOptions {
  /** Of the picture, in pixels. */
  width: number;
  height: number;
  /** Levels a side; absent: all. */
  depth?: number;
  scale: 'log' | 'linear';
  theme: Theme;
  signal?: AbortSignal;
}

export interface Plot {
  svg: string;
  span: PlotSpan;
  measured: Measured;
}

/**
 * Draws outputs. Each file is read twice, since only the first reading tells where the price has been; so memory is that of
 * the picture and of a part of a file.
 *
 * @throws UsageError when the files cannot be drawn together, or have no row with both sides.
 * @throws {@link FileError} when a file is damaged or cannot be read.
 * @throws the signal's reason when it is aborted.
 */
export async function plotFiles(paths: readonly string[], options: PlotOptions): Promise<Plot> {
  const { width, height, depth, scale, theme, signal } = options;
  const span = await planSpan(paths, options);
  const measurer = new Measurer(span, plotWidth(width));
  await readParts(span, depth, signal, (part) => measurer.add(part));
  const measured = measurer.finish();
  const range = priceRange(measured, depth !== undefined);
  if (!range) throw new UsageError(`There is no row with bids and asks in ${span.paths.join(', ')} at these times`);
  const view = { fromMs: span.firstMs, toMs: span.lastMs + span.intervalMs, ...range };
  const layout = layOut(width, height, measured);
  const heat = new Heat(view, layout.heat.width, layout.heat.height, measured.grain);
  await readParts(span, depth, signal, (part) => heat.add(part));
  const svg = drawSvg({ span, measured, heat, view, layout, theme, scale });
  return { svg, span, measured };
}

async function readParts(
  { paths, firstMs: fromMs, lastMs: toMs }: PlotSpan,
  depth: number | undefined,
  signal: AbortSignal | undefined,
  take: (part: BookColumns) => void,
): Promise<void> {
  const pause = pauses(signal);
  for (const path of paths) {
    try {
      for await (const part of readBook(path, { fromMs, toMs, depth })) {
        take(part);
        await pause();
      }
    } catch (error) {
      throw FileError.of(path, error);
    }
  }
}
