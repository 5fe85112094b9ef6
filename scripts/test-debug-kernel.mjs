// Runs the tests of the kernels on a build of them in which each `assert` in kernel/ is checked. What fails one ends
// with "RuntimeError: unreachable", and the stack trace names the kernel's function. The program is as it was compiled,
// copied to dist/debug.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { KERNELS } from './kernels.mjs';
import { setUp } from './setup.mjs';
import { runTests } from './test.mjs';

/** The path of a test holds one of these. */
const TESTS = ['audit/findings', 'book/', 'wasm/', 'archive/kernel-inflate'];

setUp();
process.chdir(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const debug = path.join('dist', 'debug');
fs.rmSync(debug, { recursive: true, force: true });
for (const part of ['src', 'test']) fs.cpSync(path.join('dist', part), path.join(debug, part), { recursive: true });
for (const { entry, outFile, debug: options } of KERNELS) {
  const target = path.join(debug, path.relative('dist', outFile));
  const asc = 'node_modules/assemblyscript/bin/asc.js';
  execFileSync(process.execPath, [asc, entry, '--outFile', target, ...options], { stdio: 'inherit' });
}
const files = fs
  .readdirSync(path.join(debug, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js') && TESTS.some((part) => name.includes(part)))
  .map((name) => path.join(debug, 'test', name));
process.exitCode = await runTests(files);
