// Installs the locked dependencies and compiles, each only as far as it is out of date, and says nothing when
// nothing is to do. `./bookgrid` and `npm test` both begin here, so a fresh clone needs no other step.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { KERNELS, kernelSources } from './kernels.mjs';
import { takeLock } from './lock.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockFile = path.join(root, 'package-lock.json');
/** Written by npm when it has installed everything: what is there. */
const installedFile = path.join(root, 'node_modules', '.package-lock.json');
/** What the stamp of each step below said when it was done: the state of its sources. */
const stamps = path.join(root, 'dist', '.setup');

/** What is compiled: TypeScript in one step, which compiles what has changed (tsconfig.json), and each kernel by itself. */
const STEPS = [
  {
    name: 'TypeScript',
    sources: () => ['tsconfig.json', ...typescriptSources()],
    command: ['node_modules/typescript/bin/tsc', '--project', '.'],
    finish: () => {
      removeOrphans();
      fs.chmodSync(path.join(root, 'dist/src/cli.cjs'), 0o755);
    },
  },
  {
    name: 'the program',
    sources: () => ['scripts/build-program.mjs', 'tsconfig.json', ...typescriptSources(['src'])],
    command: ['scripts/build-program.mjs'],
  },
  {
    name: 'the page of view',
    sources: () => ['scripts/build-page.mjs', 'tsconfig.json', ...listFiles('src/view'), 'src/base/time.ts'],
    command: ['scripts/build-page.mjs'],
  },
  ...KERNELS.map(({ name, entry, outFile, release }) => ({
    name: `kernel ${name}`,
    sources: () => ['scripts/kernels.mjs', ...kernelSources(root, entry)],
    command: ['node_modules/assemblyscript/bin/asc.js', entry, '--outFile', outFile, ...release],
  })),
];

/** Makes node_modules and dist current. Throws nothing: it ends the process with a message when a step fails. */
export function setUp({ rebuild = false } = {}) {
  requireNode();
  if (!rebuild && isInstalled() && STEPS.every(isDone)) return;
  const release = takeLock(path.join(root, '.setup.lock'));
  try {
    if (!isInstalled()) install();
    if (rebuild) fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
    for (const step of STEPS) if (!isDone(step)) compile(step);
  } finally {
    release();
  }
}

/** Whether each package is there in the version that is locked; those for other kinds of machines need not be. */
export function isInstalled() {
  const installed = readText(installedFile);
  if (installed === undefined) return false;
  const has = JSON.parse(installed).packages;
  const wants = Object.entries(JSON.parse(fs.readFileSync(lockFile, 'utf8')).packages);
  return wants.every(([name, { version, optional }]) => name === '' || optional || has[name]?.version === version);
}

function install() {
  execute('installing dependencies', [
    'npm',
    ...'ci --include=dev --no-audit --no-fund --loglevel=error --ignore-scripts'.split(' '),
  ]);
}

function isDone({ name, sources }) {
  return readText(stampOf(name)) === stateOf(sources());
}

function compile({ name, sources, command, finish }) {
  const state = stateOf(sources());
  fs.rmSync(stampOf(name), { force: true }); // what fails, or is stopped, may have written some of its files
  execute(`compiling ${name}`, [process.execPath, ...command]);
  finish?.();
  fs.mkdirSync(stamps, { recursive: true });
  fs.writeFileSync(stampOf(name), state);
}

function stampOf(name) {
  return path.join(stamps, `${name.replaceAll(' ', '-')}.stamp`);
}

/**
 * Names, sizes and times of files: cheap enough to look at before every run. Not their hash, since to load node:crypto
 * takes longer than all the rest. The lock file stands for the compilers.
 */
function stateOf(files) {
  return ['package-lock.json', ...files]
    .map((file) => {
      const stat = fs.statSync(path.join(root, file), { throwIfNoEntry: false });
      return `${file}\0${stat?.size}\0${stat?.mtimeMs}\n`;
    })
    .join('');
}

function typescriptSources(folders = ['src', 'test', 'bench', 'fuzz']) {
  return folders
    .flatMap((folder) => listFiles(folder))
    .filter((file) => /\.c?ts$/.test(file) && !file.includes('node_modules'));
}

/** Copies of what was compiled, below dist: who uses one makes it, and may be using it. */
const COPIES = ['debug', 'fuzzing'].map((name) => path.join('dist', name, path.sep));

/** Removes what was compiled from sources that are gone: a test that was deleted must not run. */
function removeOrphans() {
  const sources = new Set(typescriptSources());
  for (const file of listFiles('dist')) {
    if (COPIES.some((folder) => file.startsWith(folder))) continue;
    const source = path.relative('dist', file).replace(/(?:\.d\.(c?)ts|\.(c?)js)$/, '.$1$2ts');
    const isCompiled = /\.c?ts$/.test(source) && !source.startsWith(path.join('src', 'program'));
    if (isCompiled && !sources.has(source)) fs.rmSync(path.join(root, file));
  }
}

/** The files below a folder of the checkout, from its root. */
function listFiles(folder) {
  return fs
    .readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** As `engines` in package.json has it: `zlib.crc32` came with these. */
function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 2) || (major === 20 && minor >= 15)) return;
  fail(
    `Node.js 20.15 or later of version 20, or 22.2 or later, is needed: this is ${process.versions.node}. ` +
      'Get one at https://nodejs.org',
  );
}

function execute(what, [command, ...args]) {
  process.stderr.write(`bookgrid: ${what} …\n`);
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    fail(`${what} failed (${[command, ...args].join(' ')}): ${error.message}`);
  }
}

function fail(message) {
  process.stderr.write(`bookgrid: ${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp({ rebuild: process.argv.includes('--rebuild') });
