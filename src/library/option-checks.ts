/** What values options of the library alone may have. */
import { isRight } from '../convert/option-checks.js';

export const onBadLineMode = isRight(
  (value) => value === 'fail' || value === 'skip' || typeof value === 'function',
  'fail, skip or a function',
);

export const aSignal = isRight((value) => value instanceof AbortSignal, 'an AbortSignal');
