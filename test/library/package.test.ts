/** What the package says of itself; .ci/run installs it and compiles a project with it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import * as bookgrid from 'bookgrid';
import { VERSION } from '../../src/base/version.js';

test('the version is that of package.json', () => {
  const text = fs.readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  assert.equal((JSON.parse(text) as { version: string }).version, VERSION);
});

test('what is exported, so that a change of it is seen', () => {
  assert.deepEqual(Object.keys(bookgrid).sort(), [
    'ArchiveError',
    'ConflictError',
    'ConversionError',
    'JoinError',
    'OPTION_DEFAULTS',
    'OrderBook',
    'UsageError',
    'convertArchive',
    'findArchives',
    'formatInterval',
    'identifyArchives',
    'joinDays',
    'lookUpOutputs',
    'mainThreadExecutor',
    'parseInterval',
    'plan',
    'readArchive',
    'readMessages',
    'readRecords',
    'run',
    'runJob',
    'snapshots',
    'takeInventory',
    'useS3',
    'workerThreadsExecutor',
  ]);
});
