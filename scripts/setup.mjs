// Installs the locked dependencies and compiles, each only when it is out of date, and says nothing when
// nothing is to do. `./bookgrid` and `npm test` both begin here, so a fresh clone needs no other step.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockFile = path.join(root, 'package-lock.json');
/** A copy of the lock file that was installed. */
const installStamp = path.join(root, 'node_modules', '.bookgrid-installed');
/** What {@link sources} said when it was compiled. */
const buildStamp = path.join(root, 'dist', '.built');
const lock = path.join(root, '.setup.lock');

/** Both live in one memory (src/wasm/arena.ts), the inflater's tables below the book's kernel (kernel/layout.ts). */
export const KERNELS = [
  ['kernel/index.ts', 'dist/src/wasm/book.wasm'],
  ['kernel/inflate.ts', 'dist/src/wasm/inflate.wasm'],
];
export const ASC_OPTIONS =
  '--runtime stub --importMemory --enable simd --enable bulk-memory --disableWarning 112'.split(' ');
const RELEASE_OPTIONS = [...ASC_OPTIONS, '-O3', '--noAssert'];

/** Makes node_modules and dist current. Throws nothing: it ends the process with a message when a step fails. */
export function setUp({ rebuild = false } = {}) {
  requireNode(20, 15);
  if (!rebuild && isInstalled() && isBuilt()) return;
  const release = takeLock();
  try {
    if (!isInstalled()) {
      step('installing dependencies', ['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts']);
      fs.copyFileSync(lockFile, installStamp);
    }
    if (rebuild || !isBuilt()) {
      const compiled = sources();
      fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
      step('compiling', [process.execPath, 'node_modules/typescript/bin/tsc', '--project', '.']);
      for (const [entry, outFile] of KERNELS) {
        const asc = 'node_modules/assemblyscript/bin/asc.js';
        step(`compiling ${entry}`, [process.execPath, asc, entry, '--outFile', outFile, ...RELEASE_OPTIONS]);
      }
      fs.chmodSync(path.join(root, 'dist', 'src', 'cli.js'), 0o755);
      fs.writeFileSync(buildStamp, compiled);
    }
  } finally {
    release();
  }
}

function isInstalled() {
  return readStamp(installStamp) === fs.readFileSync(lockFile, 'utf8');
}

function isBuilt() {
  return readStamp(buildStamp) === sources();
}

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  fail(`Node.js ${major}.${minor} or later is needed, this is ${process.versions.node}. Get one at https://nodejs.org`);
}

/**
 * Names, sizes and times of what is compiled: cheap enough to look at before every run. Not their hash, since to load
 * node:crypto takes longer than all the rest.
 */
function sources() {
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/setup.mjs'];
  const files = [...settings, ...['src', 'test', 'bench', 'kernel'].flatMap(listSources)];
  return files
    .map((file) => {
      const { size, mtimeMs } = fs.statSync(path.join(root, file));
      return `${file}\0${size}\0${mtimeMs}\n`;
    })
    .join('');
}

function listSources(folder) {
  return fs
    .readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => !file.includes('node_modules'))
    .sort();
}

function readStamp(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function step(what, [command, ...args]) {
  process.stderr.write(`bookgrid: ${what} …\n`);
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    fail(`${what} failed (${[command, ...args].join(' ')}): ${error.message}`);
  }
}

/** Two first runs at once must not install over each other: the second waits for the first. */
function takeLock() {
  for (let announced = false; ; announced = true) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      const release = () => fs.rmSync(lock, { force: true });
      process.once('exit', release);
      return release;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(lock)) {
      fs.rmSync(lock, { force: true });
      continue;
    }
    if (!announced) process.stderr.write('bookgrid: another process is setting this checkout up; waiting …\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function isStale(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return false; // just released
  const pid = Number(readStamp(file));
  // Without a number its owner is about to write it, or the disk was full when it tried.
  return pid ? !isAlive(pid) : Date.now() - stat.mtimeMs > 5000;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function fail(message) {
  process.stderr.write(`bookgrid: ${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp({ rebuild: process.argv.includes('--rebuild') });
