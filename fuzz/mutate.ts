import type { Random } from '../src/samples/random.js';

/** Bytes and numbers at which programs go wrong. */
const BYTES = [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x30, 0x39];
const WORDS = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

export interface MutateOptions {
  random: Random;
  maxBytes: number;
  dictionary: readonly Buffer[];
  /** Another input, of which a part may be taken. */
  other: Buffer;
}

/** Another input like this one: with one to eight changes, seldom more than three. */
export function mutate(input: Buffer, options: MutateOptions): Buffer {
  const { random, maxBytes } = options;
  let changed = input;
  let changes = 1;
  while (changes < 8 && random.below(2) === 0) changes++;
  for (let change = 0; change < changes; change++) changed = mutateOnce(changed, options).subarray(0, maxBytes);
  return changed;
}

function mutateOnce(input: Buffer, { random, dictionary, other }: MutateOptions): Buffer {
  const at = random.below(input.length + 1);
  const count = 1 + random.below(random.below(4) === 0 ? 64 : 8);
  switch (random.below(input.length === 0 ? 2 : 11)) {
    case 0:
      return splice(input, at, 0, Buffer.from(Array.from({ length: count }, () => random.below(256))));
    case 1: {
      const piece = dictionary[random.below(Math.max(dictionary.length, 1))] ?? Buffer.of(random.below(256));
      return splice(input, at, random.below(2) * piece.length, piece);
    }
    case 2:
      return splice(input, at, count, Buffer.alloc(0));
    case 3: // a part once more, elsewhere
      return splice(input, random.below(input.length + 1), 0, input.subarray(at, at + count));
    case 4: // a part in place of another
      return splice(input, random.below(input.length + 1), count, input.subarray(at, at + count));
    case 5: {
      const from = random.below(other.length + 1);
      return splice(input, at, random.below(2) * count, other.subarray(from, from + count));
    }
    case 6: // the beginning of this one, the end of the other
      return Buffer.concat([input.subarray(0, at), other.subarray(random.below(other.length + 1))]);
    case 7:
      return withByte(input, random, (byte) => byte ^ (1 << random.below(8)));
    case 8:
      return withByte(input, random, (byte) => byte + 1 + random.below(16) - 8);
    case 9:
      return withByte(input, random, () => BYTES[random.below(BYTES.length)] as number);
    default:
      return withWord(input, random);
  }
}

function splice(input: Buffer, at: number, removed: number, added: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, at), added, input.subarray(at + removed)]);
}

function withByte(input: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(input);
  const at = random.below(changed.length);
  changed[at] = change(changed[at] as number);
  return changed;
}

/** Sets two, four or eight bytes to a number, or changes it a little. */
function withWord(input: Buffer, random: Random): Buffer {
  const changed = Buffer.from(input);
  const bytes = [2, 4, 8][random.below(3)] as number;
  if (changed.length < bytes) return changed;
  const at = random.below(changed.length - bytes + 1);
  const lowBytes = Math.min(bytes, 4);
  const old = changed.readUIntLE(at, lowBytes);
  const value = random.below(2) === 0 ? old + random.below(33) - 16 : (WORDS[random.below(WORDS.length)] as number);
  changed.writeUIntLE((value + 2 ** (8 * lowBytes)) % 2 ** (8 * lowBytes), at, lowBytes);
  if (bytes === 8) changed.fill(random.below(2) * 0xff, at + 4, at + 8);
  return changed;
}
