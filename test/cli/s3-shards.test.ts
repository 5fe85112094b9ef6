/** Shards over one bucket, as machines of a batch system carry them out: in any order, again, side by side, and killed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../src/samples/random.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { readOutputs, tempDir } from '../support/files.js';
import { assertSameOutputs, complete, makeArchive, makeLargeSource, start } from '../support/runs.js';
import {
  BUCKET,
  environment,
  flagsFor,
  listUploads,
  NO_MOTO,
  putFolder,
  readObjects,
  startMoto,
} from '../support/s3-servers.js';

const IS_LONG = process.env['CI_LONG'] === '1';
const SHARDS = IS_LONG ? 16 : 4;
const ARCHIVES = IS_LONG ? 64 : 12;
/** A run is killed with one of its first requests that write: so many has each that has not got on before. */
const MAX_WRITES = 4;
const SEED = Number(process.env['BOOKGRID_SEED'] ?? Date.now() % 0x7fffffff);

test(`${SHARDS} shards over one bucket, in random order with kills and repeats: the bytes of one run`, {
  skip: NO_MOTO,
  timeout: 600_000,
}, async (t) => {
  console.log(`seed ${SEED} (BOOKGRID_SEED)`);
  const random = new Random(SEED);
  const dir = tempDir(t);
  const [source, unbroken, temp] = [path.join(dir, 'source'), path.join(dir, 'out'), path.join(dir, 'temp')];
  fs.mkdirSync(temp);
  await makeLargeSource(source, ARCHIVES);
  await makeArchive(source, { pair: 'TINYUSDT', depth: 200 });
  const how = ['--interval', '100ms', '--depths', '200'];
  assert.equal((await complete(['--source-dir', source, '--output-dir', unbroken, ...how])).status, 0);
  const expected = readOutputs(unbroken);

  const server = await startMoto();
  t.after(() => server.close());
  await putFolder(server, source, 'source');
  const places = ['--source-dir', `s3://${BUCKET}/source`, '--output-dir', `s3://${BUCKET}/out`];
  const env = { ...environment(), TMPDIR: temp };

  const proxy = await startFaultyProxy(server.endpoint);
  t.after(() => proxy.close());
  /** Hears of what a run asks to write, by the key that it signs with. */
  const listeners = new Map<string, () => void>();
  proxy.fault = ({ method, url, headers }) => {
    const [, keyId = ''] = /Credential=(\w+)\//.exec(headers.authorization ?? '') ?? [];
    if (method === 'PUT' || url.includes('uploadId=')) listeners.get(keyId)?.();
    return undefined;
  };

  let runs = 0;
  /** @returns whether it came to its end: it is killed when it asks to write for that time, if it gets so far. */
  async function run(shard: number, writesBeforeKill: number | undefined): Promise<boolean> {
    const keyId = `RUN${runs++}`;
    const args = [...places, ...how, '--workers', '1', '--shard', `${shard}/${SHARDS}`, ...flagsFor(proxy)];
    const started = start(args, { env: { ...env, AWS_ACCESS_KEY_ID: keyId } });
    let writes = 0;
    listeners.set(keyId, () => {
      if (++writes === writesBeforeKill) started.child.kill('SIGKILL');
    });
    const { status, signal, stdout, stderr } = await started.ended;
    assert.ok(signal === 'SIGKILL' || status === 0, stdout + stderr);
    return signal === null;
  }

  const left = new Set(Array.from({ length: SHARDS }, (_, index) => index + 1));
  /** Those of which no run was to be killed yet. */
  const unharmed = new Set(left);
  let killed = 0;
  let repeated = 0;
  while (left.size > 0) {
    // Two machines at a time, now and then of a shard that is done, or both of the same.
    const open = [...left];
    const some = [0, 1].map(() =>
      random.below(4) === 0 ? 1 + random.below(SHARDS) : (open[random.below(open.length)] ?? 1),
    );
    const ended = await Promise.all(
      some.map((shard) => run(shard, unharmed.delete(shard) ? 1 + random.below(MAX_WRITES) : undefined)),
    );
    for (const [index, shard] of some.entries()) {
      if (!ended[index]) killed++;
      else if (!left.delete(shard)) repeated++;
    }
  }
  console.log(`${killed} runs were killed, ${repeated} had nothing to do`);
  assert.ok(killed > 0);
  // What the last killed runs have begun and nobody has gone on with is ended by whoever comes next.
  for (let shard = 1; shard <= SHARDS; shard++) {
    const { stdout } = await complete([...places, ...how, '--shard', `${shard}/${SHARDS}`, ...flagsFor(proxy)], {
      env,
    });
    assert.match(stdout, /Successfully processed: 0\n/);
    assert.match(stdout, /Errors: 0\n/);
  }
  const objects = [...(await readObjects(server, 'out/'))].map(([key, text]): [string, string] => [key.slice(4), text]);
  assertSameOutputs(new Map(objects.filter(([key]) => !key.startsWith('conversions.jsonl/'))), expected);
  assert.deepEqual(await listUploads(server), []);
  assert.deepEqual(fs.readdirSync(temp), []);
  const verified = await complete(['verify', '--output-dir', `s3://${BUCKET}/out`, ...flagsFor(server)], { env });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
});
