// Runs the tests, as many files at a time as there are cores (Node's own default leaves one idle).
// With arguments, only the files whose path holds one of them: npm test -- book/engine cli/
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const compiled = fileURLToPath(new URL('../dist/test', import.meta.url));
const reporter = new URL('./summary-reporter.mjs', import.meta.url).href;

/** The compiled test files whose path below test/ holds one of these parts. */
export function findTests(parts) {
  return fs
    .readdirSync(compiled, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js') && parts.some((part) => name.includes(part)))
    .map((name) => path.join(compiled, name))
    .sort();
}

/** Runs test files and prints how they went; answers the exit status. */
export async function runTests(files, { signal } = {}) {
  const args = ['--test', `--test-concurrency=${os.availableParallelism()}`];
  args.push(`--test-reporter=${reporter}`, '--test-reporter-destination=stdout', ...files);
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  signal?.addEventListener('abort', () => child.kill());
  const [status] = await once(child, 'close');
  return status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setUp();
  const parts = process.argv.slice(2);
  const files = findTests(parts.length > 0 ? parts : ['']);
  if (files.length === 0) process.stderr.write(`no test file has ${parts.join(' or ')} in its path\n`);
  process.exitCode = files.length === 0 ? 2 : await runTests(files);
}
