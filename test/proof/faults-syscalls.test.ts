/** The real program meets errors of the kernel: strace(1) answers in its place, at each call in turn. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { CLI, type CliResult, finished } from '../support/cli.js';
import { NO_STRACE } from '../support/crash-log.js';
import { checkAfterFault } from '../support/faults-check.js';
import { outOf, type Prepared, placeIn, prepare, type Scenario, WRITING } from '../support/faults-scenarios.js';
import { tempDir } from '../support/files.js';
import { archivePath, fixture } from '../support/fixtures.js';
import { logProof } from '../support/proof-log.js';

const IS_LONG = process.env['CI_LONG'] === '1';
/** Of the calls of a kind so many are passed over after one that is tried, in the short form. */
const STRIDE = 5;

interface Injection {
  call: string;
  code: string;
  /** Only of calls to these; absent: Node makes none of its own. */
  to?: (folder: string) => string[];
}

const records = (folder: string) => path.join(outOf(folder), 'conversions.jsonl');

const INJECTIONS: Injection[] = [
  { call: 'fsync', code: 'EIO' },
  { call: 'rename', code: 'EIO' },
  { call: 'mkdir', code: 'ENOSPC' },
  { call: 'pwrite64', code: 'ENOSPC' },
  { call: 'write', code: 'ENOSPC', to: (folder) => [records(folder)] },
  {
    call: 'pread64',
    code: 'EIO',
    to: (folder) => [archivePath(path.join(folder, 'source'), fixture('archives', 'GZIP').fileName)],
  },
  { call: 'openat', code: 'EMFILE', to: (folder) => [records(folder), ...foldersOf(folder)] },
  { call: 'close', code: 'EIO', to: (folder) => [records(folder)] },
];

function foldersOf(folder: string): string[] {
  const out = outOf(folder);
  return [out, path.join(out, '0002'), path.join(out, '0002', 'PLAIN')];
}

interface Injected {
  result: CliResult;
  isHit: boolean;
}

async function runInjected(
  argv: string[],
  { call, code, to }: Injection,
  nth: number,
  folder: string,
): Promise<Injected> {
  const log = `${folder}.log`;
  const paths = to?.(folder).flatMap((file) => ['-P', file]) ?? [];
  const inject = `inject=${call}:error=${code}:when=${nth}`;
  const options = ['-f', '-o', log, ...paths, '-e', `trace=${call}`, '-e', inject];
  const child = spawn('strace', [...options, process.execPath, CLI, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: 'true' },
  });
  const result = await finished(child);
  const traced = fs.readFileSync(log, 'utf8');
  fs.rmSync(log);
  // Else strace has lost the program, and says why.
  assert.match(traced, /\+\+\+ (exited with|killed by)/, `traced to its end: ${JSON.stringify(result)}\n${traced}`);
  // strace says on standard error that it follows a link of a path, or does not know it yet.
  result.stderr = result.stderr.replace(/^.*strace: .*\n/gm, '');
  const isHit = traced.includes('(INJECTED)');
  return { result, isHit };
}

async function injectEach(ready: Prepared, root: string, injection: Injection): Promise<string[]> {
  const { call, code } = injection;
  const folder = placeIn(root);
  const problems: string[] = [];
  let count = 0;
  for (let nth = 1; ; nth += IS_LONG ? 1 : STRIDE) {
    fs.rmSync(folder, { recursive: true, force: true });
    ready.copyTo(folder);
    const { result, isHit } = await runInjected(ready.argv(folder), injection, nth, folder);
    if (!isHit) {
      assert.ok(nth > 1 || call === 'mkdir', `no ${call} was made to fail: ${JSON.stringify(result)}`);
      break;
    }
    count++;
    try {
      await checkAfterFault(ready, { folder, tried: `${ready.name}: ${call} ${nth} ${code}`, result, cause: code });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (count > 0) logProof({ proof: 'faults', command: `${ready.name} (process)`, call, count, found: problems.length });
  return problems;
}

for (const scenario of WRITING.slice(0, IS_LONG ? undefined : 1)) testScenario(scenario);

function testScenario(scenario: Scenario): void {
  test(`${scenario.name}: calls of the real program fail in turn`, { skip: NO_STRACE }, async (t) => {
    const root = tempDir(t);
    const ready = await prepare(scenario, root);
    const problems: string[] = [];
    // Those that are to certain files know where convert's first scenario has them.
    const injections = INJECTIONS.filter(({ to }) => !to || scenario === WRITING[0]);
    for (const injection of injections) problems.push(...(await injectEach(ready, root, injection)));
    assert.ok(problems.length === 0, problems.join('\n\n'));
  });
}
