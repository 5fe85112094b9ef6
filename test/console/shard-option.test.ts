import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseShard } from '../../src/console/shard-option.js';

const SLURM = {
  SLURM_ARRAY_TASK_ID: '7',
  SLURM_ARRAY_TASK_MIN: '1',
  SLURM_ARRAY_TASK_STEP: '2',
  SLURM_ARRAY_TASK_COUNT: '16',
};
const AWS = { AWS_BATCH_JOB_ARRAY_INDEX: '0', AWS_BATCH_JOB_ARRAY_SIZE: '16' };

describe('a shard', () => {
  const right: [text: string, environment: Record<string, string>, number: number, of: number][] = [
    ['3/16', SLURM, 3, 16],
    ['1/1', {}, 1, 1],
    ['auto', SLURM, 4, 16],
    ['auto/16', SLURM, 4, 16],
    ['auto', { ...SLURM, SLURM_ARRAY_TASK_ID: '31' }, 16, 16],
    ['auto', AWS, 1, 16],
    ['auto', { ...AWS, AWS_BATCH_JOB_ARRAY_INDEX: '15' }, 16, 16],
    ['auto/16', { JOB_COMPLETION_INDEX: '15' }, 16, 16],
  ];
  for (const [text, environment, number, of] of right) {
    test(`${text} with ${JSON.stringify(environment)} is ${number} of ${of}`, () => {
      assert.deepEqual(parseShard(text, environment), { number, of });
    });
  }

  const wrong: [text: string, environment: Record<string, string>, message: RegExp][] = [
    ...['0/16', '17/16', '3', '3/0', '3/', '/16', '1.5/2', '-1/2', '3/16/2', 'auto/', '1/10001', ''].map(
      (text): [string, Record<string, string>, RegExp] => [text, {}, /^Expected which part of how many/],
    ),
    ['auto', {}, /none of SLURM_ARRAY_TASK_ID \(Slurm\), .* is set\. Say it, as in 3\/16/],
    ['auto', { JOB_COMPLETION_INDEX: '3' }, /Kubernetes does not tell how many/],
    ['auto/8', SLURM, /16 tasks by what Slurm tells, and not 8\. To run one part again, say which: --shard 3\/8\.$/],
    ['auto/8', { JOB_COMPLETION_INDEX: '8' }, /JOB_COMPLETION_INDEX=8, which is none of 8/],
    ...['x', '', ' ', '0x1', '1e0', '-1', '1.0'].map((index): [string, Record<string, string>, RegExp] => [
      'auto/8',
      { JOB_COMPLETION_INDEX: index },
      /^JOB_COMPLETION_INDEX is ".*", and a whole number was expected\.$/,
    ]),
    ['auto', { ...AWS, AWS_BATCH_JOB_ARRAY_SIZE: '' }, /^AWS_BATCH_JOB_ARRAY_SIZE is ""/],
    ['auto', { ...SLURM, SLURM_ARRAY_TASK_MIN: '' }, /^SLURM_ARRAY_TASK_MIN is ""/],
    ['auto', { ...SLURM, SLURM_ARRAY_TASK_ID: '6' }, /SLURM_ARRAY_TASK_ID=6, which is none of 16/],
  ];
  for (const [text, environment, message] of wrong) {
    test(`${text} with ${JSON.stringify(environment)} is refused`, () => {
      assert.throws(() => parseShard(text, environment), { message });
    });
  }
});
