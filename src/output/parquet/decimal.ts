import { DECIMAL_PRECISION, DECIMAL_SCALE, DoesNotFitDecimalError, INTEGER_DIGITS } from './decimal-error.js';
import { textEnd } from './dictionary.js';

/** Room for 38 digits. */
export const DECIMAL_BYTES = 16;

/**
 * Encodes decimals as Parquet keeps them: each the number times 10^18, 16 bytes, two's complement, highest byte first.
 *
 * @param texts each as its length, four bytes, and then its bytes: digits, perhaps a point and more digits; no sign.
 * @param count of the texts.
 * @throws {@link DoesNotFitDecimalError} unless all fit to the last digit.
 */
export function decimalsOf(texts: Uint8Array, count: number): Uint8Array {
  const decimals = Buffer.allocUnsafe(count * DECIMAL_BYTES);
  const all = Buffer.from(texts.buffer, texts.byteOffset, texts.length);
  let start = 0;
  for (let at = 0; at < decimals.length; at += DECIMAL_BYTES) {
    const end = textEnd(texts, start);
    const unscaled = unscaledOf(all.toString('latin1', start + 4, end));
    decimals.writeBigUInt64BE(unscaled >> 64n, at);
    decimals.writeBigUInt64BE(unscaled & 0xffff_ffff_ffff_ffffn, at + 8);
    start = end;
  }
  return decimals;
}

function unscaledOf(text: string): bigint {
  const [integer = '', fraction = ''] = withoutNeedlessZeros(text).split('.');
  if (integer.length > INTEGER_DIGITS || fraction.length > DECIMAL_SCALE) throw new DoesNotFitDecimalError(text);
  return BigInt(integer + fraction.padEnd(DECIMAL_SCALE, '0'));
}

/**
 * Leaves out the zeros around a decimal that say nothing: a forged archive may have millions of them.
 *
 * @throws {@link DoesNotFitDecimalError} when it is too long all the same.
 */
export function withoutNeedlessZeros(text: string): string {
  const point = text.indexOf('.');
  let start = 0;
  let end = text.length;
  const integerEnd = point < 0 ? end : point;
  while (start < integerEnd && text[start] === '0') start++;
  if (point >= 0) while (end > point + 1 && text[end - 1] === '0') end--;
  if (end - start > DECIMAL_PRECISION + 1) throw new DoesNotFitDecimalError(text);
  return text.slice(start, end);
}
