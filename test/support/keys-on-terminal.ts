import { spawnSync } from 'node:child_process';

/** Runs a program on a terminal of its own (Python's pty), presses keys, and tells what the terminal was like. */
export interface TerminalRun {
  /** Exit status; absent when a signal ended it. */
  status?: number;
  /** What was on the screen after each wait, escape sequences included. */
  screens: string[];
  /** Whether the terminal hands over lines and shows what is typed, as it does before a program changes that. */
  isCookedBefore: boolean;
  isCookedAfter: boolean;
}

export interface KeysOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
  /** Before each key, text that must have come since the one before. After the last one the program must end. */
  keys: { after: string; press: string }[];
}

const SCRIPT = `
import fcntl, json, os, pty, select, struct, sys, termios, time
given = json.load(sys.stdin)
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', given['rows'], given['columns'], 0, 0))
def cooked():
    flags = termios.tcgetattr(slave)[3]
    return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)
before = cooked()
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2): os.dup2(slave, fd)
    os.environ.update(given['env'])
    for name in given['unset']: os.environ.pop(name, None)
    os.execvp(given['command'][0], given['command'])
deadline = time.time() + 60
def read(until):
    got = b''
    while time.time() < deadline:
        if until is not None and until.encode() in got: return got
        if select.select([master], [], [], 0.02)[0]: got += os.read(master, 65536)
        elif until is None and os.waitpid(child, os.WNOHANG)[0]: return got
    os.kill(child, 9)
    sys.exit('waited in vain for %r; got %r' % (until, got))
screens = []
status = None
for key in given['keys']:
    screens.append(read(key['after']).decode('utf-8', 'replace'))
    if key['press'].startswith('signal '): os.kill(child, int(key['press'][7:]))
    else: os.write(master, key['press'].encode())
got = b''
while status is None:
    if time.time() > deadline: os.kill(child, 9)
    if select.select([master], [], [], 0.02)[0]: got += os.read(master, 65536)
    done, code = os.waitpid(child, os.WNOHANG)
    if done: status = code
while select.select([master], [], [], 0.05)[0]: got += os.read(master, 65536)
screens.append(got.decode('utf-8', 'replace'))
result = {'screens': screens, 'isCookedBefore': before, 'isCookedAfter': cooked()}
if os.WIFEXITED(status): result['status'] = os.WEXITSTATUS(status)
print(json.dumps(result))
`;

/** Whether this machine can do it. */
export const HAS_PTY = spawnSync('python3', ['-c', 'import pty, termios'], { stdio: 'ignore' }).status === 0;

export function pressKeys(command: string[], { columns = 80, rows = 30, env = {}, keys }: KeysOptions): TerminalRun {
  const unset = ['NO_COLOR', 'FORCE_COLOR', 'CI', 'LANG', 'LC_ALL', 'LC_CTYPE'].filter((name) => !(name in env));
  const given = { command, columns, rows, env: { TERM: 'xterm-256color', ...env }, unset, keys };
  const { status, stdout, stderr } = spawnSync('python3', ['-c', SCRIPT], {
    input: JSON.stringify(given),
    encoding: 'utf8',
    timeout: 90_000,
  });
  if (status !== 0) throw new Error(`the terminal failed: ${stderr}`);
  return JSON.parse(stdout) as TerminalRun;
}

/** The text of a screen without colours and moves of the cursor. */
export function textOf(screen: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  return screen.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
}
