// Checks the types of the page of `bookgrid view`, and puts it into dist as the few files that the server sends.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const page = path.join(root, 'src/view/page');
const outFolder = path.join(root, 'dist/src/view/page');

try {
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '--project', page], {
    stdio: ['ignore', 2, 2],
  });
} catch {
  process.exit(1);
}
await build({
  absWorkingDir: root,
  entryPoints: ['page.ts', 'worker.ts', 'page.css'].map((name) => path.join(page, name)),
  outdir: outFolder,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16.4'],
  legalComments: 'inline', // licences of what is bundled
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) fs.copyFileSync(path.join(page, name), path.join(outFolder, name));
