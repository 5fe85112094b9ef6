import { monotonicMs } from '../base/clock.js';
import type { LiveLine } from './live-line.js';

/** What a run goes through. */
export interface Work {
  archives: number;
  /** Of those that are read. */
  bytes: number;
}

/** How many archives are dealt with by now, and how many of them failed. */
export interface Settled {
  readonly settled: number;
  readonly failed: number;
}

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
/** How long another program may take to show on the same screen what it was given through a pipe. */
const PASSING_MS = 50;

/** A {@link Progress} that shows nothing, where there is no terminal. */
export const noProgress: Progress = { read() {}, above: (print) => print(), stop() {} };

/** Shows archives done, failures, the share of all bytes, their rate and the time left, at the bottom of a terminal. */
export function showProgress(line: LiveLine, work: Work, tally: Settled, how: { isPiped: boolean }): Progress {
  const startMs = monotonicMs();
  let readBytes = 0;
  const textOf = (width: number) => {
    const seconds = (monotonicMs() - startMs) / 1000;
    const { settled, failed } = tally;
    return describe({ total: work.archives, settled, failed, readBytes, totalBytes: work.bytes, seconds }, width);
  };
  return {
    read(bytes) {
      readBytes += bytes;
    },
    ...keepDrawn(line, textOf, how),
  };
}

/**
 * Draws a line again and again, as it changes.
 *
 * @param textOf what it says now, in so many characters.
 * @param isPiped whether what is printed goes to another program, which may show it on the same terminal a little later,
 * as `| tee log` does: then the line must not be there yet.
 */
export function keepDrawn(
  line: LiveLine,
  textOf: (width: number) => string,
  { isPiped }: { isPiped: boolean },
): Pick<Progress, 'above' | 'stop'> {
  /** Runs while what was printed may be on its way. */
  let passing: NodeJS.Timeout | undefined;
  const draw = () => {
    if (passing === undefined) line.draw(textOf(line.width));
  };
  const drawBelowPrinted = () => {
    if (!isPiped) return draw();
    clearTimeout(passing);
    passing = setTimeout(() => {
      passing = undefined;
      draw();
    }, PASSING_MS);
  };
  const timer = setInterval(draw, REDRAW_MS);
  const erase = () => line.erase();
  // After Ctrl+Z and fg the shell's lines lie between. A second Ctrl+C ends the process with the line still there.
  process.on('SIGCONT', draw);
  process.on('exit', erase);
  drawBelowPrinted();
  return {
    above(print) {
      line.erase();
      print();
      drawBelowPrinted();
    },
    stop() {
      clearInterval(timer);
      clearTimeout(passing);
      process.off('SIGCONT', draw);
      process.off('exit', erase);
      line.erase();
    },
  };
}

export interface ProgressState {
  total: number;
  settled: number;
  failed: number;
  readBytes: number;
  totalBytes: number;
  seconds: number;
}

/**
 * The line's text: `12/40 archives, 1 failed · 31 % · 52.3 MB/s · 2:05 left`.
 *
 * @param width in characters. Where it is too small, first the rate is left out, then the time, then the share.
 */
export function describe(state: ProgressState, width: number): string {
  const { total, settled, failed, readBytes, totalBytes, seconds } = state;
  const bytesPerSecond = seconds > 0 ? readBytes / seconds : 0;
  const archives = `${settled}/${total} archives${failed > 0 ? `, ${failed} failed` : ''}`;
  const share = `${totalBytes > 0 ? Math.floor((100 * readBytes) / totalBytes) : 100} %`;
  const rate = `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
  const left = bytesPerSecond > 0 ? [`${formatDuration((totalBytes - readBytes) / bytesPerSecond)} left`] : [];
  const texts = [
    [archives, share, rate, ...left],
    [archives, share, ...left],
    [archives, share],
  ].map((parts) => parts.join(' · '));
  return texts.find((text) => text.length <= width) ?? archives;
}

/** `2:05`, or `1:02:05` from an hour on. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
