// Runs the tests, as many files at a time as there are cores (Node's own default leaves one idle).
// With arguments, only the files whose path holds one of them: npm test -- book/engine cli/
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

setUp();
const tests = fileURLToPath(new URL('../dist/test', import.meta.url));
const wanted = process.argv.slice(2);
const files = fs
  .readdirSync(tests, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => path.join(tests, name))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
const concurrency = `--test-concurrency=${os.availableParallelism()}`;
const { status } = spawnSync(process.execPath, ['--test', concurrency, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
