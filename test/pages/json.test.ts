/** docs/json.md has every field that the command prints and records, with its type, and no other. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStorage } from '../../src/storage/open-storage.js';
import { newRunId } from '../../src/storage/staging.js';
import { listAnswer, startServer } from '../support/archive-server.js';
import { assertAsDescribed, type Field, readTables } from '../support/field-tables.js';
import { DAY } from '../support/messages.js';
import {
  complete,
  ENDLESS_OPTIONS,
  listStaged,
  makeArchive,
  makeEndless,
  readRecords,
  start,
  until,
} from '../support/runs.js';

import { BUCKET, environment, flagsFor, putObject, readObjects, startS3rver } from '../support/s3-servers.js';

type Json = Record<string, unknown>;

const PAGE = fs.readFileSync(fileURLToPath(new URL('../../../docs/json.md', import.meta.url)), 'utf8');
const tables = readTables(PAGE);
/** What was printed and recorded, by the name of its table. */
const found = new Map<string, Json[]>();

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-test-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const source = path.join(folder, 'archives');
const output = path.join(folder, 'snapshots');

const run = (...args: string[]) => runIn(folder, [...args, '--source-dir', source]);

async function runIn(cwd: string, args: string[]): Promise<void> {
  await print(cwd, [...args, '--output-dir', output, '--json']);
}

async function print(cwd: string, args: string[]): Promise<void> {
  const { status, stdout, stderr } = await complete(args, { cwd });
  assert.ok(status === 0 || status === 1, stderr);
  for (const line of stdout.trimEnd().split('\n')) {
    const object = JSON.parse(line) as Json;
    keep(String(object['event']), object);
  }
}

function keep(name: string, object: Json): void {
  found.set(name, [...(found.get(name) ?? []), object]);
}

/** Archives and outputs of every kind, converted, planned and surveyed. */
before(async () => {
  const quiet = { gaps: [{ fromMs: 50_000, toMs: 121_000 }] };
  await makeArchive(source, { pair: 'AAAUSDT', market: quiet });
  await makeArchive(source, { pair: 'AAAUSDT', depth: 200 }); // makes the depth 200 of that day
  await makeArchive(source, { pair: 'SHALLOWUSDT', depth: 50 });
  await makeArchive(path.join(source, 'linear'), { pair: 'MARKETUSDT', depth: 200 });
  await makeArchive(path.join(source, 'linear'), { pair: 'MARKETUSDT', depth: 200, date: '2025-01-16' });
  fs.symlinkSync('nowhere', path.join(source, 'linear/0200/MARKETUSDT/2025-01-17_MARKETUSDT_ob200.data.zip'));
  await makeArchive(source, { pair: 'SHALLOWUSDT', depth: 50, date: '2024-01-01' });
  const damaged = await makeArchive(source, { pair: 'DAMAGEDUSDT' });
  const bytes = fs.readFileSync(damaged);
  bytes.fill(0x55, 2000, 2100); // the kernel's inflater and Node's zlib both refuse it
  fs.writeFileSync(damaged, bytes);
  fs.symlinkSync('nowhere', path.join(source, `0500/DAMAGEDUSDT/2025-01-16_DAMAGEDUSDT_ob500.data.zip`));

  const formats = ['--format', 'csv,parquet', '--metrics'];
  await run('convert', '--depths', '200', ...formats);
  await run('convert', '--depths', '200', ...formats, '--shard', '2/3');
  await run('convert', '--depths', '200,500', ...formats, '--on-gap', 'skip', '--on-stale', 'remake');
  await runIn(folder, ['join', '--symbols', 'AAAUSDT,NONEUSDT', '--depths', '500', '--format', 'csv']);
  await runIn(folder, ['join', '--symbols', 'MARKETUSDT', '--depths', '200', '--format', 'csv']);
  await makeArchive(path.join(source, 'linear'), { pair: 'MARKETUSDT', depth: 200, date: '2025-01-18' });
  const ofMarket = path.join(output, 'linear/0200/MARKETUSDT');
  fs.copyFileSync(
    path.join(ofMarket, `${DAY}_MARKETUSDT_ob200_1m.csv`),
    path.join(ofMarket, '2025-01-18_MARKETUSDT_ob200_1m.csv'),
  );
  // Of another day, and of no record; one is damaged, one is gone.
  const day2 = path.join(output, `0200/AAAUSDT/2025-01-16_AAAUSDT_ob200_1m.csv`);
  fs.copyFileSync(path.join(output, `0200/AAAUSDT/${DAY}_AAAUSDT_ob200_1m.csv`), day2);
  await makeArchive(source, { pair: 'AAAUSDT', date: '2025-01-16', depth: 200 });
  fs.appendFileSync(path.join(output, `0500/AAAUSDT/${DAY}_AAAUSDT_ob500_1m.csv`), 'x');
  await runIn(folder, ['verify']);
  await run('convert', '--depths', '200', '--dry-run', '--on-gap', 'skip');
  await run('convert', '--dry-run', '--temp-dir', folder, '--interval', '1s');
  await run('convert', '--dry-run', ...formats, '--on-stale', 'remake');
  await run('convert', '--dry-run', ...formats, '--on-stale', 'keep');
  await run('convert', '--dry-run', ...formats, '--partition', 'hive', '--on-stale', 'remake');
  await run('status');
  const trusted = ['--output-dir', path.join(folder, 'trusted'), '--quality', '--symbols', 'MARKETUSDT'];
  await complete(['convert', '--source-dir', source, ...trusted]);
  await print(folder, [
    'peek',
    path.join(folder, `trusted/linear/0200/MARKETUSDT/${DAY}_MARKETUSDT_ob200_1m.csv`),
    '--json',
  ]);
  await print(folder, ['peek', path.join(source, `linear/0200/MARKETUSDT/${DAY}_MARKETUSDT_ob200.data.zip`), '--json']);
  await meetAnotherRun();
  await convertInS3();
  for (const record of readRecords(output)) if (record) keep('record', record);
  await download();
});

