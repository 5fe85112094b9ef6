import { spawn } from 'node:child_process';
import { aborted } from '../base/aborted.js';
import { UsageError } from '../base/usage-error.js';
import { parseWhole } from '../console/option-values.js';
import { addS3Options, newCommand, sharedOptions, takeS3Options } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { Holdings } from '../view/holdings.js';
import { startServer } from '../view/server.js';

/** The command line of `bookgrid view`, read and checked. */
export interface ViewOptions {
  /** One folder, or files. */
  paths: string[];
  /** 0: any free one. */
  port: number;
  open?: true;
}

const EXPLANATION = `
The page shows books as a heatmap, the ladder of each row, and spread, imbalance and depth through the
day; columns of --metrics where there are any. It comes from this machine and loads nothing from elsewhere.
Its address holds a token, without which nothing is answered. Stop it with Ctrl+C.

Examples:
  bookgrid view snapshots --open
  bookgrid view snapshots/0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv
  bookgrid view s3://my-snapshots/1m
On another machine, with a tunnel from yours:
  bookgrid view snapshots --port 8700           there
  ssh -L 8700:127.0.0.1:8700 THE-OTHER-MACHINE  here; then open the address that it printed`;

/** The command line of `bookgrid view` as commander knows it. */
export function buildViewCommand() {
  const command = newCommand('bookgrid view')
    .usage('[OUTPUT_DIR | FILE...] [options]')
    .description('Shows outputs in a page on this machine, and changes nothing.')
    .argument('[paths...]', 'The folder that convert writes to, or some of its outputs (default: --output-dir).')
    .addOption(sharedOptions.outputDir('Folder that convert writes to, when no path is given.'))
    .option('--port <number>', 'The port to serve at; any free one unless told.', (text) =>
      parseWhole(text, 65_535, 'a port'),
    )
    .option('--open', 'Open the page in your browser.')
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

/**
 * Reads the command line of `bookgrid view`.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for an endpoint of S3 that is none.
 */
export function parseViewLine(argv: string[]): ViewOptions {
  const command = buildViewCommand();
  command.parse(argv, { from: 'user' });
  takeS3Options(command);
  const { outputDir, port = 0, open } = command.opts<{ outputDir: string; port?: number; open?: true }>();
  return { paths: command.args.length > 0 ? command.args : [outputDir], port, ...(open && { open }) };
}

/**
 * Serves the page until it is told to stop.
 *
 * @throws {@link UsageError} when a path is not there or the port cannot be had.
 */
export async function view(
  { paths, port, open }: ViewOptions,
  { stdout, stderr, signal }: Surroundings,
): Promise<void> {
  const holdings = await Holdings.open(paths);
  const server = await startServer(holdings, port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new UsageError(`Port ${port} cannot be had: ${error.message}. Leave out --port to get any free one.`);
  });
  const warn = lineWriter(stderr);
  lineWriter(stdout)(server.url);
  warn('Open this address in a browser on this machine. Ctrl+C stops it.');
  if (open) openBrowser(server.url, warn);
  await aborted(signal);
  await server.close();
}

/** What opens an address with the program that the user has chosen for it. */
const OPENERS: Partial<Record<NodeJS.Platform, [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

function openBrowser(url: string, warn: (line: string) => void): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => warn(`No browser could be opened (${command}): open the address yourself.`));
  child.unref();
}
