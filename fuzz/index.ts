/**
 * Fuzzes the program: `npm run fuzz -- --minutes N`. Exit status 1 when something was found, 2 for wrong usage.
 * docs/fuzzing.md says what is fuzzed, and what to do with what is found.
 */
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { nameOf, readInputs, writeInputs } from './corpus.js';
import { runSession } from './session.js';
import { TARGETS } from './targets.js';
import type { WorkerAnswer } from './worker.js';

const HELP = `npm run fuzz -- [options]

  --minutes N     how long in all, shared by the targets (default 1)
  --target NAME   only this target; may be given several times: ${Object.keys(TARGETS).join(', ')}
  --seed S        of the random numbers; a fresh one otherwise, which is printed
  --input FILE    tries this one input only, of the one --target given
  --keep          puts the smallest inputs that reach the same places into fuzz/corpus
`;

/** From the root of the checkout, where the command is run. */
const CORPUS = path.join('fuzz', 'corpus');
const REGRESSIONS = path.join('fuzz', 'regressions');
const FINDINGS = path.join('fuzz', 'findings');
/** Of one target in the repository: 300 KB of all of them are enough. */
const MAX_CORPUS_BYTES = 30_000;

interface Options {
  minutes: number;
  targets: string[];
  seed: number;
  input: string | undefined;
  keep: boolean;
}

function parseOptions(argv: string[]): Options | string {
  let values: ReturnType<typeof parse>['values'];
  const parse = () =>
    parseArgs({
      args: argv,
      options: {
        minutes: { type: 'string', default: '1' },
        target: { type: 'string', multiple: true },
        seed: { type: 'string' },
        input: { type: 'string' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  try {
    ({ values } = parse());
  } catch (error) {
    return (error as Error).message;
  }
  if (values.help) return HELP;
  const { target: targets = Object.keys(TARGETS), input, keep } = values;
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Date.now() % 0x7fffffff : Number(values.seed);
  const unknown = targets.find((name) => !(name in TARGETS));
  if (unknown !== undefined) return `no target is called ${unknown}\n\n${HELP}`;
  if (!(minutes > 0)) return `--minutes must be a number above 0, found ${values.minutes}`;
  if (!Number.isSafeInteger(seed)) return `--seed must be a whole number, found ${values.seed}`;
  if (input !== undefined && targets.length !== 1) return '--input goes with one --target';
  return { minutes, targets, seed, input, keep };
}

async function fuzzTarget(targetName: string, { minutes, targets, seed, input, keep }: Options): Promise<boolean> {
  const stored = [path.join(CORPUS, targetName), path.join(REGRESSIONS, targetName)].flatMap(readInputs);
  const durationMs = input === undefined ? (minutes * 60_000) / targets.length : 0;
  const startMs = performance.now();
  const answer = await runSession({
    targetName,
    corpus: input === undefined ? stored.map((each) => each.input) : [fs.readFileSync(input)],
    seed,
    durationMs,
    isInstrumented: true,
  });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  log(targetName, answer);
  const { finding, inputs, unit, places } = answer;
  process.stdout.write(`${targetName.padEnd(12)} ${inputs} ${unit} in ${seconds} s, ${places} places reached\n`);
  if (finding) {
    const file = path.join(FINDINGS, `${targetName}-${nameOf(finding.input)}`);
    fs.mkdirSync(FINDINGS, { recursive: true });
    fs.writeFileSync(file, finding.input);
    process.stdout.write(
      `${targetName}: FOUND after ${finding.afterInputs} ${unit}, seed ${seed}:\n${finding.what}\n` +
        `the smallest input found: ${file}, ${finding.input.length} bytes\n` +
        `again: npm run fuzz -- --target ${targetName} --input ${file}\n`,
    );
    return false;
  }
  if (keep) writeInputs(path.join(CORPUS, targetName), answer.corpus, MAX_CORPUS_BYTES);
  return true;
}

/** For docs/guarantees.md, which is written from such lines. */
function log(targetName: string, { unit, inputs, finding }: WorkerAnswer): void {
  const file = process.env['BOOKGRID_PROOF_LOG'];
  if (!file) return;
  const entry = { proof: 'fuzz', command: targetName, call: unit, count: inputs, found: finding ? 1 : 0 };
  fs.appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

const options = parseOptions(process.argv.slice(2));
if (typeof options === 'string') {
  process.stderr.write(`${options.trimEnd()}\n`);
  process.exitCode = options === HELP ? 0 : 2;
} else {
  process.stdout.write(`fuzzing ${options.targets.join(', ')} for ${options.minutes} minutes, seed ${options.seed}\n`);
  let found = 0;
  for (const name of options.targets) if (!(await fuzzTarget(name, options))) found++;
  process.exitCode = found === 0 ? 0 : 1;
}
