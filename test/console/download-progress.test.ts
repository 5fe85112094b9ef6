import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDownload } from '../../src/console/download-progress.js';

const STATE = { total: 40, settled: 12, failed: 1, receivedBytes: 1.2e9, totalBytes: 4e9, bytesPerSecond: 12.3e6 };

test('archives, failures, bytes, rate and time left', () => {
  assert.equal(describeDownload(STATE, 80), '12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 12.3 MB/s · 3:48 left');
});

test('what is not known is not there', () => {
  const unknown = { ...STATE, failed: 0, totalBytes: undefined };
  assert.equal(describeDownload(unknown, 80), '12/40 archives · 1.2 GB · 12.3 MB/s');
  assert.equal(
    describeDownload({ ...STATE, bytesPerSecond: 0 }, 80),
    '12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 0.0 MB/s',
  );
});

test('what does not fit is left out, the least important first', () => {
  const texts = [70, 60, 45, 20, 1].map((width) => describeDownload(STATE, width));
  assert.deepEqual(texts, [
    '12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 12.3 MB/s · 3:48 left',
    '12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 3:48 left',
    '12/40 archives, 1 failed · 1.2 GB of 4.0 GB',
    '12/40 archives, 1 failed',
    '12/40 archives, 1 failed',
  ]);
});
