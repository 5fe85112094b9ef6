import type { PlanEntry } from '../convert/plan.js';
import type { Tally } from './report.js';

/** A live line on a terminal. */
export interface Progress {
  /** Counts bytes of archives read, or passed over, by any worker. */
  read(bytes: number): void;
  /** Takes the line away for as long as it takes to print something else above it. */
  above(print: () => void): void;
  /** Takes the line away for good. */
  stop(): void;
}

const REDRAW_MS = 200;

/** A {@link Progress} that shows nothing, where there is no terminal. */
export const noProgress: Progress = { read() {}, above: (print) => print(), stop() {} };

/** Shows archives done, failures, the share of all bytes, their rate and the time left, on `stream`. */
export async function showProgress(stream: NodeJS.WriteStream, entries: PlanEntry[], tally: Tally): Promise<Progress> {
  const { createLogUpdate } = await import('log-update'); // slow to load, and needed on a terminal only
  const totalBytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  const update = createLogUpdate(stream);
  const startMs = performance.now();
  let readBytes = 0;
  const draw = () => {
    const seconds = (performance.now() - startMs) / 1000;
    update(
      describe({ total: entries.length, settled: tally.settled, failed: tally.failed, readBytes, totalBytes, seconds }),
    );
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    read(bytes) {
      readBytes += bytes;
    },
    above(print) {
      update.clear();
      print();
    },
    stop() {
      clearInterval(timer);
      update.clear();
      update.done();
    },
  };
}

function bytesOf(entry: PlanEntry): number {
  return entry.action === 'convert' ? entry.job.archive.sizeBytes : 0;
}

export interface ProgressState {
  total: number;
  settled: number;
  failed: number;
  readBytes: number;
  totalBytes: number;
  seconds: number;
}

/** The line's text: `12/40 archives, 1 failed · 31 % · 52.3 MB/s · 2:05 left`. */
export function describe({ total, settled, failed, readBytes, totalBytes, seconds }: ProgressState): string {
  const bytesPerSecond = seconds > 0 ? readBytes / seconds : 0;
  const parts = [
    `${settled}/${total} archives${failed > 0 ? `, ${failed} failed` : ''}`,
    `${totalBytes > 0 ? Math.floor((100 * readBytes) / totalBytes) : 100} %`,
    `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
  ];
  if (bytesPerSecond > 0) parts.push(`${formatDuration((totalBytes - readBytes) / bytesPerSecond)} left`);
  return parts.join(' · ');
}

/** `2:05`, or `1:02:05` from an hour on. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
