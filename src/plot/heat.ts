import type { BookColumns } from '../view/book-columns.js';
import { type Grain, type HeatGrid, type HeatView, layOutGrid, NO_ROW, rasterize } from '../view/heatmap.js';

/** The cells of a heatmap, filled part by part, so that files of any length take the memory of the picture. */
export class Heat {
  readonly grid: HeatGrid;
  readonly #intervalMs: number;

  constructor(view: HeatView, widthPx: number, heightPx: number, grain: Grain) {
    const layout = layOutGrid(view, widthPx, heightPx, grain);
    this.grid = { ...layout, cells: new Float32Array(layout.columns * layout.bins).fill(NO_ROW) };
    this.#intervalMs = grain.intervalMs;
  }

  /** Puts the largest level of each cell into it. Rows have a part in as many columns as they stand for. */
  add(columns: BookColumns): void {
    const { grid } = this;
    const [firstMs, lastMs] = [columns.timesMs[0], columns.timesMs.at(-1)];
    if (firstMs === undefined || lastMs === undefined) return;
    const columnMs = (grid.toMs - grid.fromMs) / grid.columns;
    const start = Math.max(0, Math.floor((firstMs - grid.fromMs) / columnMs));
    const end = Math.min(grid.columns, Math.ceil((lastMs + this.#intervalMs - grid.fromMs) / columnMs));
    if (end <= start) return;
    const stretch = {
      ...grid,
      fromMs: grid.fromMs + start * columnMs,
      toMs: grid.fromMs + end * columnMs,
      columns: end - start,
    };
    const day = { columns, intervalMs: this.#intervalMs, firstMs, lastMs };
    merge(grid.cells.subarray(start * grid.bins, end * grid.bins), rasterize([day], stretch, 'max').cells);
  }
}

/** Of two cells the one with the larger quantity. */
function merge(cells: Float32Array, more: Float32Array): void {
  for (let at = 0; at < cells.length; at++) {
    const [old, other] = [cells[at] as number, more[at] as number];
    if (other !== NO_ROW && (old === NO_ROW || Math.abs(other) > Math.abs(old))) cells[at] = other;
  }
}
