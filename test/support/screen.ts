/**
 * What a terminal shows of the bytes that it is sent: enough of one to run bookgrid and a shell on it, and no more. An escape
 * sequence that it does not know is an error, so that a test sees what is sent.
 *
 * It wraps, scrolls, and wraps anew when its width changes, as most terminals do.
 */
export class Screen {
  /** Whether the cursor is seen. */
  isCursorVisible = true;
  /** Sequences that were sent to it. */
  escapes = 0;
  #columns: number;
  /** Rows from the first that ever was; `wraps` when the text goes on in the next. */
  #rows: { text: string; wraps: boolean }[] = [{ text: '', wraps: false }];
  #row = 0;
  #column = 0;
  /** An escape sequence that is not whole yet. */
  #pending = '';
  readonly #height: number;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#height = rows;
  }

  /** All that was shown, the rows that have scrolled away included, without spaces at their ends. */
  get lines(): string[] {
    return this.#rows.map(({ text }) => text.trimEnd());
  }

  /** What can be seen now. */
  get visible(): string[] {
    return this.lines.slice(-this.#height);
  }

  get cursor(): { line: string; column: number } {
    return { line: this.lines[this.#row] ?? '', column: this.#column };
  }

  /** Changes the width: rows that are one text are joined, and wrapped at the new width. */
  resize(columns: number): void {
    this.#columns = columns;
    const rows: { text: string; wraps: boolean }[] = [];
    let [row, column] = [0, 0];
    let text = '';
    let cursorAt = -1; // in the text
    this.#rows.forEach((old, index) => {
      if (index === this.#row) cursorAt = text.length + this.#column;
      text += old.text;
      if (old.wraps) return;
      if (cursorAt >= 0) {
        row = rows.length + Math.floor(Math.max(cursorAt - 1, 0) / columns);
        column = cursorAt - (row - rows.length) * columns;
      }
      for (let at = 0; at === 0 || at < text.length; at += columns) {
        rows.push({ text: text.slice(at, at + columns), wraps: at + columns < text.length });
      }
      text = '';
      cursorAt = -1;
    });
    this.#rows = rows;
    this.#row = row;
    this.#column = column;
  }

  write(text: string): void {
    let rest = this.#pending + text;
    this.#pending = '';
    while (rest !== '') {
      const [sequence = ''] = SEQUENCE.exec(rest) ?? [];
      if (sequence !== '') this.#obey(sequence);
      else if (rest.startsWith('\u001b')) {
        if (rest.length > 20) throw new Error(`no sequence that this terminal knows: ${JSON.stringify(rest)}`);
        this.#pending = rest;
        return;
      } else this.#put(rest[0] as string);
      rest = rest.slice(sequence.length || 1);
    }
  }

  #put(character: string): void {
    switch (character) {
      case '\r':
        this.#column = 0;
        return;
      case '\n':
        this.#down();
        return;
      case '\b':
        this.#column = Math.max(this.#column - 1, 0);
        return;
      case '\u0007':
        return;
    }
    if (character < ' ') throw new Error(`no control character that this terminal knows: ${JSON.stringify(character)}`);
    if (this.#column === this.#columns) {
      this.#current.wraps = true;
      this.#column = 0;
      this.#down();
    }
    const { text } = this.#current;
    this.#current.text = text.slice(0, this.#column).padEnd(this.#column) + character + text.slice(this.#column + 1);
    this.#column++;
  }

  get #current(): { text: string; wraps: boolean } {
    return this.#rows[this.#row] as { text: string; wraps: boolean };
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.#rows.length) this.#rows.push({ text: '', wraps: false });
  }

  #obey(sequence: string): void {
    this.escapes++;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    const [, question, given, final] = /^\u001b\[(\?)?(\d*)(?:;\d+)*([A-Za-z])$/.exec(sequence) ?? [];
    const count = Number(given || 1);
    switch (`${question ?? ''}${final}`) {
      case 'A':
        this.#row = Math.max(this.#row - count, this.#rows.length - this.#height, 0);
        return;
      case 'J':
        this.#rows.length = this.#row + 1;
        this.#eraseLine();
        return;
      case 'K':
        this.#eraseLine();
        return;
      case 'm':
        return;
      case '?h':
      case '?l':
        if (given === '25') this.isCursorVisible = final === 'h';
        else if (given !== '2004') throw new Error(`no mode that this terminal knows: ${JSON.stringify(sequence)}`);
        return;
      default:
        throw new Error(`no sequence that this terminal knows: ${JSON.stringify(sequence)}`);
    }
  }

  #eraseLine(): void {
    this.#current.text = this.#current.text.slice(0, this.#column);
    this.#current.wraps = false;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const SEQUENCE = /^\u001b\[\??[\d;]*[A-Za-z]/;
