import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { type MadeOutput, placeOf, RECORDS_FILE, RecordFile, readRecords } from '../../src/catalog/records.js';
import { tempDir } from '../support/files.js';

const PLACE = '0200/XRPUSDT/2025-01-15_XRPUSDT_ob200_1m.csv';
const SHAPE = { interval: '1m', onGap: 'fill', onBadLine: 'fail', compat: 'none', quality: false };

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
  const expected: MadeOutput = {
    archive: { fileName: '2025-01-15_XRPUSDT_ob200.data.zip', sizeBytes: 10, mtimeMs: 20 },
    shape: SHAPE,
    formatVersion: 3,
    hasBadLines: false,
    sizeBytes: undefined,
    counts: { rows: 1440, filledRows: 5, suspectRows: 7 },
  };
  for (const folder of ['/a', 'b/c', '']) {
    assert.deepEqual(records.of(path.join(folder, PLACE)), expected);
  }
  assert.equal(records.of(PLACE.replace('XRP', 'ADA')), undefined);
});

test('places are named with / and without the output folder', () => {
  assert.equal(placeOf(`/some/where/${PLACE}`), PLACE);
  assert.equal(placeOf('C:\\out\\metrics\\X\\2025-01-15_X_1m.csv'), 'metrics/X/2025-01-15_X_1m.csv');
});

test('the last record of success counts, a failure after it changes nothing', async (t) => {
  const lines = [
    recordLine({ archiveBytes: 1 }),
    recordLine({ archiveBytes: 2 }),
    recordLine({ archiveBytes: 3, status: 'failed', error: 'truncated' }),
  ];
  const records = await recordsOf(lines.join('\n'), tempDir(t));
  assert.equal(records.of(PLACE)?.archive.sizeBytes, 2);
});

test('a failure is told of an archive that failed last, and of no other', async (t) => {
  const failed = (pair: string) => ({ archive: `x/2025-01-15_${pair}_ob200.data.zip`, pair, status: 'failed' });
  const lines = [
    recordLine(failed('AAA')),
    recordLine({ ...failed('AAA'), status: 'done' }),
    recordLine({ ...failed('BBB'), status: 'done' }),
    recordLine(failed('BBB')),
  ];
  const records = await recordsOf(lines.join('\n'), tempDir(t));
  assert.deepEqual([...records.failures], [{ pair: 'BBB', date: '2025-01-15', places: [PLACE] }]);
});

test('a record is not that of a file of another size', async (t) => {
  const out = tempDir(t);
  const file = path.join(out, PLACE);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, 'four');
  for (const [bytes, isIts] of [
    [4, true],
    [5, false],
    [undefined, true],
  ] as const) {
    const records = await recordsOf(recordLine({ outputs: [{ path: PLACE, shape: SHAPE, bytes }] }), out);
    assert.equal(records.of(file) !== undefined, isIts);
  }
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
  assert.equal(records.of(PLACE)?.archive.sizeBytes, 10);
  assert.deepEqual([...records.failures], []);
});

test('fields of other types are as if they were not there', async (t) => {
  const outputs = [{ path: PLACE, shape: 'none', formatVersion: '3', bytes: 'many' }];
  const records = await recordsOf(
    recordLine({ outputs, archiveMtimeMs: null, rows: 'all', badLines: null }),
    tempDir(t),
  );
  const { archive, shape, formatVersion, hasBadLines } = records.of(PLACE) ?? {};
  assert.deepEqual(archive, { fileName: '2025-01-15_XRPUSDT_ob200.data.zip', sizeBytes: 10, mtimeMs: undefined });
  assert.deepEqual([shape, formatVersion, hasBadLines], [{}, 1, true]);
});

test('records of version 0.1: paths as they were given, the options of all outputs in one place', async (t) => {
  const options = { interval: '1m', onGap: 'skip', onBadLine: 'fail', compat: 'none', formattedTimestamp: false };
  const outputs = [{ depth: 200, path: `old/folder/${PLACE}` }];
  const line = recordLine({ archiveMtimeMs: undefined, suspectRows: undefined, outputs, options });
  const record = (await recordsOf(`${line}\n`, tempDir(t))).of(`/new/${PLACE}`);
  assert.deepEqual(record?.shape, options);
  assert.equal(record?.formatVersion, 1);
  assert.equal(record?.archive.mtimeMs, undefined);
  assert.ok(Number.isNaN(record?.counts.suspectRows));
});

test('no file, and no folder: no records', async (t) => {
  const dir = tempDir(t);
  for (const folder of [dir, path.join(dir, 'none')]) assert.equal((await readRecords(folder)).of(PLACE), undefined);
});

test('half a line that another run left while this one has the file open is not continued', async (t) => {
  const dir = tempDir(t);
  const file = new RecordFile(dir);
  file.append(JSON.parse(recordLine({ archiveBytes: 1 })));
  fs.appendFileSync(path.join(dir, RECORDS_FILE), '{"archive":"half');
  file.append(JSON.parse(recordLine({ archiveBytes: 2 })));
  file.close();
  assert.equal((await readRecords(dir)).of(PLACE)?.archive.sizeBytes, 2);
});

test('processes that append at the same time do not mix their lines', async (t) => {
  const dir = tempDir(t);
  const [WRITERS, LINES] = [3, 100];
  const module = new URL('../../src/catalog/records.js', import.meta.url).href;
  const program = `
    const { RecordFile } = await import(${JSON.stringify(module)});
    const file = new RecordFile(process.argv[1]);
    for (let line = 0; line < ${LINES}; line++) {
      const outputs = [{ path: 'x/' + process.argv[2] + '/' + line, shape: {} }];
      file.append({ archive: 'a', archiveBytes: line, status: 'done', outputs, filling: 'x'.repeat(50 * line) });
    }`;
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    spawn(process.execPath, ['--input-type=module', '-e', program, dir, `${writer}`], { stdio: 'inherit' }),
  );
  for (const [status] of await Promise.all(writers.map((child) => once(child, 'close')))) assert.equal(status, 0);
  const records = await readRecords(dir);
  for (let writer = 0; writer < WRITERS; writer++) {
    for (let line = 0; line < LINES; line++) {
      assert.equal(records.of(`x/${writer}/${line}`)?.archive.sizeBytes, line);
    }
  }
});
