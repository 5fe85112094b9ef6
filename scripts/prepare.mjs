// What npm runs before it packs, and after an installation: from git (npm install git+https://…), where the result becomes
// the package, or in a checkout by hand.
import process from 'node:process';
import { isInstalled, setUp } from './setup.mjs';

// After an installation npm has laid what it was told to. Without the compilers (npm ci --omit=dev) there is nothing
// to do, and to install them now would be against the order.
const hasJustInstalled = ['install', 'ci'].includes(process.env.npm_command ?? '');
if (hasJustInstalled && !isInstalled()) {
  process.stderr.write('bookgrid: not compiled, since the development dependencies are not installed\n');
} else {
  setUp();
}
