/** What a record tells of an output that was made. */
import type { Market } from '../book/message.js';
import type { Shape } from './shaping-options.js';

/** What a record tells of the rows that a conversion wrote, into each of its outputs; NaN what it does not tell. */
export interface RowCounts {
  rows: number;
  filledRows: number;
  /** Not in records of version 0.1. */
  suspectRows: number;
}

/** The last successful conversion of an output, as its record tells it. */
export interface OutputRecord {
  archive: {
    /** Without its folder: an archive that was moved is still the same. */
    fileName: string;
    sizeBytes: number;
    /** Not of archives in S3, and not in records of version 0.1. */
    mtimeMs: number | undefined;
    /** Of archives in S3. */
    etag?: string | undefined;
  };
  shape: Shape;
  formatVersion: number;
  /** The archive had lines that were passed over. */
  hasBadLines: boolean;
}

/** What the records say of an output that was made. */
export interface RecordedOutput extends OutputRecord {
  /** Of the output when it was made; not in records of version 0.1. */
  sizeBytes: number | undefined;
  mtimeMs: number | undefined;
  etag?: string | undefined;
  /** Of the output's bytes, in hexadecimal; not in records of version 0.1. */
  sha256: string | undefined;
  counts: RowCounts;
  /** How the archive's messages are written, of an archive in no folder of a market. */
  messageForm: Market | undefined;
}
