// Watches the sources. On a change it compiles what has changed and runs the tests that import it, directly or not, and
// those that bear its name: src/commands/join.ts has test/cli/join.test.ts, which starts the program and imports nothing
// of it. Others can be named, to run on every change too: npm run dev -- cli/resume
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { KERNELS, kernelSources } from './kernels.mjs';
import { findTests, runTests } from './test.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['src', 'test', 'kernel'];
/** An editor that saves several files is waited for. */
const QUIET_MS = 150;

const named = process.argv.slice(2);
const changed = new Set();
/** The tests that run, to be stopped by the next change. */
let running;
let timer;

for (const folder of FOLDERS) {
  fs.watch(path.join(root, folder), { recursive: true }, (_event, name) => {
    if (!/\.c?ts$/.test(name ?? '')) return;
    changed.add(path.join(folder, name));
    clearTimeout(timer);
    timer = setTimeout(onQuiet, QUIET_MS);
  });
}
say(compile() ? `waiting for a change in ${FOLDERS.join(', ')} …` : 'waiting for the next change …');

async function onQuiet() {
  running?.stop.abort();
  await running?.ended;
  const files = [...changed].sort();
  changed.clear();
  if (files.length === 0) return;
  say(`changed: ${files.join(', ')}`);
  if (compile()) {
    const tests = [...new Set([...testsOf(files), ...(named.length > 0 ? findTests(named) : [])])].sort();
    if (tests.length === 0) say('no test imports it: npm run dev -- PART_OF_PATH runs those you name');
    else {
      say(`running ${tests.length} test files`);
      const stop = new AbortController();
      running = { stop, ended: runTests(tests, { signal: stop.signal }) };
      await running.ended;
      if (stop.signal.aborted) return;
    }
  }
  say('waiting for the next change …');
}

/** Compiles in a process of its own, which ends with a message when something is wrong. */
function compile() {
  return spawnSync(process.execPath, [path.join(root, 'scripts/setup.mjs')], { stdio: 'inherit' }).status === 0;
}

/** The compiled tests that reach one of these files by their imports, or have the name of one. */
function testsOf(files) {
  const targets = new Set(files);
  const names = new Set(files.map((file) => path.basename(file, '.ts')));
  // A kernel is loaded by the module that lies beside it: book.wasm by book-kernel.ts.
  for (const { entry, outFile } of KERNELS) {
    const isTouched = kernelSources(root, entry).some((file) => targets.has(file));
    if (isTouched) targets.add(outFile.replace(/^dist\/(.*)\.wasm$/, '$1-kernel.ts'));
  }
  return findTests(['']).filter((test) => {
    const source = path.relative(path.join(root, 'dist'), test).replace(/\.js$/, '.ts');
    return names.has(path.basename(source, '.test.ts')) || [...withImports(source)].some((file) => targets.has(file));
  });
}

/** A source and all that it imports, from the checkout's root. */
function withImports(source) {
  const found = new Set([source]);
  for (const file of found) {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    if (text.includes("from 'bookgrid'")) found.add('src/index.ts');
    for (const [, imported] of text.matchAll(/(?:from|import) ?\(?'(\.[^']+)\.js'/g)) {
      found.add(`${path.join(path.dirname(file), imported)}.ts`);
    }
  }
  return found;
}

function say(text) {
  process.stderr.write(`dev: ${text}\n`);
}
