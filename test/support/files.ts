import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A folder that is gone when the test ends. */
export function tempDir(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-test-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Every file below a folder: path from the folder, with `/`, to content. */
export function readTree(dir: string): Map<string, string> {
  const names = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => fs.statSync(path.join(dir, name)).isFile());
  return new Map(
    files.map((name) => [name.split(path.sep).join('/'), fs.readFileSync(path.join(dir, name), 'latin1')]),
  );
}

/** The outputs below a folder: everything but the records. */
export function readOutputs(dir: string): Map<string, string> {
  const tree = readTree(dir);
  tree.delete('conversions.jsonl');
  return tree;
}
