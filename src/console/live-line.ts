import { columnsOf } from './terminal.js';

/**
 * One line at the bottom of a terminal that is drawn again and again, with other lines printed above it.
 *
 * The cursor stays visible, at the line's end, and nothing of the terminal is changed: whatever instant the process is
 * stopped or killed at, there is nothing to restore, and Ctrl+Z, `fg` and a second Ctrl+C leave the terminal as it was.
 */
export class LiveLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #hasEscapes: boolean;
  /** What stands on the screen; empty: nothing. */
  #shown = '';

  /** @param hasEscapes whether the terminal may be sent escape sequences; without them a carriage return has to do. */
  constructor(stream: NodeJS.WriteStream, { hasEscapes }: { hasEscapes: boolean }) {
    this.#stream = stream;
    this.#hasEscapes = hasEscapes;
  }

  /** How many characters fit. The last column is left free: a line that fills it makes some terminals begin another. */
  get width(): number {
    return columnsOf(this.#stream) - 1;
  }

  /** Draws the line in place of the one before, in one write, so that it is never seen missing. */
  draw(text: string): void {
    const line = text.slice(0, this.width);
    const rest = this.#hasEscapes ? ERASE_BELOW : ' '.repeat(this.width - line.length);
    this.#stream.write(this.#toStart() + line + rest);
    this.#shown = line;
  }

  /** Takes the line away. The cursor is then where the line began. */
  erase(): void {
    if (this.#shown === '') return;
    const rest = this.#hasEscapes ? ERASE_BELOW : `${' '.repeat(this.width)}\r`;
    this.#stream.write(this.#toStart() + rest);
    this.#shown = '';
  }

  /** Goes to where the line begins: of a terminal that was made narrower, and has wrapped it, some rows up. */
  #toStart(): string {
    const rowsUp = Math.floor(Math.max(this.#shown.length - 1, 0) / columnsOf(this.#stream));
    return rowsUp > 0 && this.#hasEscapes ? `\r\u001b[${rowsUp}A` : '\r';
  }
}

/** From the cursor on: also what else was written after the line, such as the `^C` of a terminal. */
const ERASE_BELOW = '\u001b[J';