/** From S3 to S3. */
async function convertInS3(): Promise<void> {
  const server = await startS3rver();
  try {
    const archive = `json/${DAY}_AAAUSDT_ob200.data.zip`;
    const file = path.join(source, `0200/AAAUSDT/${DAY}_AAAUSDT_ob200.data.zip`);
    await putObject(server, archive, fs.readFileSync(file));
    // This server lists only folders that have something directly in them.
    for (const folder of ['0200', '0200/symbol=AAAUSDT']) await putObject(server, `json/out/${folder}/.keep`, '');
    const where = [
      '--output-dir',
      `s3://${BUCKET}/json/out`,
      ...flagsFor(server),
      '--s3-region',
      'us-east-1',
      '--json',
    ];
    const variants = [[], ['--dry-run', '--overwrite'], ['--dry-run', '--partition', 'hive', '--on-stale', 'remake']];
    for (const more of variants) {
      const args = ['convert', `s3://${BUCKET}/${archive}`, ...where, ...more];
      const { status, stdout, stderr } = await complete(args, { env: environment() });
      assert.equal(status, 0, stdout + stderr);
      for (const line of stdout.trimEnd().split('\n')) keep(String(JSON.parse(line).event), JSON.parse(line) as Json);
    }
    for (const text of (await readObjects(server, 'json/out/conversions.jsonl/')).values()) {
      for (const line of text.trimEnd().split('\n')) keep('record', JSON.parse(line) as Json);
    }
  } finally {
    await server.close();
  }
}

