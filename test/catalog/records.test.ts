import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { placeOf } from '../../src/catalog/output-name.js';
import type { RecordedOutput } from '../../src/catalog/recorded-output.js';
import { RECORDS_FILE, type Records, readRecords } from '../../src/catalog/records.js';
import { appendLine } from '../../src/storage/log-file.js';
import { tempDir } from '../support/files.js';

const PLACE = '0200/XRPUSDT/2025-01-15_XRPUSDT_ob200_1m.csv';
const SHAPE = { interval: '1m', onGap: 'fill', onBadLine: 'fail', compat: 'none', quality: false };

/** The file that is there, where it does not matter. */
const FILE = { sizeBytes: 1, mtimeMs: 1 };

/** The record that is that of the file at a path; `undefined`: none. */
function recordOf(records: Records, place: string, file = FILE): RecordedOutput | undefined {
  const knowledge = records.of({ path: place, ...file });
  return knowledge.kind === 'recorded' ? knowledge.record : undefined;
}

/** A line as the program writes it, and what differs. */
function recordLine(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    archive: '/source/0200/XRPUSDT/2025-01-15_XRPUSDT_ob200.data.zip',
    archiveBytes: 10,
    archiveMtimeMs: 20,
    pair: 'XRPUSDT',
    date: '2025-01-15',
    status: 'done',
    outputs: [{ path: PLACE, shape: SHAPE, formatVersion: 3 }],
    badLines: 0,
    rows: 1440,
    filledRows: 5,
    suspectRows: 7,
    ...changes,
  });
}

async function recordsOf(text: string | Uint8Array, dir: string) {
  fs.writeFileSync(path.join(dir, RECORDS_FILE), text);
  return readRecords(dir);
}

test('what is recorded of an output is found by its path in any output folder', async (t) => {
  const records = await recordsOf(`${recordLine()}\n`, tempDir(t));
  const expected: RecordedOutput = {
    archive: { fileName: '2025-01-15_XRPUSDT_ob200.data.zip', sizeBytes: 10, mtimeMs: 20 },
    shape: SHAPE,
    formatVersion: 3,
    hasBadLines: false,
    sizeBytes: undefined,
    mtimeMs: undefined,
    sha256: undefined,
    counts: { rows: 1440, filledRows: 5, suspectRows: 7 },
    messageForm: undefined,
  };
  for (const folder of ['/a', 'b/c', '']) {
    assert.deepEqual(recordOf(records, path.join(folder, PLACE)), expected);
  }
  assert.equal(recordOf(records, PLACE.replace('XRP', 'ADA')), undefined);
});

test('places are named with / and without the output folder', () => {
  assert.equal(placeOf({ path: `/some/where/${PLACE}` }), PLACE);
  assert.equal(placeOf({ path: 'C:\\out\\metrics\\X\\2025-01-15_X_1m.csv' }), 'metrics/X/2025-01-15_X_1m.csv');
});

test('the last record of success counts, a failure after it changes nothing', async (t) => {
  const lines = [
    recordLine({ archiveBytes: 1 }),
    recordLine({ archiveBytes: 2 }),
    recordLine({ archiveBytes: 3, status: 'failed', error: 'truncated' }),
  ];
  const records = await recordsOf(lines.join('\n'), tempDir(t));
  assert.equal(recordOf(records, PLACE)?.archive.sizeBytes, 2);
});

test('a failure is told of an archive that failed last, and of no other', async (t) => {
  const failed = (pair: string, day = 2) => ({
    archive: `x/2025-01-15_${pair}_ob200.data.zip`,
    ...{ pair, status: 'failed', error: 'truncated', finishedAt: `2026-01-0${day}T00:00:00.000Z` },
  });
  const lines = [
    recordLine(failed('AAA')),
    recordLine({ ...failed('AAA'), status: 'done' }),
    recordLine({ ...failed('BBB'), status: 'done' }),
    recordLine(failed('BBB')),
    recordLine(failed('BBB', 3)),
  ];
  const records = await recordsOf(lines.join('\n'), tempDir(t));
  assert.deepEqual(
    [...records.failures],
    [
      {
        ...{
          market: undefined,
          pair: 'BBB',
          date: '2025-01-15',
          places: [PLACE],
          fileName: '2025-01-15_BBB_ob200.data.zip',
        },
        ...{ error: 'truncated', since: '2026-01-02T00:00:00.000Z' },
      },
    ],
  );
});

