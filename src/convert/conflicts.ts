import { UsageError } from '../base/usage-error.js';
import type { Difference } from '../catalog/staleness.js';

/** An output that is there, and whose rows mean something else than what is to be made. */
export interface Conflict {
  path: string;
  differences: Difference[];
}

/** How options are said where they were given. */
export interface Wording {
  /** `--quality`, or `without --quality`. */
  say: (option: string, value: unknown) => string;
  /** What makes all again, and what leaves all as they are. */
  remake: string;
  keep: string;
}

const OF_LIBRARY: Wording = {
  say: (option, value) => `${option} ${JSON.stringify(value)}`,
  remake: "onStale: 'remake'",
  keep: "onStale: 'keep'",
};

/** Nothing is made, because rows of different meaning would lie side by side. */
export class ConflictError extends UsageError {
  override name = 'ConflictError';
  readonly conflicts: readonly Conflict[];

  /** @internal */
  constructor(conflicts: readonly Conflict[], wording = OF_LIBRARY) {
    super(describe(conflicts, wording));
    this.conflicts = conflicts;
  }
}

function describe(conflicts: readonly Conflict[], { say, remake, keep }: Wording): string {
  const groups = new Map<string, { difference: Difference; paths: string[] }>();
  for (const { path, differences } of conflicts) {
    for (const difference of differences) {
      const key = JSON.stringify(difference);
      const group = groups.get(key) ?? { difference, paths: [] };
      groups.set(key, group);
      group.paths.push(path);
    }
  }
  const all = [...groups.values()];
  const lines = all.map(({ difference: { option, made, wanted }, paths }) => {
    const what = option === 'labels' ? describeLabels(made) : `${say(option, made)}, and not ${say(option, wanted)}`;
    return `  ${paths.length} made ${what}, such as ${paths[0]}`;
  });
  const foreign = all.some(({ difference }) => difference.option === 'labels');
  const options = all.filter(({ difference }) => difference.option !== 'labels');
  return [
    `Nothing was converted: ${count(conflicts.length)} made in another way than this run would make them,`,
    'and rows that mean different things would lie side by side:',
    ...lines,
    'What to do:',
    ...(options.length > 0
      ? [`  go on as before: ${options.map(({ difference: { option, made } }) => say(option, made)).join(', ')}`]
      : []),
    ...(foreign ? ['  keep the two apart: another output folder'] : []),
    `  make them again as this run says: ${remake}`,
    `  leave them as they are, and make only what is not there: ${keep}`,
  ].join('\n');
}

/** Where no record tells of an output, its first label does. */
function describeLabels(made: unknown): string {
  return made === 'python'
    ? 'by the Python scripts, by their labels: each row holds the book of a minute later, so it looks ahead'
    : 'as of their labels, without look-ahead, and this run would make rows that look ahead by a minute';
}

function count(outputs: number): string {
  return outputs === 1 ? '1 output here was' : `${outputs} outputs here were`;
}
