import { DECIMAL_PRECISION, DECIMAL_SCALE, DoesNotFitDecimalError, INTEGER_DIGITS } from './decimal-error.js';
import { textEnd } from './dictionary.js';

/** Room for 38 digits. */
export const DECIMAL_BYTES = 16;

/**
 * Encodes decimals as Parquet keeps them: each the number times 10^18, 16 bytes, two's complement, highest byte first.
 *
 * @param texts each as its length, four bytes, and then its bytes: digits, perhaps a point and more digits; no sign.
 * @throws {@link DoesNotFitDecimalError} unless all fit to the last digit.
 */
export function decimalsOf(texts: Uint8Array): Uint8Array {
  const decimals: Buffer[] = [];
  for (let start = 0; start < texts.length; ) {
    const end = textEnd(texts, start);
    const unscaled = unscaledOf(Buffer.from(texts.subarray(start + 4, end)).toString('latin1'));
    const bytes = Buffer.alloc(DECIMAL_BYTES);
    bytes.writeBigUInt64BE(unscaled >> 64n, 0);
    bytes.writeBigUInt64BE(unscaled & 0xffff_ffff_ffff_ffffn, 8);
    decimals.push(bytes);
    start = end;
  }
  return Buffer.concat(decimals);
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
