/** Inputs that are kept as files: those that reach all there is to reach, and those that once found something. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** The files of a target's folder, if there is one. */
export function readInputs(folder: string): { name: string; input: Buffer }[] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).sort();
  return names.map((name) => ({ name, input: fs.readFileSync(path.join(folder, name)) }));
}

/** What an input is called. */
export function nameOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 12);
}

/** Puts inputs in place of those that were there, the smallest first, as far as there is room. */
export function writeInputs(folder: string, inputs: readonly Uint8Array[], maxBytes: number): void {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  let bytes = 0;
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    bytes += input.length;
    if (bytes > maxBytes) return;
    fs.writeFileSync(path.join(folder, nameOf(input)), input);
  }
}
