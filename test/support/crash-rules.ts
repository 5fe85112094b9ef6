/** What must hold of the order in which a command makes a folder durable, whatever else it does. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Step } from './crash-log.js';
import { durableNames } from './crash-states.js';
import { isHidden } from './faults-ledger.js';

const RECORDS = 'conversions.jsonl';

/** What was checked, how often, and each case in which it did not hold. */
export interface Verdict {
  rule: string;
  count: number;
  broken: string[];
}

/**
 * Checks each rename that makes a file appear.
 *
 * @param outputDir a folder in which each file needs its record.
 */
export function checkOrder(steps: readonly Step[], folder: string, outputDir: string): Verdict[] {
  const appearances = [...steps.entries()].flatMap(([index, step]) => {
    const isAppearance = step.kind === 'rename' && !isHidden(path.relative(folder, step.to));
    return isAppearance ? [{ index, from: step.path, to: step.to }] : [];
  });
  const removals = [...steps.entries()].flatMap(([index, step]) => {
    const isVisible = step.kind === 'unlink' && !isHidden(path.relative(folder, step.path));
    return isVisible ? [{ index, from: step.path, to: step.path }] : [];
  });
  const verdict = (rule: string, cases: typeof appearances, holds: (one: (typeof appearances)[number]) => boolean) => ({
    rule,
    count: cases.length,
    broken: cases.filter((one) => !holds(one)).map(({ to }) => to),
  });
  const outputs = appearances.filter(({ to }) => to.startsWith(outputDir + path.sep));
  const unknown = steps.flatMap((step) => (step.kind === 'unknown' ? step.name : []));
  return [
    { rule: 'nothing else changes files', count: steps.length, broken: unknown },
    verdict('file synced before its rename', appearances, ({ index, from }) => isSynced(steps, index, from)),
    verdict('folders durable before the rename', appearances, ({ index, to }) => hasDurableFolders(steps, index, to)),
    verdict('folder synced after the rename', appearances, ({ index }) => durableNames(steps, steps.length).has(index)),
    verdict('what is made of a file durable before it is removed', removals, ({ index, to }) =>
      isMade(steps, index, to, outputDir),
    ),
    verdict('record durable before the rename', outputs, ({ index, from, to }) =>
      isRecorded(steps, index, { from, place: path.relative(outputDir, to), records: path.join(outputDir, RECORDS) }),
    ),
  ];
}

/** Whether all that was written to a file was synced, and something was. */
function isSynced(steps: readonly Step[], end: number, file: string): boolean {
  const before = steps.slice(0, end);
  const lastWrite = before.findLastIndex((step) => ['write', 'truncate'].includes(step.kind) && step.path === file);
  return before.some((step) => step.kind === 'fsync' && step.path === file && step.begunAt > lastWrite);
}

/**
 * Whether the folders that were made for a file are durable. The name of its own folder has to be synced even when that was
 * there: the run that made it may have been killed before.
 */
function hasDurableFolders(steps: readonly Step[], end: number, file: string): boolean {
  const durable = durableNames(steps, end);
  if (!hasSynced(steps.slice(0, end), path.dirname(path.dirname(file)))) return false;
  return [...steps.slice(0, end).entries()].every(
    ([index, step]) => step.kind !== 'mkdir' || !file.startsWith(step.path + path.sep) || durable.has(index),
  );
}

/** Whether the records hold the file's place and the SHA-256 of what was written to it, durably. */
function isRecorded(
  steps: readonly Step[],
  end: number,
  { from, place, records }: { from: string; place: string; records: string },
): boolean {
  const before = steps.slice(0, end);
  const created = before.findIndex((step) => step.kind === 'create' && step.path === records);
  if (created >= 0 && !durableNames(steps, end).has(created)) return false;
  if (!hasSynced(before, path.dirname(records))) return false; // likewise
  const sha256 = createHash('sha256').update(contentOf(before, from)).digest('hex');
  const synced = before.findLast((step) => step.kind === 'fsync' && step.path === records);
  const until = synced?.kind === 'fsync' ? synced.begunAt : 0;
  const text = contentOf(before.slice(0, until), records).toString();
  return text.split('\n').some((line) => line.includes(`"${place}"`) && line.includes(sha256));
}

/** Whether something of the same day and symbol has appeared among the outputs, durably. */
function isMade(steps: readonly Step[], end: number, file: string, outputDir: string): boolean {
  const nameOf = (name: string) => path.basename(name).split('_').slice(0, 2).join('_');
  const durable = durableNames(steps, end);
  return [...durable].some((index) => {
    const step = steps[index];
    const isOutput = step?.kind === 'rename' && step.to.startsWith(outputDir + path.sep);
    return isOutput && step.to !== file && nameOf(step.to) === nameOf(file);
  });
}

function hasSynced(steps: readonly Step[], file: string): boolean {
  return steps.some((step) => step.kind === 'fsync' && step.path === file);
}

/** The bytes of a file that was made by these steps, or those that they added to it. */
function contentOf(steps: readonly Step[], file: string): Buffer {
  let bytes = Buffer.alloc(0);
  for (const step of steps) {
    if (step.path !== file) continue;
    if (step.kind === 'truncate') bytes = bytes.subarray(0, step.sizeBytes);
    if (step.kind !== 'write') continue;
    const start = step.startByte ?? bytes.length;
    const longer = Buffer.alloc(Math.max(bytes.length, start + step.bytes.length));
    bytes.copy(longer);
    step.bytes.copy(longer, start);
    bytes = longer;
  }
  return bytes;
}
