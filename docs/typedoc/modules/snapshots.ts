/**
 * Rows of an archive: the book at every boundary of a time grid, without any file.
 *
 * @module snapshots
 */
export {
  formatInterval,
  type Levels,
  parseInterval,
  type RowState,
  type SnapshotRow,
  type SnapshotsOptions,
  snapshots,
  type TextLevels,
} from '../../../src/index.js';
