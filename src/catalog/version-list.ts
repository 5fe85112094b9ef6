import { HexList, NumberList } from '../base/number-list.js';
import type { FileVersion } from '../storage/storage.js';

/** What tells whether a file is the same, as far as it is known. */
export type PartialVersion = { [Name in keyof FileVersion]: FileVersion[Name] | undefined };

/** An MD5, and of an object that was uploaded in parts how many these were. */
const USUAL_ETAG = /^([0-9a-f]{32})(?:-([1-9]\d{0,4}))?$/;
const NO_ETAG = 0;
const OTHER_ETAG = 1;
const WITHOUT_PARTS = 2;

/** Versions of millions of files: 26 bytes of an object in S3, 16 of a file of a disk. */
export class VersionList {
  readonly #sizes = new NumberList(Float64Array, Number.NaN);
  readonly #times = new NumberList(Float64Array, Number.NaN);
  readonly #etags = new HexList(32);
  /** Which kind an ETag is of: {@link WITHOUT_PARTS} and more, as many parts more. */
  readonly #etagKinds = new NumberList(Uint32Array, NO_ETAG);
  readonly #otherEtags = new Map<number, string>();

  push({ sizeBytes = Number.NaN, mtimeMs = Number.NaN, etag }: PartialVersion): void {
    const index = this.#sizes.length;
    this.#sizes.push(sizeBytes);
    this.#times.push(mtimeMs);
    const [, hex, parts = '0'] = USUAL_ETAG.exec(etag ?? '') ?? [];
    if (hex !== undefined) this.#etags.set(index, hex);
    else if (etag !== undefined) this.#otherEtags.set(index, etag);
    this.#etagKinds.push(hex !== undefined ? WITHOUT_PARTS + Number(parts) : etag === undefined ? NO_ETAG : OTHER_ETAG);
  }

  sizeAt(index: number): number {
    return this.#sizes.at(index);
  }

  /** What was put in there; a time or an ETag that was not known is not there. */
  at(index: number): PartialVersion {
    const [sizeBytes, mtimeMs, etag] = [this.#sizes.at(index), this.#times.at(index), this.#etagAt(index)];
    return {
      sizeBytes: Number.isNaN(sizeBytes) ? undefined : sizeBytes,
      ...(!Number.isNaN(mtimeMs) && { mtimeMs }),
      ...(etag !== undefined && { etag }),
    };
  }

  #etagAt(index: number): string | undefined {
    const kind = this.#etagKinds.at(index);
    if (kind === NO_ETAG) return undefined;
    if (kind === OTHER_ETAG) return this.#otherEtags.get(index);
    return kind === WITHOUT_PARTS ? this.#etags.at(index) : `${this.#etags.at(index)}-${kind - WITHOUT_PARTS}`;
  }
}
