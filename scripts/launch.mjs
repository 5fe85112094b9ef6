// Brings the checkout up to date, then becomes the command line: one Node process, so that signals and
// the exit status are the program's own.
import { setUp } from './setup.mjs';

setUp();
process.argv[1] = new URL('../dist/src/cli.cjs', import.meta.url).pathname;
await import('../dist/src/cli.cjs');
