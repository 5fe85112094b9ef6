/** What must hold of an output folder whatever happened to the run that wrote it, looked at without the program. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const RECORDS = 'conversions.jsonl';

/** All files below a folder, hidden ones too, but no records, by their path from it, with `/`. */
export function filesBelow(folder: string): Map<string, Buffer> {
  if (!fs.existsSync(folder)) return new Map();
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== RECORDS)
    .map((entry) => path.join(entry.path, entry.name));
  return new Map(files.sort().map((file) => [relative(folder, file), fs.readFileSync(file)]));
}

function relative(folder: string, file: string): string {
  return path.relative(folder, file).split(path.sep).join('/');
}

/** Whether it is, or lies in, something that the program has not finished. */
export function isHidden(name: string): boolean {
  return name.split('/').some((step) => step.startsWith('.'));
}

/** The files that somebody would take for finished: all but hidden ones. */
export function visibleBelow(folder: string): Map<string, Buffer> {
  return new Map([...filesBelow(folder)].filter(([name]) => !isHidden(name)));
}

/** What was not finished. */
export function hiddenBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.map((name) => name.split(path.sep).join('/')).filter(isHidden);
}

/**
 * Asserts that what is visible is whole: each file has the bytes of one of the states that it may be in.
 *
 * @param states whole folders: that before the run, that after it.
 * @param report a file that may tell something else.
 */
export function assertWhole(
  folder: string,
  states: readonly Map<string, Buffer>[],
  what: string,
  report?: string,
): void {
  for (const [name, bytes] of visibleBelow(folder)) {
    if (name === report) continue;
    const isOne = states.some((state) => state.get(name)?.equals(bytes));
    assert.ok(isOne, `${what}: ${name} with ${bytes.length} bytes is none that was to be written`);
  }
}

/** Asserts that a record with the SHA-256 of its bytes tells of each visible file. Lines that are cut short tell nothing. */
export function assertRecorded(folder: string, what: string): void {
  const recorded = new Set<string>();
  const file = path.join(folder, RECORDS);
  for (const line of fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []) {
    for (const { path: place, sha256 } of outputsOf(line)) recorded.add(`${place} ${sha256}`);
  }
  for (const [name, bytes] of visibleBelow(folder)) {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    assert.ok(recorded.has(`${name} ${sha256}`), `${what}: no record tells of ${name}`);
  }
}

function outputsOf(line: string): { path: string; sha256: string }[] {
  try {
    const { status, outputs } = JSON.parse(line) as { status: string; outputs: { path: string; sha256: string }[] };
    return status === 'done' ? outputs : [];
  } catch {
    return [];
  }
}

/** Asserts that a folder holds what it should and nothing else; records are not compared. */
export function assertIs(folder: string, golden: Map<string, Buffer>, what: string): void {
  const files = filesBelow(folder);
  assert.deepEqual([...files.keys()], [...golden.keys()], what);
  for (const [name, bytes] of golden) assert.ok(files.get(name)?.equals(bytes), `${what}: ${name} is as it should be`);
}

/** A process that there is none of: beyond the greatest number that Linux gives out (proc(5), pid_max). */
const NOBODY = 4_194_305;

/**
 * Names what this process has not finished as that of a process that has ended, so that a run in this process finds it as
 * the next run of the program would.
 */
export function bury(folder: string): void {
  for (const name of hiddenBelow(folder).reverse()) {
    const [own, above] = [path.basename(name), path.dirname(name)];
    if (!own.startsWith('.')) continue;
    const buried = own.replace(`-${process.pid}-`, `-${NOBODY}-`);
    if (buried !== own) fs.renameSync(path.join(folder, name), path.join(folder, above, buried));
  }
}
