import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib';
import fc from 'fast-check';
import { kernelInflate } from '../../src/archive/kernel-inflate.js';
import { holds } from '../support/holds.js';
import { byKernel, byZlib } from '../support/inflate-driver.js';

/** Small and quick, for what fast-check need not shrink: sizes of pieces, made text. */
function random(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Text as archives have it: messages of price levels that are near each other. */
function bookText(seed: number, bytes: number): Buffer {
  const next = random(seed);
  let text = '';
  for (let sequence = 1; text.length < bytes; sequence++) {
    const levels = Array.from({ length: next(12) }, () => `["${(30000 + next(500)) / 1e4}","${next(90000)}"]`);
    text += `{"topic":"orderbook.500.XRPUSDT","type":"delta","data":{"b":[${levels}],"seq":${sequence}}}\n`;
  }
  return Buffer.from(text).subarray(0, bytes);
}

const size = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 50_000 }));
const seed = fc.integer({ min: 1, max: 0x7ffffffe });
const oneKind: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(size, seed).map(([bytes, from]) => {
    const next = random(from);
    return Buffer.from(Array.from({ length: bytes }, () => next(256)));
  }),
  fc.tuple(size, seed).map(([bytes, from]) => bookText(from, bytes)),
  fc.tuple(size, seed, fc.integer({ min: 1, max: 255 })).map(([bytes, from, kinds]) => {
    // Skewed bytes: short and long codes.
    const next = random(from);
    return Buffer.from(Array.from({ length: bytes }, () => next(1 + next(1 + next(kinds)))));
  }),
  size.map((bytes) => Buffer.alloc(bytes)),
  fc
    .tuple(
      fc.array(fc.tuple(seed, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 700 })), { maxLength: 60 }),
    )
    .map(([repeats]) =>
      Buffer.concat(
        repeats.map(([from, distance, bytes]) => {
          const next = random(from);
          return Buffer.alloc(bytes, Buffer.from(Array.from({ length: distance }, () => next(256))));
        }),
      ),
    ),
);

/** Kinds in turn make streams with blocks of all types, one after the other. */
const data = fc.oneof(
  { weight: 2, arbitrary: oneKind },
  { weight: 1, arbitrary: fc.array(oneKind, { minLength: 2, maxLength: 4 }).map((parts) => Buffer.concat(parts)) },
);

const options: fc.Arbitrary<ZlibOptions> = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
  windowBits: fc.integer({ min: 9, max: 15 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
});

/** Parts flushed in every way and joined are one stream, with empty and unaligned blocks in between. */
const stream: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(fc.tuple(data, options, fc.constantFrom(constants.Z_SYNC_FLUSH, constants.Z_FULL_FLUSH)), {
      maxLength: 2,
    }),
    data,
    options,
  )
  .map(([parts, last, lastOptions]) =>
    Buffer.concat([
      ...parts.map(([part, partOptions, finishFlush]) => deflateRawSync(part, { ...partOptions, finishFlush })),
      deflateRawSync(last, lastOptions),
    ]),
  );

/** Sizes of pieces or rooms: always the same, or any up to a limit. */
const sizes = (smallest: number): fc.Arbitrary<() => number> =>
  fc.oneof(
    fc.constant(() => 1 << 20),
    fc.integer({ min: Math.max(1, smallest), max: 40 }).map((bytes) => () => bytes),
    fc.tuple(seed, fc.constantFrom(3, 30, 300, 3000, 70_000)).map(([from, below]) => {
      const next = random(from);
      return () => smallest + next(below);
    }),
  );

/** Changes that leave much of a stream as it is. */
type Change = (stream: Buffer) => Buffer;
const change: fc.Arbitrary<Change> = fc
  .tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 0, max: 4 }), seed)
  .map(([place, kind, from]) => (stream: Buffer): Buffer => {
    const next = random(from);
    // Half of the changes are near the beginning, where a header is.
    const at = Math.floor(place * (next(2) === 0 ? Math.min(stream.length, 80) : stream.length));
    const before = stream.subarray(0, at);
    const after = stream.subarray(at);
    switch (kind) {
      case 0: {
        const flipped = Buffer.from(stream);
        if (at < stream.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << next(8));
        return flipped;
      }
      case 1:
        return Buffer.from(before);
      case 2:
        return Buffer.concat([before, after.subarray(0, next(20)), after]);
      case 3:
        return Buffer.concat([before, after.subarray(next(20))]);
      default:
        return Buffer.concat([before, Buffer.from(Array.from({ length: next(8) }, () => next(256))), after]);
    }
  });

