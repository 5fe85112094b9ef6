/**
 * The days of a symbol to one file.
 *
 * @module joining
 */
export {
  type DayFile,
  JoinError,
  type JoinOptions,
  type JoinResult,
  joinDays,
  type Missing,
  type MissingRange,
} from '../../../src/index.js';
