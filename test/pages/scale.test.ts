/** docs/scale.md: its commands work as it says, one after the other, and it has every field that they print. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startView } from '../support/browser.js';
import { assertAsDescribed, readTables } from '../support/field-tables.js';
import { readOutputs, tempDir } from '../support/files.js';
import { NO_REDIS, startRedis } from '../support/redis.js';
import { complete, makeArchive, start } from '../support/runs.js';
import { BUCKET, environment, flagsFor, NO_MOTO, putFolder, startMoto } from '../support/s3-servers.js';

type Json = Record<string, unknown>;

const PAGE = fs.readFileSync(fileURLToPath(new URL('../../../docs/scale.md', import.meta.url)), 'utf8');

const ABOUT_S3 = '## Archives and outputs in S3\n';
const [sectionOnS3 = '', ...otherSections] = PAGE.slice(PAGE.indexOf(ABOUT_S3) + ABOUT_S3.length).split(/^(?=## )/m);
const commands = commandsOf(PAGE.slice(0, PAGE.indexOf(ABOUT_S3)) + otherSections.join(''));

/** The commands of blocks of shell, without comments. */
function commandsOf(page: string): string[] {
  return [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ +#.*$/, '')),
  );
}

test('the commands on S3 work one after the other, with other buckets and another server', {
  skip: NO_MOTO,
}, async (t) => {
  const server = await startMoto();
  t.after(() => server.close());
  const [archives, cwd] = [tempDir(t), tempDir(t)];
  await makeArchive(archives, { pair: 'BTCUSDT', depth: 200 });
  await putFolder(server, archives, 'bybit');
  const [install = '', ...others] = commandsOf(sectionOnS3);
  assert.match(install, /^npm install .*@aws-sdk\/client-s3$/);
  assert.equal(others.length, 5);
  for (const command of others) {
    const [program, ...args] = command.replaceAll(/my-(archives|snapshots)/g, BUCKET).split(/ +/);
    assert.equal(program, 'bookgrid');
    if (args[0] === 'view') {
      const view = await startView([...args.slice(1), ...flagsFor(server)], { env: environment() });
      t.after(view.stop);
      assert.match(await (await fetch(`${view.url}listing`)).text(), /"symbol":"BTCUSDT"/);
      continue;
    }
    const { status, stdout, stderr } = await complete([...args, ...flagsFor(server)], { cwd, env: environment() });
    assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
  }
  assert.match(fs.readFileSync(path.join(cwd, 'btcusdt.csv'), 'utf8'), /^timestamp,bid_price_1,/);
});

test('the commands work one after the other, with other folders and another server', { skip: NO_REDIS }, async (t) => {
  const redis = await startRedis(t);
  const [archives, snapshots] = [tempDir(t), tempDir(t)];
  for (let pair = 1; pair <= 20; pair++) await makeArchive(archives, { pair: `PAIR${pair}USDT`, depth: 200 });
  assert.equal(commands.length, 5);
  for (const command of commands) {
    const [program, ...args] = command
      .replace('redis://10.0.0.5/0', redis.url)
      .replace('/data/archives', archives)
      .replace('/data/snapshots', snapshots)
      .split(/ +/);
    assert.equal(program, 'bookgrid');
    const { status, stdout, stderr } = await complete(args[0] === 'worker' ? [...args, '--until-done'] : args);
    assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
  }
  const outputs = [...readOutputs(snapshots).keys()];
  assert.equal(outputs.filter((name) => name.endsWith('.parquet')).length, 20);
  assert.equal(outputs.filter((name) => name.endsWith('.csv')).length, 1, 'of the shard');
});

test('every field that comes out is on the page, and the reverse', { skip: NO_REDIS }, async (t) => {
  const redis = await startRedis(t);
  const [archives, snapshots] = [tempDir(t), tempDir(t)];
  await makeArchive(archives, { pair: 'AAAUSDT', depth: 200 });
  const bad = await makeArchive(archives, { pair: 'BADUSDT', depth: 200 });
  fs.truncateSync(bad, 100);
  fs.symlinkSync('nowhere', path.join(archives, '2025-01-17_LOSTUSDT_ob200.data.zip'));
  const found = new Map<string, Json[]>();
  const run = async (args: string[]) => {
    const { stdout } = await complete([...args, '--queue', redis.url, '--json']);
    for (const line of stdout.trimEnd().split('\n')) {
      const object = JSON.parse(line) as Json;
      const event = String(object['event']);
      found.set(event, [...(found.get(event) ?? []), object]);
    }
  };
  await run(['submit', '--source-dir', archives, '--output-dir', snapshots]);
  const watching = run(['watch']);
  await run(['worker', '--until-done', '--workers', '2']);
  await watching;
  await run(['retry']);
  const idle = start(['worker', '--queue', redis.url]);
  await idle.printed(/ERROR/);
  await run(['watch', '--once']);
  idle.child.kill('SIGTERM');
  await idle.ended;
  await run(['retry', '--drop']);
  found.delete('archive'); // of docs/json.md
  const tables = readTables(PAGE);
  assert.deepEqual([...found.keys()].sort(), [...tables.keys()].sort());
  for (const [name, fields] of tables) {
    const seen = new Set<string>();
    for (const object of found.get(name) ?? []) {
      for (const field of assertAsDescribed(object, fields, name)) seen.add(field);
    }
    const dead = fields.map((field) => field.path).filter((field) => !seen.has(field));
    // There is no rate before a second job has been finished.
    assert.deepEqual(
      dead.filter((field) => field !== 'secondsLeft'),
      [],
    );
  }
});