test('a record is not that of a file of another size', async (t) => {
  for (const [bytes, isIts] of [
    [4, true],
    [5, false],
    [undefined, true],
  ] as const) {
    const records = await recordsOf(recordLine({ outputs: [{ path: PLACE, shape: SHAPE, bytes }] }), tempDir(t));
    assert.equal(recordOf(records, PLACE, { sizeBytes: 4, mtimeMs: 1 }) !== undefined, isIts);
  }
});

test('of records of files of one size, that of the file’s time counts: a run may have ended before its output', async (t) => {
  const made = (mtimeMs: number) =>
    recordLine({ archiveBytes: mtimeMs, outputs: [{ path: PLACE, shape: SHAPE, bytes: 4, mtimeMs }] });
  const records = await recordsOf([made(100), made(200)].join('\n'), tempDir(t));
  const at = (mtimeMs: number) => recordOf(records, PLACE, { sizeBytes: 4, mtimeMs })?.archive.sizeBytes;
  assert.deepEqual([at(100), at(200)], [100, 200]);
  assert.equal(at(300), 200, 'a copy with a time of its own is taken for the last');
});

test('garbage says nothing: lines cut off, not JSON, of other kinds, too long, not UTF-8', async (t) => {
  const whole = recordLine();
  const garbage = [
    '',
    ' ',
    '{',
    'null',
    '7',
    '"text"',
    '[]',
    '{}',
    '{"archive":"half{"archive":"other"}',
    recordLine({ outputs: 7 }),
    recordLine({ outputs: [7, null, {}, { path: 7 }] }),
    recordLine({ archive: 7 }),
    recordLine({ archiveBytes: '10' }),
    recordLine({ status: 'begun' }),
    recordLine({ status: 'failed', pair: 'A\nB' }),
    recordLine({ status: 'failed', date: '2025-02-30' }),
    'x'.repeat(5 << 20),
    '\u0000'.repeat(1000),
  ].join('\r\n');
  const bytes = Buffer.concat([
    Buffer.from(`${garbage}\n`),
    Buffer.from([0xff, 0xfe, 0x0a]),
    Buffer.from(`${whole}\n${garbage}\n${recordLine({ archiveBytes: 99 }).slice(0, -1)}`),
  ]);
  const records = await recordsOf(bytes, tempDir(t));
  assert.equal(recordOf(records, PLACE)?.archive.sizeBytes, 10);
  assert.deepEqual([...records.failures], []);
});

test('fields of other types are as if they were not there', async (t) => {
  const outputs = [{ path: PLACE, shape: 'none', formatVersion: '3', bytes: 'many' }];
  const records = await recordsOf(
    recordLine({ outputs, archiveMtimeMs: null, rows: 'all', badLines: null }),
    tempDir(t),
  );
  const { archive, shape, formatVersion, hasBadLines } = recordOf(records, PLACE) ?? {};
  assert.deepEqual(archive, { fileName: '2025-01-15_XRPUSDT_ob200.data.zip', sizeBytes: 10, mtimeMs: undefined });
  assert.deepEqual([shape, formatVersion, hasBadLines], [{}, 1, true]);
});

test('records of version 0.1: paths as they were given, the options of all outputs in one place', async (t) => {
  const options = { interval: '1m', onGap: 'skip', onBadLine: 'fail', compat: 'none', formattedTimestamp: false };
  const outputs = [{ depth: 200, path: `old/folder/${PLACE}` }];
  const line = recordLine({ archiveMtimeMs: undefined, suspectRows: undefined, outputs, options });
  const record = recordOf(await recordsOf(`${line}\n`, tempDir(t)), `/new/${PLACE}`);
  assert.deepEqual(record?.shape, options);
  assert.equal(record?.formatVersion, 1);
  assert.equal(record?.archive.mtimeMs, undefined);
  assert.ok(Number.isNaN(record?.counts.suspectRows));
});

