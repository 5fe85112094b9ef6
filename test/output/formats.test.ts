import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FORMAT_NAMES, type FormatOptions, formatVersionOf, type OutputKind } from '../../src/output/formats.js';

describe('the format version', () => {
  const kinds: OutputKind[] = ['book', 'metrics'];
  const optionSets: FormatOptions[] = [{}, { quality: true }, { formattedTimestamp: true }];

  /** How often bytes are no longer those of version 0.1, as the changelog says. */
  const CHANGES: Record<string, number> = {
    'book parquet': 1,
    'book parquet quality': 1,
    'book parquet formattedTimestamp': 1,
    'metrics parquet': 2,
    'metrics parquet quality': 2,
    'metrics parquet formattedTimestamp': 2,
    'book csv quality': 1,
    'book csv.gz quality': 1,
    'metrics csv': 1,
    'metrics csv quality': 1,
    'metrics csv formattedTimestamp': 2,
    'metrics csv.gz': 1,
    'metrics csv.gz quality': 1,
    'metrics csv.gz formattedTimestamp': 2,
  };

  for (const kind of kinds) {
    for (const format of FORMAT_NAMES) {
      for (const options of optionSets) {
        const what = [kind, format, ...Object.keys(options)].join(' ');
        const version = 1 + (CHANGES[what] ?? 0);
        test(`${what} is ${version}`, () => {
          assert.equal(formatVersionOf({ kind, format }, options), version);
        });
      }
    }
  }

  test('an option of a record that is not what it should be was not chosen', () => {
    assert.equal(formatVersionOf({ kind: 'book', format: 'csv' }, { quality: 'yes' }), 1);
  });
});