function agree(stream: Buffer, pieceBytes: () => number, roomBytes: () => number): void {
  assert.deepEqual(byKernel(stream, pieceBytes, roomBytes), byZlib(stream));
}
const whole = (): number => 1 << 20;

/** Writes a stream bit by bit, first bit lowest; codes are given as text, first bit first. */
class Bits {
  #bytes: number[] = [];
  #count = 0;
  value(value: number, bits: number): this {
    for (let bit = 0; bit < bits; bit++) {
      if (this.#count % 8 === 0) this.#bytes.push(0);
      this.#bytes.push((this.#bytes.pop() ?? 0) | (((value >> bit) & 1) << (this.#count % 8)));
      this.#count++;
    }
    return this;
  }
  code(code: string): this {
    for (const bit of code) this.value(Number(bit), 1);
    return this;
  }
  align(): this {
    return this.value(0, -this.#count & 7);
  }
  done(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** The order in which a header gives the lengths of the code length code. */
const SENT = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A last block whose code length code gives each length 0 to 15 by 4 bits, so that a header can say anything. */
function dynamicHeader(literalLengths: number[], distanceLengths: number[]): Bits {
  const bits = new Bits().value(0b101, 3);
  bits
    .value(literalLengths.length - 257, 5)
    .value(distanceLengths.length - 1, 5)
    .value(15, 4);
  for (const symbol of SENT) bits.value(symbol < 16 ? 4 : 0, 3);
  for (const length of [...literalLengths, ...distanceLengths]) bits.code(length.toString(2).padStart(4, '0'));
  return bits;
}

/** Bases and numbers of extra bits of the symbols from 257 and of the distances (RFC 1951, 3.2.5). */
const LENGTHS = Array.from({ length: 28 }, (_, at) => ({ extraBits: at < 8 ? 0 : (at - 4) >> 2, base: 0 }));
const DISTANCES = Array.from({ length: 30 }, (_, at) => ({ extraBits: at < 4 ? 0 : (at - 2) >> 1, base: 0 }));
for (const [codes, first] of [
  [LENGTHS, 3],
  [DISTANCES, 1],
] as const) {
  // prettier-ignore
  let base: number = first;
  for (const code of codes) {
    code.base = base;
    base += 1 << code.extraBits;
  }
}

/** A literal, the end (256) or a length's symbol in the fixed code. */
function fixedCode(symbol: number): string {
  const [first, value, bits] =
    symbol < 144 ? [0, 0x30, 8] : symbol < 256 ? [144, 0x190, 9] : symbol < 280 ? [256, 0, 7] : [280, 0xc0, 8];
  return (value + symbol - first).toString(2).padStart(bits, '0');
}

function fixedMatch(bits: Bits, length: number, distance: number): void {
  const at = LENGTHS.findLastIndex(({ base }) => base <= length);
  const far = DISTANCES.findLastIndex(({ base }) => base <= distance);
  const [l, d] = [LENGTHS[at], DISTANCES[far]];
  assert.ok(l && d);
  bits.code(fixedCode(257 + at)).value(length - l.base, l.extraBits);
  bits.code(far.toString(2).padStart(5, '0')).value(distance - d.base, d.extraBits);
}

/** All the ways to take one of the values for each of the places. */
function* choices<T>(values: T[], places: number): Generator<T[]> {
  if (places === 0) yield [];
  else for (const rest of choices(values, places - 1)) for (const value of values) yield [value, ...rest];
}

describe('inflate in the kernel agrees with zlib', () => {
  it('on whole streams of every level, strategy, window and data, in any pieces and rooms', () => {
    holds(fc.property(stream, sizes(1), sizes(0), agree));
  });

  it('on streams with bytes after their end: how many bytes are the stream', () => {
    holds(
      fc.property(stream, fc.uint8Array({ minLength: 1, maxLength: 40 }), sizes(1), sizes(0), (stream, rest, p, r) => {
        agree(Buffer.concat([stream, rest]), p, r);
      }),
    );
  });

  it('on changed streams: the output, or the error', () => {
    holds(
      fc.property(
        stream,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        sizes(1),
        sizes(0),
        (stream, changes, p, r) => {
          const changed = changes.reduce((bytes, change) => change(bytes), stream);
          agree(changed, p, r);
          agree(changed, whole, whole);
        },
      ),
    );
  });

  it('on random bytes, with a block type that goes on', () => {
    holds(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.integer({ min: 0, max: 5 }),
        sizes(1),
        (bytes, type, p) => {
          const stream = Buffer.from(bytes);
          stream[0] = ((stream[0] ?? 0) & 0xf8) | type;
          agree(stream, p, whole);
        },
      ),
    );
  });

  it('on every cut of a stream, and on every piece size and room', () => {
    const text = bookText(7, 6000);
    for (const level of [0, 6]) {
      const stream = deflateRawSync(text, { level });
      for (let end = 0; end < stream.length; end += level === 0 ? 41 : 3) agree(stream.subarray(0, end), whole, whole);
      for (let bytes = 1; bytes < 600; bytes += 7) {
        agree(stream, () => bytes, whole);
        agree(stream, whole, () => bytes);
        agree(
          stream,
          () => bytes,
          () => bytes,
        );
      }
    }
  });

  it('on all streams of two bytes', () => {
    for (let value = 0; value < 0x10000; value++) agree(Buffer.from([value & 0xff, value >> 8]), whole, whole);
  });

  it('on code length codes: all of the first four, with lengths that follow', () => {
    const next = random(3);
    for (const lengths of choices([0, 1, 2, 3, 4, 5, 6, 7], 4)) {
      const bits = new Bits().value(0b101, 3).value(0, 10).value(0, 4);
      for (const length of lengths) bits.value(length, 3);
      for (let byte = 0; byte < 100; byte++) bits.value(next(256), 8);
      agree(bits.done(), whole, whole);
    }
  });

  it('on literal and distance codes: complete, incomplete, over-subscribed, lone, none', () => {
    const next = random(5);
    const tails = [0, 0xffff_ffff, 0x5555_5555, 0xaaaa_aaaa, next(1 << 30), next(1 << 30)];
    const check = (literals: [symbol: number, bits: number][], distances: number[]): void => {
      const lengths = Array.from({ length: 286 }, () => 0);
      for (const [symbol, bits] of literals) lengths[symbol] = bits;
      for (const tail of tails) {
        const bits = dynamicHeader(lengths, distances)
          .value(tail, 32)
          .value(tail ^ 0x0f0f_0f0f, 32);
        agree(bits.done(), whole, whole);
      }
    };
    for (const [a, end, short, long] of choices([0, 1, 2, 3], 4)) {
      check(
        [
          [97, a ?? 0],
          [256, end ?? 0],
          [257, short ?? 0],
          [284, long ?? 0],
        ],
        [1],
      ); // prettier-ignore
    }
    for (const distances of choices([0, 1, 2, 3], 4))
      check(
        [
          [97, 2],
          [256, 2],
          [257, 2],
          [285, 2],
        ],
        distances,
      );
    for (const lone of [1, 2, 14, 15]) {
      check([[256, lone]], [lone]);
      check(
        [
          [97, 1],
          [256, lone],
        ],
        [0, lone],
      );
    }
  });

  it('on matches of every length at every small distance', () => {
    const next = random(13);
    for (let distance = 1; distance <= 70; distance++) {
      const bits = new Bits().value(0b011, 3);
      for (let literal = 0; literal < distance; literal++) bits.code(fixedCode(next(256)));
      for (let length = 3; length < 258; length++) {
        fixedMatch(bits, length, distance);
        bits.code(fixedCode(next(256)));
      }
      bits.code(fixedCode(256));
      agree(bits.done(), whole, whole);
      agree(bits.done(), whole, () => 700);
    }
  });

  it('on matches as far back as there may be, and further than there is, wherever a room ends', () => {
    const next = random(19);
    for (const literals of [32_767, 32_768, 32_769, 40_000]) {
      for (const distance of [32_767, 32_768]) {
        const bits = new Bits().value(0b011, 3);
        for (let literal = 0; literal < literals; literal++) bits.code(fixedCode(next(256)));
        for (let length = 3; length < 258; length += 7) fixedMatch(bits, length, distance);
        const stream = bits.code(fixedCode(256)).done();
        // With rooms of as many bytes as there are literals, the second begins with a match.
        for (const room of [3, 300, 32_768, literals, 1 << 20]) agree(stream, whole, () => room);
      }
    }
  });

  it('on stored blocks right after others', () => {
    const next = random(17);
    const noise = Buffer.from(Array.from({ length: 300 }, () => next(256)));
    for (let literals = 0; literals < 60; literals++) {
      for (const length of [1, 5, 9, 300]) {
        const bits = new Bits();
        for (let block = 0; block < 3; block++) {
          bits.value(0b010, 3);
          for (let literal = 0; literal < literals; literal++) bits.code(fixedCode(next(256)));
          bits
            .code(fixedCode(256))
            .value(0b000, 3)
            .align()
            .value(length, 16)
            .value(length ^ 0xffff, 16);
          for (const byte of noise.subarray(0, length)) bits.value(byte, 8);
        }
        bits.value(0b011, 3).code(fixedCode(256));
        agree(bits.done(), whole, whole);
      }
    }
  });

  it('on codes as long as they may be', () => {
    // Literals of 1, 2, … 14 bits, the end and a length of 15; distances likewise.
    const lengths = Array.from({ length: 258 }, () => 0);
    for (let bits = 1; bits <= 14; bits++) lengths[100 + bits] = bits;
    lengths[256] = 15;
    lengths[257] = 15;
    const distances = Array.from({ length: 16 }, (_, symbol) => Math.min(symbol + 1, 15));
    const next = random(11);
    for (let run = 0; run < 500; run++) {
      const bits = dynamicHeader(lengths, distances);
      for (let symbol = 0; symbol < 400; symbol++) {
        const ones = next(15);
        if (symbol < 100 || ones < 14) bits.code(`${'1'.repeat(Math.min(ones, 13))}0`);
        else
          bits
            .code('1'.repeat(15))
            .code('1'.repeat(next(15)))
            .value(next(64), 6);
      }
      bits.code('1'.repeat(14)).code('0');
      const stream = bits.done();
      agree(stream, whole, whole);
      agree(
        stream,
        () => 1 + next(9),
        () => next(50),
      );
    }
  });

  it('on header counts that are too high, repeats that do not fit, and stored lengths that differ', () => {
    for (const [literals, distances] of choices([0, 29, 30, 31], 2)) {
      const bits = new Bits()
        .value(0b101, 3)
        .value(literals ?? 0, 5)
        .value(distances ?? 0, 5)
        .value(15, 4);
      for (let byte = 0; byte < 60; byte++) bits.value(byte * 37, 8);
      agree(bits.done(), whole, whole);
    }
    for (let codes = 0; codes < 300; codes++) {
      // Repeats (16, 17 or 18) up to and across the end of 258 lengths.
      for (const repeat of [16, 17, 18]) {
        const bits = new Bits().value(0b101, 3).value(0, 5).value(0, 5).value(15, 4);
        for (const symbol of SENT) bits.value(symbol === 1 || symbol === repeat ? 1 : 0, 3);
        for (let code = 0; code < codes; code++) bits.code('0');
        bits
          .code('1')
          .value(codes % 4, repeat === 16 ? 2 : repeat === 17 ? 3 : 7)
          .value(0, 16);
        agree(bits.done(), whole, whole);
      }
    }
    agree(Buffer.from([1, 2, 0, 0xfd, 0xff, 7, 8]), whole, whole);
    agree(Buffer.from([1, 2, 0, 0xfd, 0xfe, 7, 8]), whole, whole);
  });

  it("on distances to the window's first byte and one before it", () => {
    const start = Buffer.from(Array.from({ length: 32768 }, (_, at) => (at * 7) & 0xff));
    for (const before of [0, 1, 300, 32767, 32768]) {
      const stored = deflateRawSync(start.subarray(0, before), { level: 0, finishFlush: constants.Z_SYNC_FLUSH });
      for (const distance of [before - 1, before, before + 1]) {
        if (distance < 24577 && distance > 4) continue;
        const [code, extra, extraBits] =
          distance > 4
            ? ['11101', distance - 24577, 13]
            : [
                Math.max(distance - 1, 0)
                  .toString(2)
                  .padStart(5, '0'),
                0,
                0,
              ];
        const match = new Bits().value(0b011, 3).code('0000001').code(code).value(extra, extraBits).code('0000000');
        agree(Buffer.concat([stored, match.done()]), whole, whole);
      }
    }
  });
});

describe('the host of the kernel', () => {
  async function inflateAll(stream: Buffer, partBytes: number, areas?: { inputBytes: number; outputBytes: number }) {
    async function* pieces() {
      for (let start = 0; start < stream.length; start += partBytes) yield stream.subarray(start, start + partBytes);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of kernelInflate(pieces(), areas)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  it('inflates pieces of any size in areas of any size', async () => {
    const text = bookText(7, 300_000);
    const stream = deflateRawSync(text);
    for (const bytes of [1, 17, 4096, 65_536, 1 << 20]) {
      const areas = { inputBytes: Math.min(bytes, 65_536), outputBytes: Math.max(bytes, 300) };
      assert.ok((await inflateAll(stream, bytes, areas)).equals(text), `${bytes} bytes`);
    }
  });

  it('refuses a stream cut short, and bytes after its end, wherever the pieces end', async () => {
    const stream = deflateRawSync(bookText(8, 5000));
    for (const partBytes of [1, stream.length, 1 << 20]) {
      await assert.rejects(inflateAll(stream.subarray(0, -1), partBytes), /unexpected end of file/);
      await assert.rejects(inflateAll(Buffer.concat([stream, Buffer.alloc(1)]), partBytes), /bytes follow the end/);
    }
  });
});
