/** The values in one column of pixels. */
interface Run {
  column: number;
  /** Where the first begins and the last ends, in pixels from the left. */
  startX: number;
  endX: number;
  first: number;
  last: number;
  least: number;
  most: number;
  /** Nothing joins it to what is before it. */
  isApart: boolean;
}

/**
 * A line through the values of rows, each of which stands from its own time up to the next. Of several rows in a column of
 * pixels it keeps the first, the last, the least and the greatest: the picture is that of all of them (M4, Jugel et al. 2014),
 * and no larger than it is wide. A gap of less than a pixel does not show in it.
 */
export class PixelLine {
  readonly #runs: Run[] = [];
  #isBroken = true;

  /**
   * Adds the value of a row; NaN breaks the line.
   *
   * @param startX where it begins and `endX` where it ends, in pixels from the left; never before an earlier one.
   */
  add(startX: number, endX: number, value: number): void {
    if (Number.isNaN(value)) {
      this.breakOff();
      return;
    }
    const column = Math.floor(startX);
    const run = this.#runs.at(-1);
    if (run?.column === column) {
      run.endX = endX;
      run.last = value;
      run.least = Math.min(run.least, value);
      run.most = Math.max(run.most, value);
    } else {
      const one = { first: value, last: value, least: value, most: value };
      this.#runs.push({ column, startX, endX, isApart: this.#isBroken, ...one });
    }
    this.#isBroken = false;
  }

  /** Nothing joins the last value to the next. */
  breakOff(): void {
    this.#isBroken = true;
  }

  /** The least and the greatest value of each column that has one. */
  *extremes(): Generator<readonly [least: number, most: number], void, undefined> {
    for (const { least, most } of this.#runs) yield [least, most];
  }

  /**
   * The line as the `d` of an SVG path; empty when there are no values.
   *
   * @param toY the pixels from the top at which a value is.
   */
  path(leftX: number, toY: (value: number) => number): string {
    const parts: string[] = [];
    for (const { startX, endX, first, last, least, most, isApart } of this.#runs) {
      const y = toY(first);
      parts.push(isApart ? `M${round(leftX + startX)} ${round(y)}` : `V${round(y)}`);
      if (least !== most) parts.push(`V${round(toY(least))}V${round(toY(most))}V${round(toY(last))}`);
      parts.push(`H${round(leftX + endX)}`);
    }
    return parts.join('');
  }
}

/** To a hundredth of a pixel. */
export function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