/** Archives that are fetched, and all that may become of one. */
async function download(): Promise<void> {
  const server = await startServer({ after });
  const [published, archives] = [path.join(folder, 'published'), path.join(folder, 'fetched')];
  const place = (date: string) => path.join(archives, `linear/0500/AAAUSDT/${date}_AAAUSDT_ob500.data.zip`);
  for (const date of ['2025-01-14', DAY, '2025-01-16', '2025-01-17']) {
    await server.publishMade(published, 'linear', { pair: 'AAAUSDT', date });
  }
  const bad = '/orderbook/linear/AAAUSDT/2025-01-17_AAAUSDT_ob500.data.zip';
  server.faults.set(
    bad,
    Array.from({ length: 9 }, () => ({ status: 403 })),
  );
  server.list = () => ({
    body: listAnswer([{ market: 'linear', pair: 'AAAUSDT', date: '2025-01-14', depth: 500, bytes: 99 }]),
  });
  const out = path.join(folder, 'downloaded');
  const words = ['download', '--source-dir', archives, '--list-url', server.listUrl, '--symbols', 'AAAUSDT', '--json'];
  const at = (url: string, from: string, to: string, ...more: string[]) =>
    print(folder, [...words, '--base-url', url, '--from', from, '--to', to, ...more]);
  const conversion = ['--convert', '--output-dir', out];
  await at(server.url, '2025-01-14', '2025-01-14', ...conversion, '--delete-after');
  await at(server.url, DAY, DAY);
  fs.truncateSync(place(DAY), 500);
  await at(server.url, '2025-01-14', '2025-01-16', '--dry-run', ...conversion);
  const busy = await openStorage(place('2025-01-16')).resume(place('2025-01-16'), newRunId());
  busy?.begin('');
  busy?.write(Buffer.from('x'));
  const waiting = start([
    ...words,
    '--base-url',
    server.url,
    '--from',
    '2025-01-14',
    '--to',
    '2025-01-18',
    ...conversion,
    '--tries',
    '1',
  ]);
  await waiting.printed(/"download-waiting"/);
  busy?.discard();
  for (const line of (await waiting.ended).stdout.trimEnd().split('\n')) {
    const object = JSON.parse(line) as Json;
    keep(String(object['event']), object);
  }
  await at(server.url, DAY, DAY, '--dry-run');
  await at('http://127.0.0.1:9', '2025-01-16', '2025-01-18', '--tries', '1');
  fs.copyFileSync(place(DAY), path.join(archives, path.basename(place('2025-01-17'))));
  await print(folder, ['download', '--check', '--source-dir', archives, '--json']);
}

/** A run that waits for what another one makes, and is stopped. */
async function meetAnotherRun(): Promise<void> {
  const args = [await makeEndless(folder), '--output-dir', path.join(folder, 'busy'), ...ENDLESS_OPTIONS];
  const busy = start(args);
  await until(() => listStaged(folder).length > 0, 'an output is begun');
  const waiting = start([...args, '--json']);
  await waiting.printed(/"waiting"/);
  waiting.child.kill('SIGINT');
  busy.child.kill('SIGINT');
  await busy.ended;
  for (const line of (await waiting.ended).stdout.trimEnd().split('\n')) {
    const object = JSON.parse(line) as Json;
    keep(String(object['event']), object);
  }
}

/** Of an archive that was worked on, the event has all that the record has. */
function fieldsOf(name: string, object: Json): Field[] {
  const own = tables.get(name) ?? [];
  if (name !== 'archive' || !('outputs' in object)) return own;
  const record = tables.get('record') ?? [];
  return [...own.filter((field) => !record.some(({ path }) => path === field.path)), ...record];
}

test('every event and every field that comes out is on the page', () => {
  assert.deepEqual([...found.keys()].sort(), [...tables.keys()].sort());
  for (const [name, objects] of found) {
    for (const object of objects) assertAsDescribed(object, fieldsOf(name, object), name);
  }
});

test('every field on the page comes out', () => {
  for (const [name, fields] of tables) {
    const seen = new Set<string>();
    for (const object of found.get(name) ?? []) {
      for (const field of assertAsDescribed(object, fieldsOf(name, object), name)) seen.add(field);
    }
    const dead = fields.map((field) => field.path).filter((field) => !seen.has(field));
    assert.deepEqual(dead, [], `${name}: fields that no run of this test prints`);
  }
});
