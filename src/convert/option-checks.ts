/** What values options may have. */
import { DAY_MS, isDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { isDepth, isPair, MAX_DEPTH } from '../catalog/archive-name.js';

/** Answers what would be right, unless the value is. */
export type Check = (value: unknown) => string | undefined;

/**
 * Checks options; `undefined` means the default everywhere.
 *
 * @param checks of all options that there are.
 * @param nameOf how an option is called where it was given.
 * @throws {@link UsageError} that names the option, what was given, and what would be right.
 */
export function checkOptions(
  given: object,
  checks: Readonly<Record<string, Check>>,
  nameOf: (option: string) => string = (option) => option,
): void {
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw new UsageError(`There is no option ${name}. Options are ${Object.keys(checks).join(', ')}.`);
    const right = value === undefined ? undefined : check(value);
    if (right !== undefined) throw new UsageError(`${nameOf(name)} is ${show(value)}. It must be ${right}.`);
  }
}

export function oneOf(...choices: string[]): Check {
  return (value) => (choices.includes(value as string) ? undefined : choices.join(' or '));
}

/** Lists are never empty: nothing to choose from is most likely a mistake. */
export function listOf(item: Check): Check {
  return (value) => {
    const right = Array.isArray(value) && value.length > 0 ? value.map(item).find(Boolean) : item(undefined);
    return right && `a list of at least one item, each ${right}`;
  };
}

export const aBoolean = isRight((value) => typeof value === 'boolean', 'true or false');

export const aFolder = isRight((value) => typeof value === 'string' && value !== '', 'the path of a folder');

export const settingsOfS3 = isRight((value) => {
  if (typeof value !== 'object' || value === null) return false;
  const { endpoint, region, pathStyle, ...others } = value as Record<string, unknown>;
  const areTexts = [endpoint, region].every((item) => item === undefined || typeof item === 'string');
  return areTexts && ['undefined', 'boolean'].includes(typeof pathStyle) && Object.keys(others).length === 0;
}, 'an object with endpoint, region and pathStyle, each if needed');

export const aDay = isRight((value) => isDate(String(value)), 'a day of the calendar as YYYY-MM-DD');

export const aDepth = isRight((value) => isDepth(value as number), `a whole number of levels from 1 to ${MAX_DEPTH}`);

export const aSymbol = isRight((value) => typeof value === 'string' && isPair(value), 'a symbol such as BTCUSDT');

export const anInterval = isRight(
  (value) => isWhole(value, DAY_MS) && DAY_MS % value === 0,
  'whole ms that divide a day evenly, such as 60000',
);

/** Beyond it, a band of bids would reach below zero. */
export const MAX_BAND_BPS = 10_000;

export const aBand = isRight(
  (value) => isWhole(value, MAX_BAND_BPS),
  `a whole number of bps from 1 to ${MAX_BAND_BPS}`,
);

const MAX_AMOUNT = 999_999_999_999;

export const anAmount = isRight((value) => isWhole(value, MAX_AMOUNT), `a whole amount from 1 to ${MAX_AMOUNT}`);

export function isRight(test: (value: unknown) => boolean, right: string): Check {
  return (value) => (test(value) ? undefined : right);
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max;
}

function show(value: unknown): string {
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
}
