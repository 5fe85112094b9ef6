/** The files of deploy/: each is what its system takes, and gives bookgrid a command line that it understands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';
import { Job } from 'kubernetes-models/batch/v1/Job';
import YAML from 'yaml';
import { parseConvertLine } from '../src/commands/convert-options.js';
import { CLI } from './support/cli.js';
import { readOutputs, tempDir } from './support/files.js';
import { makeArchive } from './support/runs.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => fs.readFileSync(path.join(ROOT, 'deploy', name), 'utf8');

/** Reads what stands after `bookgrid` in one task of several, and returns its shard. */
function shardOf([command, ...argv]: string[], environment: Record<string, string>) {
  assert.equal(command, 'convert');
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    return parseConvertLine(argv, []).shard;
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

test('the Kubernetes job is a Job by its schema, with as many shards as pods', () => {
  const job = new Job(YAML.parse(read('kubernetes-indexed-job.yaml')));
  job.validate();
  const args = job.spec?.template.spec?.containers[0]?.args ?? [];
  const last = String((job.spec?.completions ?? 0) - 1);
  assert.deepEqual(shardOf([...args], { JOB_COMPLETION_INDEX: last }), { number: 16, of: 16 });
});

/** The system's own: packages of the system belong to it. */
const PYTHON = '/usr/bin/python3';
const VALIDATE = `
import json, sys
import botocore.session
from botocore.validate import ParamValidator
operation = botocore.session.Session().get_service_model('batch').operation_model('RegisterJobDefinition')
sys.exit(ParamValidator().validate(json.load(sys.stdin), operation.input_shape).generate_report() or 0)
`;
const hasBotocore = spawnSync(PYTHON, ['-c', 'import botocore']).status === 0;

test('the AWS Batch job definition is one by the service model', {
  skip: !hasBotocore && 'NOT CHECKED: python3 has no botocore here (apt-get install python3-botocore)',
}, () => {
  const definition = read('aws-batch-job-definition.json');
  const { status, stderr } = spawnSync(PYTHON, ['-c', VALIDATE], { input: definition, encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

test('the AWS Batch job gives each task its shard', () => {
  const { containerProperties } = JSON.parse(read('aws-batch-job-definition.json'));
  const environment = { AWS_BATCH_JOB_ARRAY_INDEX: '9', AWS_BATCH_JOB_ARRAY_SIZE: '10' };
  assert.deepEqual(shardOf(containerProperties.command, environment), { number: 10, of: 10 });
});

test('the Slurm script is sound shell', {
  skip: spawnSync('shellcheck', ['--version']).status !== 0 && 'NOT CHECKED: shellcheck is not installed here',
}, () => {
  const { status, stdout } = spawnSync('shellcheck', [path.join(ROOT, 'deploy/slurm-array.sh')], { encoding: 'utf8' });
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
});

test('the Slurm script, run as sbatch runs it, converts its shard', async (t) => {
  const [source, out, bin] = [tempDir(t), tempDir(t), tempDir(t)];
  for (const pair of ['AAAUSDT', 'BBBUSDT']) await makeArchive(source, { pair, depth: 200 });
  fs.symlinkSync(CLI, path.join(bin, 'bookgrid'));
  fs.chmodSync(CLI, 0o755);
  for (const id of ['1', '2']) {
    const env = {
      ...{ ...process.env, PATH: `${bin}:${process.env['PATH']}` },
      ...{ BOOKGRID_SOURCE_DIR: source, BOOKGRID_OUTPUT_DIR: out },
      ...{ SLURM_ARRAY_TASK_ID: id, SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '2', SLURM_CPUS_PER_TASK: '1' },
    };
    const script = path.join(ROOT, 'deploy/slurm-array.sh');
    const { status, stdout, stderr } = spawnSync(script, ['--depths', '5'], { env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Successfully processed: 1\n/);
  }
  assert.equal(readOutputs(out).size, 2);
});

test('the Dockerfile has no mistake that its linter knows', () => {
  assert.deepEqual(validate(read('Dockerfile')), []);
});
