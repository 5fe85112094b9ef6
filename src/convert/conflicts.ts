import { UsageError } from '../base/usage-error.js';
import type { Difference } from '../catalog/staleness.js';

/** An output that is there, and whose rows mean something else than what is to be made. */
export interface Conflict {
  path: string;
  differences: Difference[];
}

/** What a difference of columns is called: no option, so that nothing can be added to go on as before. */
export const FORMAT_VERSION = 'format version';

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
    const what = describeWay(option, made, wanted, say);
    return `  ${paths.length} made ${what}, such as ${paths[0]}`;
  });
  const foreign = all.some(({ difference }) => difference.option === 'labels');
  const options = all.filter(({ difference: { option } }) => option !== 'labels' && option !== FORMAT_VERSION);
  return [
    `Nothing was converted: ${count(conflicts.length)} made in another way than this run would make them,`,
    all.every(({ difference }) => difference.option === 'partition')
      ? 'and days of one kind would lie in folders of two kinds:'
      : 'and rows that mean different things would lie side by side:',
    ...lines,
    'What to do:',
    ...(options.length > 0
      ? [`  go on as before: ${options.map(({ difference: { option, made } }) => say(option, made)).join(', ')}`]
      : []),
    ...(foreign ? ['  keep the two apart: another output folder'] : []),
    `  make them again as this run says: ${remake}`,
    ...(options.some(({ difference }) => difference.option === 'partition')
      ? ['    (each that lies in other folders is removed when the new one is there)']
      : []),
    `  leave them as they are, and make only what is not there: ${keep}`,
  ].join('\n');
}

function describeWay(option: string, made: unknown, wanted: unknown, say: Wording['say']): string {
  if (option === 'labels') return describeLabels(made);
  if (option === FORMAT_VERSION) return `with the columns of format version ${made}, and not ${wanted}`;
  return `${say(option, made)}, and not ${say(option, wanted)}`;
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
