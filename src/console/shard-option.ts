/** Which shard of a plan this machine has, as the command line or a batch system tells. */
import type { Shard } from '../convert/shard.js';

const MAX_SHARDS = 10_000;

const EXPECTED =
  `Expected which part of how many, from 1/1 to ${MAX_SHARDS}/${MAX_SHARDS}, such as 3/16; or auto, or auto/16 where ` +
  'the batch system does not tell how many there are.';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a batch system tells a task of its place among all tasks of the job. */
interface Place {
  /** From 0. */
  index: number;
  /** `undefined`: not told. */
  count: number | undefined;
}

/** How batch systems tell, in the order in which they are asked. */
const BATCH_SYSTEMS: {
  name: string;
  variable: string;
  /** What else is asked. */
  others: string[];
  place(value: string, environment: Environment): Place;
}[] = [
  {
    // https://slurm.schedmd.com/job_array.html: ids need not begin with 0, and may have a step (--array=1-31:2).
    name: 'Slurm',
    variable: 'SLURM_ARRAY_TASK_ID',
    others: ['SLURM_ARRAY_TASK_MIN', 'SLURM_ARRAY_TASK_STEP', 'SLURM_ARRAY_TASK_COUNT'],
    place: (id, { SLURM_ARRAY_TASK_MIN: min, SLURM_ARRAY_TASK_STEP: step = '1', SLURM_ARRAY_TASK_COUNT: count }) => ({
      index: (Number(id) - Number(min)) / Number(step),
      count: count === undefined ? undefined : Number(count),
    }),
  },
  {
    // https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
    name: 'AWS Batch',
    variable: 'AWS_BATCH_JOB_ARRAY_INDEX',
    others: ['AWS_BATCH_JOB_ARRAY_SIZE'],
    place: (index, { AWS_BATCH_JOB_ARRAY_SIZE: size }) => ({
      index: Number(index),
      count: size === undefined ? undefined : Number(size),
    }),
  },
  {
    // https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode: a pod is not told how many there are.
    name: 'Kubernetes',
    variable: 'JOB_COMPLETION_INDEX',
    others: [],
    place: (index) => ({ index: Number(index), count: undefined }),
  },
];

/**
 * Reads `3/16`, `auto` or `auto/16`.
 *
 * @throws Error that says what would be right.
 */
export function parseShard(text: string, environment: Environment): Shard {
  const [, which = '', count] = /^(auto|\d{1,5})(?:\/(\d{1,5}))?$/.exec(text) ?? [];
  const given = count === undefined ? undefined : Number(count);
  if (which === 'auto') return checked(askBatchSystem(given, environment));
  if (which === '' || given === undefined) throw new Error(EXPECTED);
  return checked({ number: Number(which), of: given });
}

function checked(shard: Shard): Shard {
  const { number, of } = shard;
  if (!Number.isInteger(number) || !(number >= 1 && number <= of && of <= MAX_SHARDS)) throw new Error(EXPECTED);
  return shard;
}

/** A variable that is set to nothing would count as 0, and each task take the first part. */
function requireWhole(variables: readonly string[], environment: Environment): void {
  for (const name of variables) {
    const value = environment[name];
    if (value === undefined || /^\d{1,9}$/.test(value)) continue;
    throw new Error(`${name} is "${value}", and a whole number was expected.`);
  }
}

function askBatchSystem(given: number | undefined, environment: Environment): Shard {
  for (const { name, variable, others, place } of BATCH_SYSTEMS) {
    const value = environment[variable];
    if (value === undefined) continue;
    requireWhole([variable, ...others], environment);
    const { index, count = given } = place(value, environment);
    if (count === undefined) {
      throw new Error(`${name} does not tell how many tasks the job has: say it, as in auto/16.`);
    }
    if (given !== undefined && given !== count) {
      throw new Error(
        `The job has ${count} tasks by what ${name} tells, and not ${given}. To run one part again, say which: --shard 3/${given}.`,
      );
    }
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new Error(`${name} tells ${variable}=${value}, which is none of ${count} tasks.`);
    }
    return { number: index + 1, of: count };
  }
  const variables = BATCH_SYSTEMS.map(({ name, variable }) => `${variable} (${name})`).join(', ');
  throw new Error(`No batch system tells which part this is: none of ${variables} is set. Say it, as in 3/16.`);
}
