/**
 * Decimal numbers as text: digits, perhaps a point and more digits. No sign, no exponent. They are never turned into
 * floats, which could make two prices one or put them in the wrong order.
 */

const DECIMAL = /^[0-9]+(?:\.[0-9]+)?$/;
const ZERO = /^[0.]+$/;
const ZERO_DIGIT = 0x30;
const POINT = 0x2e;

/** A price has at most this many digits before its point, after it, and in all that count. 18 fit 64 bits. */
export const MAX_PRICE_DIGITS = 18;

export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** Whether a decimal is numerically zero: `0`, `0.000`. */
export function isZero(decimal: string): boolean {
  const first = decimal.charCodeAt(0);
  return (first === ZERO_DIGIT || first === POINT) && ZERO.test(decimal);
}

/** The one spelling of a number: `0.650` and `00.65` become `0.65`, `7.0` becomes `7`. */
export function canonical(decimal: string): string {
  // Nearly all are it already, and this is asked of every price of a snapshot.
  const last = decimal.charCodeAt(decimal.length - 1);
  const hasLeadingZero = decimal.charCodeAt(0) === ZERO_DIGIT && decimal.charCodeAt(1) !== POINT;
  if (last !== ZERO_DIGIT && last !== POINT && !hasLeadingZero) return decimal;
  let start = 0;
  let end = decimal.length;
  if (decimal.includes('.')) {
    while (decimal.endsWith('0', end)) end--;
    if (decimal.endsWith('.', end)) end--;
  }
  while (start < end - 1 && decimal[start] === '0' && decimal[start + 1] !== '.') start++;
  return decimal.slice(start, end);
}

/** Whether a canonical price is within {@link MAX_PRICE_DIGITS}. */
export function isSupportedPrice(price: string): boolean {
  if (price.length <= MAX_PRICE_DIGITS) return true;
  const [integer = '', fraction = ''] = price.split('.');
  const significant = (integer + fraction).replace(/^0+/, '');
  return [integer, fraction, significant].every((digits) => digits.length <= MAX_PRICE_DIGITS);
}

/** Orders canonical decimals by value: negative when `a` is the smaller. */
export function compareDecimals(a: string, b: string): number {
  const [aInteger = '', aFraction = ''] = a.split('.');
  const [bInteger = '', bFraction = ''] = b.split('.');
  // Without leading zeros the longer integer part is the greater; fractions compare like words.
  return aInteger.length - bInteger.length || compareText(aInteger, bInteger) || compareText(aFraction, bFraction);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
