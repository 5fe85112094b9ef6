import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDownload } from '../../src/console/download-progress.js';

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
