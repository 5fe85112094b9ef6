import fs from 'node:fs';
import process from 'node:process';

/** What was tried, how often, and how often something was lost, short, unknown or wrong. */
export interface Proof {
  proof: 'kills' | 'soak' | 'load' | 'hostile' | 'faults' | 'syscalls' | 'crash-states';
  command: string;
  /** What was done to it, made to fail, or where it was made to end. */
  call: string;
  count: number;
  found: number;
}

/** Appends what was tried to the file BOOKGRID_PROOF_LOG, from which docs/guarantees.md is made, and prints it. */
export function logProof(proof: Proof): void {
  const line = JSON.stringify(proof);
  console.log(line);
  const log = process.env['BOOKGRID_PROOF_LOG'];
  if (log) fs.appendFileSync(log, `${line}\n`);
}
