/** What stands after an option, read and checked. The errors say what would be right; commander adds option and value. */

// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { DAY_MS, isDate, parseDuration } from '../base/time.js';
import { isPair, MAX_DEPTH } from '../catalog/archive-name.js';
import { isUtf8Path, NOT_UTF8 } from '../storage/paths.js';

/** Turns an error of a parser into commander's, which names the option and what was given. */
export function rethrow<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new commander.InvalidArgumentError((error as Error).message);
    }
  };
}

/** Reads a list separated by commas: sorted, each item once. */
export function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => [...new Set(text.split(',').map((item) => parse(item.trim())))].sort(inOrder);
}

function inOrder<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function parseFolder(text: string): string {
  if (text === '') throw new commander.InvalidArgumentError('Expected a folder. Is a shell variable empty?');
  if (!isUtf8Path(text)) throw new commander.InvalidArgumentError(`Expected another folder: ${NOT_UTF8}.`);
  return text;
}

/** Answers in upper case, as Bybit writes all symbols. */
export function parseSymbol(text: string): string {
  if (!isPair(text)) throw new commander.InvalidArgumentError('Expected symbols such as BTCUSDT,ETHUSDT.');
  return text.toUpperCase();
}

export function parseDate(text: string): string {
  if (!isDate(text)) throw new commander.InvalidArgumentError('Expected a day of the calendar as YYYY-MM-DD.');
  return text;
}

export function parseDepth(text: string): number {
  return parseWhole(text, MAX_DEPTH, 'depths');
}

export function oneOf<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new commander.InvalidArgumentError(`Expected some of ${choices.join(', ')}.`);
    return found;
  };
}

/** Answers ms; 0 stands for no limit. */
export function parseTimeLimit(text: string): number {
  const limitMs = text === '0' ? 0 : parseDuration(text);
  if (limitMs === undefined || limitMs > DAY_MS || (limitMs === 0 && text !== '0')) {
    throw new commander.InvalidArgumentError(
      'Expected a time such as 30s, 10m or 1h, at most a day, or 0 for no limit.',
    );
  }
  return limitMs;
}

/** @param what the number is of, for messages. */
export function parseWhole(text: string, max: number, what: string): number {
  const value = Number(text);
  if (!/^\d{1,12}$/.test(text) || value < 1 || value > max) {
    throw new commander.InvalidArgumentError(`Expected ${what} from 1 to ${max}.`);
  }
  return value;
}
