/** The program on data in S3, as a user runs it: the same bytes as on a disk, whatever the server and the machine do. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { finished, startCli } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import { assertSameOutputs, complete, makeLargeSource } from '../support/runs.js';
import {
  BUCKET,
  environment,
  flagsFor,
  listKeys,
  NO_MOTO,
  putFolder,
  readObjects,
  type S3Server,
  startMoto,
} from '../support/s3-servers.js';

const inBucket = (...names: string[]) => `s3://${BUCKET}/${names.join('/')}`;

describe('archives and outputs in S3', { skip: NO_MOTO }, () => {
  let server: S3Server;
  before(async () => {
    server = await startMoto();
  });
  after(() => server.close());

  /** Runs the program to its end, with what it needs to talk to the server. */
  const run = (args: string[], more: NodeJS.ProcessEnv = {}) =>
    complete([...args, ...flagsFor(server)], { env: { ...environment(), ...more } });

  test('give the same bytes as on a disk, and a second run has nothing to do', async (t) => {
    const dir = tempDir(t);
    const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
    await makeLargeSource(source, 6);
    await putFolder(server, source, 'same/source');
    const local = await complete(['--source-dir', source, '--output-dir', out, '--format', 'csv,parquet', '--metrics']);
    assert.equal(local.status, 0, local.stderr);
    const args = ['--source-dir', inBucket('same/source'), '--output-dir', inBucket('same/out')];
    const first = await run([...args, '--format', 'csv,parquet', '--metrics', '--workers', '2']);
    assert.equal(first.status, 0, first.stdout + first.stderr);
    assertSameOutputs(await outputsIn(server, 'same/out/'), readOutputs(out));
    const again = await run([...args, '--format', 'csv,parquet', '--metrics', '--workers', '2']);
    assert.match(again.stdout, /Skipped \(already exist\): 6\n/);
    assert.equal((await listKeys(server, 'same/out/conversions.jsonl/')).length, 2, 'an object a worker and run');
  });
});

async function outputsIn(server: S3Server, prefix: string): Promise<Map<string, string>> {
  const objects = await readObjects(server, prefix);
  return new Map(
    [...objects]
      .map(([key, text]): [string, string] => [key.slice(prefix.length), text])
      .filter(([name]) => !name.startsWith('conversions.jsonl')),
  );
}
void finished;
void startCli;
