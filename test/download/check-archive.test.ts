import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkArchive, glanceAt } from '../../src/download/check-archive.js';
import { tempDir } from '../support/files.js';
import { DAY, line, writeLines } from '../support/messages.js';
import { makeArchive } from '../support/runs.js';

const NAME = { pair: 'TESTUSDT', date: DAY, sourceDepth: 500 };
const DAY_MS = 86_400_000;

test('archives that are whole: of one message, of many, with and without a last line end', async (t) => {
  const folder = tempDir(t);
  await checkArchive(await writeLines(folder, [line({ type: 'snapshot', atMs: 10 })]), NAME);
  await checkArchive(
    await writeLines(folder, ['', line({ type: 'snapshot', atMs: -5 }), line({ atMs: 7 }), '', '']),
    NAME,
  );
  const market = { depth: 500, durationMs: 100_000, messageIntervalMs: 100 };
  await checkArchive(await makeArchive(folder, { pair: 'AAAUSDT', market }), { ...NAME, pair: 'AAAUSDT' });
});

test('one message of the day is enough, wherever it is seen', async (t) => {
  const folder = tempDir(t);
  await checkArchive(await writeLines(folder, [line({ type: 'snapshot', atMs: -5000 }), line({ atMs: 0 })]), NAME);
  await checkArchive(
    await writeLines(folder, [line({ type: 'snapshot', atMs: DAY_MS - 1 }), line({ atMs: DAY_MS })]),
    NAME,
  );
  const after = await writeLines(folder, [line({ type: 'snapshot', atMs: DAY_MS }), line({ atMs: DAY_MS + 5 })]);
  await assert.rejects(checkArchive(after, NAME), /none of its messages is of 2025-01-15.*the last is of 2025-01-16/);
});

test('a last message of another pair is found out', async (t) => {
  const other = line({ atMs: 20 }).replaceAll('TESTUSDT', 'OTHERUSDT');
  const file = await writeLines(tempDir(t), [line({ type: 'snapshot', atMs: 10 }), other]);
  await assert.rejects(
    checkArchive(file, NAME),
    /its messages are of OTHERUSDT, 500 levels, its name says TESTUSDT, 500 levels/,
  );
});

test('no message', async (t) => {
  await assert.rejects(checkArchive(await writeLines(tempDir(t), ['hello', '{}']), NAME), /no message in it/);
});

test('damage anywhere is found by reading; a glance finds a file cut short', async (t) => {
  const file = await makeArchive(tempDir(t), { pair: 'TESTUSDT' });
  const bytes = fs.readFileSync(file);
  assert.equal(await glanceAt(file), undefined);
  const damaged = path.join(path.dirname(file), 'damaged.data.zip');
  for (let at = 60; at < bytes.length - 200; at += 997) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
    fs.writeFileSync(damaged, changed);
    await assert.rejects(checkArchive(damaged, NAME), `byte ${at}`);
  }
  for (const length of [0, 10, 1000, bytes.length - 1]) {
    fs.writeFileSync(damaged, bytes.subarray(0, length));
    assert.ok(await glanceAt(damaged), `${length} bytes`);
  }
});
