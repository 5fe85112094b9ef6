import { type DefaultWorkers, WORKER_BYTES } from '../executors/default-workers.js';
import { formatBytes } from './format-bytes.js';

/** Why there are fewer workers than there are cores. */
export function describeHeldBack({ workers, heldBack: { by, from } }: Required<DefaultWorkers>): string {
  return (
    `Note: ${workers} worker${workers === 1 ? '' : 's'} instead of ${from}: the memory limit of ${formatBytes(by.bytes)} ` +
    `(${by.file}) holds no more, at ${formatBytes(WORKER_BYTES)} each. Raise it, or say how many with --workers.`
  );
}
