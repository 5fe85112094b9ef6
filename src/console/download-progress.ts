import { monotonicMs } from '../base/clock.js';
import { formatBytes } from './format-bytes.js';
import type { LiveLine } from './live-line.js';
import { formatDuration, keepDrawn } from './progress.js';

/** A live line on a terminal. */
export interface DownloadProgress {
  /** Counts bytes that have come, and those that were of no use, as less than none. */
  received(bytes: number): void;
  /** Takes the line away for as long as it takes to print something else above it. */
  above(print: () => void): void;
  /** Takes the line away for good. */
  stop(): void;
}

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

/** Shows archives, failures, bytes, their rate and the time left, at the bottom of a terminal. */
export function showDownload(
  line: LiveLine,
  state: () => Pick<DownloadState, 'total' | 'settled' | 'failed' | 'totalBytes'>,
  how: { isPiped: boolean },
): DownloadProgress {
  let receivedBytes = 0;
  let samples = [{ ms: monotonicMs(), bytes: 0 }];
  const textOf = (width: number) => {
    const ms = monotonicMs();
    samples = [...samples.filter((sample) => ms - sample.ms < RATE_WINDOW_MS), { ms, bytes: receivedBytes }];
    const [first = { ms, bytes: receivedBytes }] = samples;
    const bytesPerSecond = ms > first.ms ? Math.max(0, (1000 * (receivedBytes - first.bytes)) / (ms - first.ms)) : 0;
    return describeDownload({ ...state(), receivedBytes, bytesPerSecond }, width);
  };
  return {
    received(bytes) {
      receivedBytes += bytes;
    },
    ...keepDrawn(line, textOf, how),
  };
}

/**
 * The line's text: `12/40 archives, 1 failed · 1.2 GB of 4.0 GB · 12.3 MB/s · 3:48 left`.
 *
 * @param width in characters. Where it is too small, first the rate is left out, then the time, then the bytes.
 */
export function describeDownload(state: DownloadState, width: number): string {
  const { total, settled, failed, receivedBytes, totalBytes, bytesPerSecond } = state;
  const leftBytes = totalBytes === undefined ? 0 : totalBytes - receivedBytes;
  const archives = `${settled}/${total} archives${failed > 0 ? `, ${failed} failed` : ''}`;
  const bytes = `${formatBytes(receivedBytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`}`;
  const rate = `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
  const isKnown = leftBytes > 0 && bytesPerSecond > 0;
  const left = isKnown ? [`${formatDuration(leftBytes / bytesPerSecond)} left`] : [];
  const texts = [
    [archives, bytes, rate, ...left],
    [archives, bytes, ...left],
    [archives, bytes],
  ].map((parts) => parts.join(' · '));
  return texts.find((text) => text.length <= width) ?? archives;
}
