/** The image of deploy/, built as its Dockerfile says, in a container: what the Kubernetes job starts, and how it is stopped. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Job } from 'kubernetes-models/batch/v1/Job';
import YAML from 'yaml';
import { readOutputs, tempDir } from './support/files.js';
import { imageConfig, NO_IMAGE, startContainer } from './support/image.js';
import { assertSameOutputs, ENDLESS_OPTIONS, listStaged, makeEndless, makeLargeSource, until } from './support/runs.js';
import { BUCKET, CREDENTIALS, listUploads, NO_MOTO, putFolder, readObjects, startMoto } from './support/s3-servers.js';

const JOB = fileURLToPath(new URL('../../deploy/kubernetes-indexed-job.yaml', import.meta.url));

async function endOf(child: ChildProcessWithoutNullStreams) {
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status, stdout, stderr };
}

/** A folder of the image's user. */
function folderOfUser(t: TestContext): string {
  const folder = tempDir(t);
  fs.chownSync(folder, 1000, 1000);
  return folder;
}

describe('the image of deploy/', { skip: NO_IMAGE }, () => {
  test('does not run as root, and knows its version', async () => {
    assert.equal(imageConfig().User, 'node');
    const { status, stdout } = await endOf(startContainer(['--version'], { mounts: {}, env: {} }));
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '0.1.0\n' });
  });

  test('as pods of the Kubernetes job makes what one run makes, and writes nowhere but where it may', {
    skip: NO_MOTO,
    timeout: 300_000,
  }, async (t) => {
    const server = await startMoto();
    t.after(() => server.close());
    const [source, out] = [folderOfUser(t), folderOfUser(t)];
    await makeLargeSource(source, 20);
    await putFolder(server, source, 'source');
    const { spec } = new Job(YAML.parse(fs.readFileSync(JOB, 'utf8')));
    const { args = [], env: ofPod = [] } = spec?.template.spec?.containers[0] ?? {};
    const buckets = [`--source-dir=s3://${BUCKET}/source`, `--output-dir=s3://${BUCKET}/out`];
    const inBucket = args.map((arg) => buckets.find((bucket) => arg.startsWith(bucket.split('=')[0] ?? '')) ?? arg);
    let converted = 0;
    for (let index = 0; index < (spec?.completions ?? 0); index++) {
      const staging = folderOfUser(t);
      const env = {
        ...Object.fromEntries(ofPod.map(({ name, value = '' }) => [name, value])),
        ...{ ...CREDENTIALS, AWS_ENDPOINT_URL_S3: server.endpoint, AWS_REGION: 'us-east-1' },
        JOB_COMPLETION_INDEX: String(index),
      };
      const { status, stdout, stderr } = await endOf(
        startContainer(inBucket, { mounts: { '/staging': staging }, env }),
      );
      assert.equal(status, 0, stdout + stderr);
      const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      converted += last.done;
      assert.deepEqual(fs.readdirSync(staging), []);
    }
    assert.equal(converted, 20);
    assert.deepEqual(await listUploads(server), []);
    const options = args.filter((arg) => /^--(format|quality)/.test(arg));
    const places = ['--source-dir=/archives', '--output-dir=/snapshots'];
    const mounts = { '/archives': source, '/snapshots': out };
    const { status, stderr } = await endOf(startContainer(['convert', ...places, ...options], { mounts, env: {} }));
    assert.equal(status, 0, stderr);
    const objects = [...(await readObjects(server, 'out/'))].map(([key, bytes]): [string, string] => [
      key.slice(4),
      bytes,
    ]);
    assertSameOutputs(new Map(objects.filter(([key]) => !key.startsWith('conversions.jsonl'))), readOutputs(out));
  });

  test('ends at once by the SIGTERM of its engine, and leaves nothing unfinished', async (t) => {
    const [source, out] = [folderOfUser(t), folderOfUser(t)];
    await makeEndless(path.join(source, '0200/AAAUSDT'));
    const mounts = { '/archives': source, '/snapshots': out };
    const args = ['convert', '--source-dir', '/archives', '--output-dir', '/snapshots', ...ENDLESS_OPTIONS];
    const child = startContainer(args, { mounts, env: {} });
    const ended = endOf(child);
    await until(() => listStaged(out).length > 0, 'an output is staged');
    // What the engine calls the container's first process.
    const first = execFileSync('pgrep', ['--parent', String(child.pid)], { encoding: 'utf8' }).trim();
    process.kill(Number(first), 'SIGTERM');
    const { status, stdout } = await ended;
    assert.equal(status, 143, stdout);
    assert.deepEqual([...readOutputs(out).keys(), ...listStaged(out)], []);
  });
});
