// Fuzzes the program as compiled, with its kernels built with their assertions and instrumented, in dist/fuzzing. Takes
// the arguments of fuzz/index.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { instrument } from './instrument-kernel.mjs';
import { KERNELS } from './kernels.mjs';
import { setUp } from './setup.mjs';

/** Makes dist/fuzzing. @returns its folder. */
export function buildInstrumented() {
  const folder = path.join('dist', 'fuzzing');
  fs.rmSync(folder, { recursive: true, force: true });
  for (const part of ['src', 'test/support', 'fuzz']) {
    fs.cpSync(path.join('dist', part), path.join(folder, part), { recursive: true });
  }
  for (const { entry, outFile, debug } of KERNELS) {
    const target = path.join(folder, path.relative('dist', outFile));
    const asc = 'node_modules/assemblyscript/bin/asc.js';
    execFileSync(process.execPath, [asc, entry, '--outFile', target, ...debug], { stdio: 'inherit' });
    fs.writeFileSync(target, instrument(fs.readFileSync(target)));
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setUp();
  process.chdir(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
  const entry = path.join(buildInstrumented(), 'fuzz', 'index.js');
  const inputs = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-fuzz-inputs-'));
  const { status, signal } = spawnSync(process.execPath, [entry, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, BOOKGRID_FUZZ_INPUTS: inputs },
  });
  if (signal) {
    process.stderr.write(`the fuzzer was ended by ${signal}\n`);
    tellLastInputs(inputs, signal);
  }
  fs.rmSync(inputs, { recursive: true });
  process.exitCode = status ?? 1;
}

/** A thread that wants far too much memory at once brings down the process, and with it what would tell of it. */
function tellLastInputs(folder, signal) {
  for (const target of fs.readdirSync(folder)) {
    const file = path.join('fuzz/findings', `${target}-${signal}-${process.pid}`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(path.join(folder, target), file);
    process.stdout.write(
      `${target}: FOUND: its last input is ${file}\n` + `again: npm run fuzz -- --target ${target} --input ${file}\n`,
    );
  }
}
