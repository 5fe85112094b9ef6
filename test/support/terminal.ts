import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { Screen } from './screen.js';

const HAS_SCRIPT = spawnSync('script', ['-qec', 'exit 7', '/dev/null'], { stdio: 'ignore' }).status === 7;
const HAS_BASH = spawnSync('bash', ['-c', 'exit 7'], { stdio: 'ignore' }).status === 7;
/** Why nothing can be tried on a terminal here; `false`: it can. */
export const NO_TERMINAL =
  !(HAS_SCRIPT && HAS_BASH) &&
  'NOT CHECKED: the display on a terminal, since script(1) of util-linux or bash is not here';

const LIMIT_MS = 60_000;
/** What the shell says when it waits for a command. */
export const PROMPT = 'ready> ';

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: NodeJS.ProcessEnv;
}

/** A terminal with a shell on it, at which one types and looks. */
export class Terminal {
  readonly screen: Screen;
  /** Everything that was sent to the screen. */
  sent = '';
  readonly #child: ChildProcess;
  readonly #heard: (() => void)[] = [];
  /** The device, such as `/dev/pts/3`. */
  #device = '';

  private constructor(columns: number, rows: number, env: NodeJS.ProcessEnv) {
    this.screen = new Screen(columns, rows);
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...rest } = process.env;
    // PROMPT_COMMAND, since bash takes no PS1 from the environment of root.
    // A shell with job control: what it starts is stopped by Ctrl+Z, and goes on by fg.
    this.#child = spawn('script', ['-qec', 'bash --norc --noediting -i', '/dev/null'], {
      env: { ...rest, TERM: 'xterm-256color', PROMPT_COMMAND: `PS1='${PROMPT}'`, HISTFILE: '', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.sent += text;
      this.screen.write(text);
      for (const look of [...this.#heard]) look();
    });
  }

  static async open(t: TestContext, { columns = 100, rows = 30, env = {} }: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal(columns, rows, env);
    t.after(() => terminal.#child.kill('SIGKILL'));
    await terminal.until(() => terminal.screen.cursor.line === PROMPT.trimEnd());
    await terminal.run(`stty cols ${columns} rows ${rows}; tty`);
    terminal.#device = terminal.screen.lines.find((line) => line.startsWith('/dev/')) ?? '';
    return terminal;
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Types a command, and waits until the shell is ready for the next. */
  async run(command: string): Promise<void> {
    this.type(`${command}\n`);
    await this.until(({ lines }) => lines.join('').includes(command));
    await this.prompted();
  }

  /** Waits until the shell is ready for a command. */
  prompted(): Promise<void> {
    return this.until(({ cursor }) => cursor.line === PROMPT.trimEnd() && cursor.column === PROMPT.length);
  }

  /** Waits until the screen looks as wanted. */
  until(isWanted: (screen: Screen) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isWanted(this.screen)) return;
        end();
        resolve();
      };
      const fail = () => {
        end();
        reject(new Error(`waited in vain; the terminal shows\n${this.screen.lines.join('\n')}`));
      };
      const timer = setTimeout(fail, LIMIT_MS / 3);
      const end = () => {
        clearTimeout(timer);
        this.#heard.splice(this.#heard.indexOf(look), 1);
        this.#child.off('close', fail);
      };
      this.#heard.push(look);
      this.#child.once('close', fail);
      look();
    });
  }

  /**
   * Makes the terminal wider or narrower, right after something was drawn: what is drawn for the old width and shown at the
   * new one is wrong on every terminal, and here the two cannot change in the same instant.
   */
  async resize(columns: number): Promise<void> {
    const { length } = this.sent;
    await this.until(() => this.sent.length > length);
    this.screen.resize(columns);
    spawnSync('stty', ['-F', this.#device, 'cols', String(columns)]);
  }
}
