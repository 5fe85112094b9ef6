/** The files that the program is put into (scripts/build-program.mjs). That it works in them is tested by all of cli/. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from './support/files.js';
import { makeArchive } from './support/runs.js';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const PROGRAM = path.join(SRC, 'program');

/** The modules of a bundle: a comment names each. */
function modulesOf(name: string): string[] {
  const text = fs.readFileSync(path.join(PROGRAM, name), 'utf8');
  return [...text.matchAll(/^\/\/ ((?:src|node_modules)\/\S+)$/gm)].map(([, file = '']) => file);
}

function bundles(): string[] {
  return fs.readdirSync(PROGRAM).filter((name) => name.endsWith('.cjs'));
}

test('of each module there is one, so that what it keeps is kept in one place', () => {
  const first = modulesOf('command-line.cjs');
  const others = modulesOf('other-commands.cjs');
  assert.ok(first.includes('src/command-line.ts') && others.includes('src/commands/view.ts'));
  const all = [...first, ...others];
  assert.deepEqual(
    all.filter((file, index) => all.indexOf(file) !== index),
    [],
  );
});

test('what a conversion does not need is not loaded for it', () => {
  const first = modulesOf('command-line.cjs');
  for (const file of [
    'src/commands/view.ts',
    'src/commands/audit.ts',
    'src/join/parquet.ts',
    'node_modules/yazl/index.js',
  ]) {
    assert.ok(!first.includes(file), file);
  }
});

test('a bundle takes nothing from outside but Node, packages that are installed with it, and the other bundle', () => {
  const { dependencies, peerDependencies } = JSON.parse(fs.readFileSync(path.join(SRC, '../../package.json'), 'utf8'));
  const installed = Object.keys({ ...dependencies, ...peerDependencies });
  for (const name of bundles()) {
    const text = fs.readFileSync(path.join(PROGRAM, name), 'utf8');
    const wanted = [...text.matchAll(/\b(?:require\w*|import)\("([^"]+)"\)/g)].map(([, from = '']) => from);
    assert.ok(wanted.includes('node:fs'));
    const wrong = wanted.filter(
      (from) =>
        !isBuiltin(from) &&
        !installed.some((one) => from === one || from.startsWith(`${one}/`)) &&
        !(from.startsWith('./') && bundles().includes(from.slice(2))),
    );
    assert.deepEqual(wrong, [], name);
  }
});

test('the licence of every package in the bundles goes with them', () => {
  const licences = fs.readFileSync(path.join(PROGRAM, 'LICENSES.txt'), 'utf8');
  const packages = new Set(
    bundles()
      .flatMap(modulesOf)
      .flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  assert.ok(packages.has('commander'));
  for (const name of packages) assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, 'm'));
  assert.doesNotMatch(licences, /^License: undefined/m);
});

test('what V8 has compiled is kept beside the program, unless Node is told not to', async (t) => {
  const folder = await copyOfProgram(t);
  const cache = path.join(folder, 'dist/.compile-cache');
  runProgram(folder, { NODE_DISABLE_COMPILE_CACHE: '1' });
  assert.equal(fs.existsSync(cache), false);
  const elsewhere = path.join(folder, 'elsewhere');
  runProgram(folder, { NODE_COMPILE_CACHE: elsewhere });
  assert.equal(fs.existsSync(cache), false);
  assert.equal(keptIn(elsewhere).length, 1);
  runProgram(folder);
  assert.equal(keptIn(cache).length, 1);
  // Where nothing can be written, the program runs all the same.
  fs.rmSync(cache, { recursive: true });
  fs.writeFileSync(cache, 'no folder');
  runProgram(folder);
});

test('nobody else can write what is run, whatever the umask; where somebody can, nothing is kept', async (t) => {
  const folder = await copyOfProgram(t);
  const cache = path.join(folder, 'dist/.compile-cache');
  const before = process.umask(0);
  try {
    runProgram(folder);
  } finally {
    process.umask(before);
  }
  const [kept = ''] = keptIn(cache);
  for (const name of [cache, kept]) assert.equal(fs.statSync(name).mode & 0o022, 0, name);
  fs.rmSync(kept);
  fs.chmodSync(cache, 0o777);
  runProgram(folder);
  assert.deepEqual(keptIn(cache), []);
});

test('it is used as it is, until the program is another or it is broken', async (t) => {
  const folder = await copyOfProgram(t);
  const cache = path.join(folder, 'dist/.compile-cache');
  runProgram(folder);
  const [kept = ''] = keptIn(cache);
  const compiled = fs.readFileSync(kept);
  // Some runs add to it what they have needed.
  for (let run = 0; run < 5; run++) runProgram(folder);
  const { ino } = fs.statSync(kept);
  runProgram(folder);
  assert.equal(fs.statSync(kept).ino, ino, 'not written again');

  for (const broken of [compiled.subarray(0, 1000), Buffer.alloc(0), flipped(compiled, 5000)]) {
    fs.writeFileSync(kept, broken);
    runProgram(folder);
    assert.notDeepEqual(fs.readFileSync(kept), broken, 'made again');
  }
  const text = path.join(folder, 'dist/src/program/command-line.cjs');
  fs.appendFileSync(text, '\n');
  runProgram(folder);
  assert.equal(keptIn(cache).length, 2, 'of another text, in a file of its own');
});

/** With an archive, so that there is something to do. */
async function copyOfProgram(t: TestContext): Promise<string> {
  const folder = tempDir(t);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of ['cli.cjs', 'program'])
    fs.cpSync(path.join(SRC, name), path.join(folder, 'dist/src', name), { recursive: true });
  await makeArchive(path.join(folder, 'in'), { pair: 'AAAUSDT' });
  return folder;
}

function runProgram(folder: string, settings: NodeJS.ProcessEnv = {}): void {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...others } = process.env;
  const args = ['--source-dir', path.join(folder, 'in'), '--output-dir', path.join(folder, 'out'), '--dry-run'];
  const { status, stderr } = spawnSync(process.execPath, [path.join(folder, 'dist/src/cli.cjs'), ...args], {
    env: { ...others, ...settings },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
}

/** The files in which we keep it; Node may keep folders of its own beside them. */
function keptIn(cache: string): string[] {
  const names = fs.readdirSync(cache).filter((name) => fs.statSync(path.join(cache, name)).isFile());
  return names.map((name) => path.join(cache, name));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}
