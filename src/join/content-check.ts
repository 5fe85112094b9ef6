import { createHash } from 'node:crypto';
import { JoinError } from './join-error.js';

/**
 * Compares days with what was written while they are copied. Rows, and Parquet's pages, are copied as they are, so what a
 * disk or a hand has changed in them shows in nothing else.
 */
export class ContentCheck {
  /** Files of which nothing is known, so far. */
  unchecked = 0;
  readonly #isAsWritten: (path: string, sha256: string) => boolean | undefined;

  /** @param isAsWritten by its path and the SHA-256 of its bytes; `undefined`: nothing is known of it. */
  constructor(isAsWritten: (path: string, sha256: string) => boolean | undefined) {
    this.#isAsWritten = isAsWritten;
  }

  /**
   * Passes the bytes of a file on.
   *
   * @param pieces all of the file.
   * @throws {@link JoinError} after the last piece, when they are not what was written.
   */
  async *pass(path: string, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for await (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
    const answer = this.#isAsWritten(path, hash.digest('hex'));
    if (answer === undefined) this.unchecked++;
    if (answer === false) {
      throw new JoinError(
        `${path}: its content is not what was written: it was damaged or edited since (or a run is making it again just now: ` +
          'then join again). Remove it, and run bookgrid convert again',
      );
    }
  }
}
