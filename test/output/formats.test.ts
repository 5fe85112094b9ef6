import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FORMAT_NAMES, type FormatOptions, formatVersionOf, type OutputKind } from '../../src/output/formats.js';

describe('the format version', () => {
  const kinds: OutputKind[] = ['book', 'metrics'];
  const optionSets: FormatOptions[] = [{}, { quality: true }, { formattedTimestamp: true }];

  /** Whose bytes are no longer those of version 0.1, as the changelog says. */
  const CHANGED = new Set([
    'book parquet',
    'book parquet quality',
    'book parquet formattedTimestamp',
    'metrics parquet',
    'metrics parquet quality',
    'metrics parquet formattedTimestamp',
    'book csv quality',
    'book csv.gz quality',
    'metrics csv formattedTimestamp',
    'metrics csv.gz formattedTimestamp',
  ]);

  for (const kind of kinds) {
    for (const format of FORMAT_NAMES) {
      for (const options of optionSets) {
        const what = [kind, format, ...Object.keys(options)].join(' ');
        test(`${what} is ${CHANGED.has(what) ? 2 : 1}`, () => {
          assert.equal(formatVersionOf({ kind, format }, options), CHANGED.has(what) ? 2 : 1);
        });
      }
    }
  }

  test('an option of a record that is not what it should be was not chosen', () => {
    assert.equal(formatVersionOf({ kind: 'book', format: 'csv' }, { quality: 'yes' }), 1);
  });
});
