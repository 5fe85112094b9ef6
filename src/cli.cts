#!/usr/bin/env node
/**
 * The program. All of it lies in a few files (scripts/build-program.mjs): to find, open and link a hundred modules takes
 * longer than to convert a small archive. This one is CommonJS, because Node loads what it needs for ES modules only when
 * it meets one.
 *
 * What V8 has compiled of the program in its first runs is kept in dist/.compile-cache, beside the code, so that whoever
 * can write to the one can write to the other. Node's own cache saves less, and versions before 22.8 have none; it is used for
 * what the program loads later.
 */
import fs = require('node:fs');
import Module = require('node:module');
import path = require('node:path');
import vm = require('node:vm');
import zlib = require('node:zlib');

const PROGRAM = path.join(__dirname, 'program', 'command-line.cjs');
/**
 * In front of what V8 has compiled are its CRC-32, since V8 believes what it is given and a broken file could bring it down,
 * and the number of runs that have added to it.
 */
const HEAD_BYTES = 8;
/** So many runs add what they needed: the first finds no records to read, another writes Parquet. */
const LEARNING_RUNS = 4;

interface Kept {
  runs: number;
  compiled: Buffer;
}

/** Arguments with which little of the program is run, and little would be kept. */
const ONLY_PRINTS = /^(help|version)\b|(^| )(-h|-V|--help|--version)( |$)/;

const { NODE_DISABLE_COMPILE_CACHE, NODE_COMPILE_CACHE } = process.env;
const folder = NODE_COMPILE_CACHE || path.join(__dirname, '..', '.compile-cache');
const isKept = !NODE_DISABLE_COMPILE_CACHE && isTrusted(folder);
const { enableCompileCache } = Module as { enableCompileCache?: (folder: string) => unknown };
// Node makes folders and files of its own there, with the rights of the umask.
if (isKept && (process.umask() & 0o002) !== 0) enableCompileCache?.(folder);

const program = new Module(PROGRAM, module);
program.filename = PROGRAM;
// Other files of the program ask for this one.
require.cache[PROGRAM] = program;
const main = compiledProgram().runInThisContext();
main(program.exports, Module.createRequire(PROGRAM), program, PROGRAM, path.dirname(PROGRAM));
program.loaded = true;

function compiledProgram(): vm.Script {
  const bytes = fs.readFileSync(PROGRAM);
  const name = `${process.version}-${process.arch}-${zlib.crc32(bytes).toString(16)}.v8`;
  const file = isKept ? path.join(folder, name) : undefined;
  const kept = file === undefined ? undefined : readKept(file);
  // The bytes are ASCII throughout, and Latin-1 is what takes the least time to read.
  const script = new vm.Script(Module.wrap(bytes.toString('latin1')), {
    filename: PROGRAM,
    ...(kept && { cachedData: kept.compiled }),
  });
  const runs = kept === undefined || script.cachedDataRejected ? 0 : kept.runs;
  if (file !== undefined && runs < LEARNING_RUNS && !ONLY_PRINTS.test(process.argv.slice(2).join(' '))) {
    process.once('exit', (code) => code === 0 && keep(file, runs + 1, script));
  }
  return script;
}

/**
 * Sees that nobody else can write to the folder, which is made when it is not there, whatever the umask: what is kept there
 * is run.
 */
function isTrusted(folder: string): boolean {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
    const { uid, mode } = fs.statSync(folder);
    const isOurs = [0, process.getuid?.(), fs.statSync(PROGRAM).uid].includes(uid);
    // Where there are no users of this kind, the folder has the rights of the one that the program is in.
    return process.getuid === undefined || (isOurs && (mode & 0o022) === 0);
  } catch {
    return false; // it cannot be made
  }
}

function readKept(file: string): Kept | undefined {
  try {
    const bytes = fs.readFileSync(file);
    const compiled = bytes.subarray(HEAD_BYTES);
    const isWhole = zlib.crc32(compiled) === bytes.readUInt32LE();
    return isWhole ? { runs: bytes.readUInt32LE(4), compiled } : undefined;
  } catch {
    return undefined; // There is none yet, or it cannot be read: then all is compiled once more.
  }
}

function keep(file: string, runs: number, script: vm.Script): void {
  const partial = `${file}.${process.pid}`;
  try {
    // Before V8 is asked, which takes some time: where nothing can be written, each run would.
    fs.writeFileSync(partial, '', { mode: 0o644 });
    const compiled = script.createCachedData();
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(zlib.crc32(compiled));
    head.writeUInt32LE(runs, 4);
    fs.writeFileSync(partial, Buffer.concat([head, compiled]));
    fs.renameSync(partial, file);
  } catch {
    // Where nothing can be written, nothing is kept.
    removeIfThere(partial);
  }
}

function removeIfThere(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // Nor can anything be removed there.
  }
}
