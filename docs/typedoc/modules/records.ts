/**
 * What an output folder knows of its outputs: of which archive each was made, and how.
 *
 * @module records
 */
export {
  type Failure,
  type FoundOutput,
  type Knowledge,
  type OutputName,
  type OutputRecord,
  type RecordedOutput,
  type Records,
  type RowCounts,
  readRecords,
  type Shape,
  type Unseen,
} from '../../../src/index.js';
