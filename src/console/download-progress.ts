import { formatBytes } from './format-bytes.js';
import { formatDuration } from './progress.js';

/** A live line on a terminal. */
export interface DownloadProgress {
  /** Counts bytes that have come, and those that were of no use, as less than none. */
  received(bytes: number): void;
  /** Takes the line away for as long as it takes to print something else above it. */
  above(print: () => void): void;
  /** Takes the line away for good. */
  stop(): void;
}

const REDRAW_MS = 200;
/** The rate is that of the last so many ms: connections are slow at first, and pauses are nobody's rate. */
const RATE_WINDOW_MS = 15_000;

/** A {@link DownloadProgress} that shows nothing, where there is no terminal. */
export const noDownloadProgress: DownloadProgress = { received() {}, above: (print) => print(), stop() {} };

export interface DownloadState {
  /** Archives to be fetched, and those of them that are settled. */
  total: number;
  settled: number;
  failed: number;
  receivedBytes: number;
  /** Of all archives to be fetched, where the size of each is known. */
  totalBytes: number | undefined;
  bytesPerSecond: number;
}

/** Shows archives, failures, bytes, their rate and the time left, on `stream`. */
export async function showDownload(
  stream: NodeJS.WriteStream,
  state: () => Pick<DownloadState, 'total' | 'settled' | 'failed' | 'totalBytes'>,
): Promise<DownloadProgress> {
  const { createLogUpdate } = await import('log-update'); // slow to load, and needed on a terminal only
  const update = createLogUpdate(stream);
  let receivedBytes = 0;
  let samples = [{ ms: performance.now(), bytes: 0 }];
  const draw = () => {
    const ms = performance.now();
    samples = [...samples.filter((sample) => ms - sample.ms < RATE_WINDOW_MS), { ms, bytes: receivedBytes }];
    const [first = { ms, bytes: receivedBytes }] = samples;
    const bytesPerSecond = ms > first.ms ? Math.max(0, (1000 * (receivedBytes - first.bytes)) / (ms - first.ms)) : 0;
    update(describeDownload({ ...state(), receivedBytes, bytesPerSecond }));
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    received(bytes) {
      receivedBytes += bytes;
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

/** The line's text: `12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 12.3 MB/s · 3:48 left`. */
export function describeDownload(state: DownloadState): string {
  const { total, settled, failed, receivedBytes, totalBytes, bytesPerSecond } = state;
  const left = totalBytes === undefined ? undefined : totalBytes - receivedBytes;
  return [
    `${settled}/${total} archives${failed > 0 ? `, ${failed} failed` : ''}`,
    `${formatBytes(receivedBytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`}`,
    `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
    ...(left !== undefined && left > 0 && bytesPerSecond > 0 ? [`${formatDuration(left / bytesPerSecond)} left`] : []),
  ].join(' · ');
}
