import type { Kernel } from '../wasm/book-kernel.js';
import type { Message } from './message.js';

const CONTRACT = /^(\{"topic":"([^"\\]*)","type":"delta","ts":)\d+(,"data":\{"s":"([^"\\]*)","b":\[)/;
const SPOT = /^(\{"topic":"([^"\\]*)","ts":)\d+(,"type":"delta","data":\{"s":"([^"\\]*)","b":\[)/;

/** Longer than any line's beginning that fits a template. */
const HEAD_BYTES = 1024;

/**
 * What stands before and after `ts` in a delta that is written in one of Bybit's two forms: contract files have type
 * before ts, spot files ts before type.
 *
 * Topic and symbol are parts of the template, so that lines of another one are left to the host, which compares them
 * with what is expected.
 *
 * @param message what `JSON.parse` has read in this line. A line may have a key twice, of which it takes the last: then
 * the line is of neither form.
 * @returns `undefined` when the line is of neither form, or a part is too long or too short for the kernel.
 */
export function templateOf(
  line: Uint8Array,
  message: Message,
  kernel: Kernel,
): [part1: string, part2: string] | undefined {
  const text = Buffer.from(line.subarray(0, HEAD_BYTES)).toString('latin1');
  const [, part1 = '', topic, part2 = '', symbol] = CONTRACT.exec(text) ?? SPOT.exec(text) ?? [];
  const fits = ({ length }: string) => length >= kernel.MIN_PART_BYTES && length <= kernel.MAX_PART_BYTES;
  const isOfMessage = topic === message.topic && symbol === message.symbol;
  return isOfMessage && fits(part1) && fits(part2) ? [part1, part2] : undefined;
}
