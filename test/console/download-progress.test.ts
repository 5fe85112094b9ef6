import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDownload } from '../../src/console/download-progress.js';
import { formatBytes } from '../../src/console/sizes.js';

const STATE = { total: 40, settled: 12, failed: 1, receivedBytes: 1.2e9, totalBytes: 4e9, bytesPerSecond: 12.3e6 };

test('archives, failures, bytes, rate and time left', () => {
  assert.equal(describeDownload(STATE), '12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 12.3 MB/s · 3:48 left');
});

test('what is not known is not there', () => {
  const unknown = { ...STATE, failed: 0, totalBytes: undefined };
  assert.equal(describeDownload(unknown), '12/40 archives · 1.2 GB · 12.3 MB/s');
  assert.equal(
    describeDownload({ ...STATE, bytesPerSecond: 0 }),
    '12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 0.0 MB/s',
  );
});

test('bytes in the largest unit that leaves a number before the point', () => {
  const texts = [0, 1, 999_999, 1_000_000, 182_300_000, 999_900_000, 5_200_000_000].map(formatBytes);
  assert.deepEqual(texts, ['0 kB', '1 kB', '1000 kB', '1.0 MB', '182.3 MB', '999.9 MB', '5.2 GB']);
});
