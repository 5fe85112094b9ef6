/** Goes from row to row on a terminal by keys, redrawn in place. */
import { on } from 'node:events';
import readline from 'node:readline';
import type { LadderRow } from '../peek/ladder-row.js';
import type { RowWalk } from '../peek/row-walk.js';
import type { Surroundings } from './surroundings.js';

/** What Node makes of the bytes of a key. */
interface Key {
  name?: string;
  ctrl?: boolean;
  shift?: boolean;
}

export interface WatchOptions {
  walk: RowWalk;
  /** What one step is, such as `a row`. */
  step: string;
  /** Draws a row, and a line below it, in lines that the terminal has room for. */
  draw: (row: LadderRow, foot: string) => string[];
  stdin: NodeJS.ReadStream;
}

/** A step with Shift. */
const MANY = 10;
/** What takes longer is said to be going on. */
const SAY_BUSY_MS = 150;

/**
 * Shows the row of a walk, and those that keys lead to, until `q` or Ctrl+C. Whatever ends it, the terminal is as it was, and
 * the last row stays on the screen.
 */
export async function watchRows(
  { walk, step, draw, stdin }: WatchOptions,
  { stdout, signal }: Surroundings,
): Promise<void> {
  const { createLogUpdate } = await import('log-update'); // slow to load, and needed on a terminal only
  const update = createLogUpdate(stdout);
  const show = (foot: string) => {
    if (walk.row) update(draw(walk.row, foot).join('\n'));
  };
  const help = `←/→ ${step}, with Shift or PgUp/PgDn ${MANY}, Home/End, q quits`;
  const redraw = () => show(help);
  const restore = () => stdin.setRawMode(false);
  const ended = new AbortController();
  const end = () => ended.abort();

  readline.emitKeypressEvents(stdin);
  const keys = on(stdin, 'keypress', { signal: AbortSignal.any([signal, ended.signal]) });
  process.on('exit', restore); // a second signal ends the process at once
  stdout.on('resize', redraw);
  stdin.on('keypress', interrupt);
  stdin.once('end', end);
  stdin.on('error', end); // stays: to restore a terminal that is gone is an error too
  stdin.setRawMode(true);
  stdin.resume();
  try {
    redraw();
    for await (const [, key] of keys as AsyncIterable<[string, Key]>) {
      if (key.name === 'q') break;
      if (key.ctrl && key.name === 'z') suspend(stdin, update.done, redraw);
      else {
        const timer = setTimeout(() => show(`${help}; reading …`), SAY_BUSY_MS);
        const before = walk.row;
        await move(walk, key).finally(() => clearTimeout(timer));
        show(before === walk.row && isMove(key) ? `${help}; there is no more` : help);
      }
    }
  } catch (error) {
    if (!signal.aborted && !ended.signal.aborted) throw error;
  } finally {
    restore();
    process.off('exit', restore);
    stdout.off('resize', redraw);
    stdin.off('keypress', interrupt);
    stdin.off('end', end);
    stdin.pause();
    show('');
    update.done();
  }
}

/** Ctrl+C is heard at once, whatever is being read; in raw mode the terminal makes no signal of it. */
function interrupt(_: string, { ctrl, name }: Key): void {
  if (ctrl && name === 'c') process.kill(process.pid, 'SIGINT');
}

const STEPS: Record<string, number> = { left: -1, right: 1, pageup: -MANY, pagedown: MANY };

function isMove({ name = '' }: Key): boolean {
  return name in STEPS || name === 'home' || name === 'end';
}

async function move(walk: RowWalk, { name = '', shift = false }: Key): Promise<void> {
  if (name === 'home') return walk.goTo(Number.NEGATIVE_INFINITY);
  if (name === 'end') return walk.goTo(Number.POSITIVE_INFINITY);
  const steps = STEPS[name] ?? 0;
  const count = Math.abs(steps) * (shift && Math.abs(steps) === 1 ? MANY : 1);
  return steps < 0 ? walk.back(count) : walk.forward(count);
}

/** Ctrl+Z: back to the shell, with a terminal as the shell has it. The next line is run when it is brought back. */
function suspend(stdin: NodeJS.ReadStream, leave: () => void, redraw: () => void): void {
  if (process.platform === 'win32') return;
  stdin.setRawMode(false);
  leave();
  process.kill(process.pid, 'SIGTSTP');
  stdin.setRawMode(true);
  redraw();
}