test('no file, and no folder: no records', async (t) => {
  const dir = tempDir(t);
  for (const folder of [dir, path.join(dir, 'none')])
    assert.equal(recordOf(await readRecords(folder), PLACE), undefined);
});

test('half a line that another run left is not continued', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, RECORDS_FILE);
  appendLine(file, recordLine({ archiveBytes: 1 }));
  fs.appendFileSync(file, '{"archive":"half');
  appendLine(file, recordLine({ archiveBytes: 2 }));
  assert.equal(recordOf(await readRecords(dir), PLACE)?.archive.sizeBytes, 2);
});

test('processes that append at the same time do not mix their lines', async (t) => {
  const dir = tempDir(t);
  const [WRITERS, LINES] = [3, 100];
  const module = new URL('../../src/storage/log-file.js', import.meta.url).href;
  const program = `
    const { appendLine } = await import(${JSON.stringify(module)});
    for (let line = 0; line < ${LINES}; line++) {
      const outputs = [{ path: 'x/' + process.argv[2] + '/' + line, shape: {} }];
      const record = { archive: 'a', archiveBytes: line, status: 'done', outputs, filling: 'x'.repeat(50 * line) };
      appendLine(process.argv[1], JSON.stringify(record));
    }`;
  const file = path.join(dir, RECORDS_FILE);
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    spawn(process.execPath, ['--input-type=module', '-e', program, file, `${writer}`], { stdio: 'inherit' }),
  );
  for (const [status] of await Promise.all(writers.map((child) => once(child, 'close')))) assert.equal(status, 0);
  const records = await readRecords(dir);
  for (let writer = 0; writer < WRITERS; writer++) {
    for (let line = 0; line < LINES; line++) {
      assert.equal(recordOf(records, `x/${writer}/${line}`)?.archive.sizeBytes, line);
    }
  }
});

test('of files of one size, the content decides where it is known', async (t) => {
  const made = (sha256: string) => ({ outputs: [{ path: PLACE, shape: SHAPE, bytes: 4, mtimeMs: 7, sha256 }] });
  const lines = [recordLine({ ...made('aa'), archiveBytes: 1 }), recordLine({ ...made('bb'), archiveBytes: 2 })];
  const records = await recordsOf(lines.join('\n'), tempDir(t));
  const copy = { sizeBytes: 4, mtimeMs: 99 };
  assert.ok(records.isInDoubt({ path: PLACE, ...copy }));
  assert.ok(!records.isInDoubt({ path: PLACE, sizeBytes: 4, mtimeMs: 7 }));
  assert.ok(!records.isInDoubt({ path: PLACE, sizeBytes: 5, mtimeMs: 99 }));
  const known = (sha256: string) => records.of({ path: PLACE, ...copy }, sha256);
  assert.equal(known('cc').kind, 'altered');
  for (const [sha256, archiveBytes] of [
    ['aa', 1],
    ['bb', 2],
  ] as const) {
    const knowledge = known(sha256);
    assert.ok(knowledge.kind === 'recorded');
    assert.equal(knowledge.record.archive.sizeBytes, archiveBytes);
  }
});

test('a hostile record cannot do anything when it is compared or shown', async (t) => {
  const shape = {
    interval: { toString: 1 },
    onGap: ['fill'],
    compat: null,
    quality: { valueOf: 1 },
    impacts: [1, 'x'],
  };
  const line = recordLine({ outputs: [{ path: PLACE, shape, formatVersion: 1, sha256: { toString: 1 } }] });
  const record = recordOf(await recordsOf(line, tempDir(t)), PLACE);
  assert.deepEqual(record?.shape, {});
  assert.equal(record?.sha256, undefined);
});
