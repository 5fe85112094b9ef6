/** Lists of millions of numbers, which take no more memory than the numbers do, and grow without being copied. */

/** Numbers that are kept, or not, together. */
const BLOCK = 4096;

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** A stretch in which all numbers are `usual` takes nothing. */
export class NumberList {
  readonly #Block: new (
    length: number,
  ) => Numbers;
  readonly #usual: number;
  readonly #blocks: (Numbers | undefined)[] = [];
  #length = 0;

  /** @param usual what most numbers may be. */
  constructor(Block: new (length: number) => Numbers, usual: number) {
    this.#Block = Block;
    this.#usual = usual;
  }

  get length(): number {
    return this.#length;
  }

  /** @param value such as the kind of list holds exactly. */
  push(value: number): void {
    this.set(this.#length, value);
  }

  set(index: number, value: number): void {
    if (index >= this.#length) this.#length = index + 1;
    const place = Math.floor(index / BLOCK);
    let block = this.#blocks[place];
    if (!block) {
      if (Object.is(value, this.#usual)) return;
      block = new this.#Block(BLOCK).fill(this.#usual);
      this.#blocks[place] = block;
    }
    block[index % BLOCK] = value;
  }

  at(index: number): number {
    return this.#blocks[Math.floor(index / BLOCK)]?.[index % BLOCK] ?? this.#usual;
  }

  /** All of them, as doubles. */
  toDoubles(): Float64Array {
    const all = new Float64Array(this.#length).fill(this.#usual);
    this.#blocks.forEach((block, place) => {
      if (block) all.set(block.subarray(0, this.#length - place * BLOCK), place * BLOCK);
    });
    return all;
  }
}

/** Texts of as many hexadecimal digits each, such as hashes, in half as many bytes. */
export class HexList {
  readonly #bytes: number;
  readonly #blocks: (Buffer | undefined)[] = [];

  constructor(digits: number) {
    this.#bytes = digits / 2;
  }

  /** @param hex digits in lower case, as many as the list's texts have. */
  set(index: number, hex: string): void {
    const place = Math.floor(index / BLOCK);
    const block = this.#blocks[place] ?? Buffer.alloc(BLOCK * this.#bytes);
    this.#blocks[place] = block;
    block.write(hex, (index % BLOCK) * this.#bytes, this.#bytes, 'hex');
  }

  /** A text that was set. */
  at(index: number): string {
    const startByte = (index % BLOCK) * this.#bytes;
    return this.#blocks[Math.floor(index / BLOCK)]?.toString('hex', startByte, startByte + this.#bytes) ?? '';
  }
}

/** Puts the indices of a list together by what their items have in common, in the order of the list. */
export function groupIndices<Key>(length: number, keyAt: (index: number) => Key): Map<Key, Uint32Array> {
  const counts = new Map<Key, number>();
  for (let index = 0; index < length; index++) counts.set(keyAt(index), (counts.get(keyAt(index)) ?? 0) + 1);
  const groups = new Map([...counts].map(([key, count]) => [key, new Uint32Array(count)]));
  for (let index = length - 1; index >= 0; index--) {
    const key = keyAt(index);
    const place = (counts.get(key) ?? 0) - 1;
    counts.set(key, place);
    const group = groups.get(key);
    if (group) group[place] = index;
  }
  return groups;
}
