// Puts the program into a few files of dist/src/program. To find, open and link a hundred modules takes Node longer than
// to convert a small archive.
//
//     command-line.cjs    the command line, and all that an ordinary conversion needs
//     other-commands.cjs  the rest, loaded when a command needs it
//     convert-worker.cjs  what a worker thread needs to convert
//     audit-worker.cjs    what a worker thread needs to audit
//
// CommonJS, because there a module of a bundle, and what it takes from Node, is loaded when it is first used. The text is
// left as it is, so that stack traces name functions, and lines that can be read.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const outFolder = path.join(root, 'dist/src/program');
const ENTRY = 'src/command-line.ts';
/** What nearly every conversion loads on the way, besides what is imported from here. */
const LOADED_BY_CONVERSIONS = [
  'src/commands/convert-options.ts',
  'src/commands/convert.ts',
  'src/archive/open-archive.ts',
  'src/archive/zip.ts',
  'src/executors/main-thread.ts',
  'src/executors/worker-threads.ts',
  'src/output/csv.ts',
];
const WORKERS = { 'convert-worker': 'src/executors/worker.ts', 'audit-worker': 'src/audit/worker.ts' };

/** Packages that are large, or have files beside their code: they stay where they are installed. */
const EXTERNAL = ['@aws-sdk/*', '@fontsource/*', '@resvg/*', 'bullmq', 'ioredis', 'undici'];

const HELPERS = [
  // Where a module would be if it had a file of its own: beside it lie WebAssembly modules and pages.
  "const __urlOf = (place) => require('node:url').pathToFileURL(require('node:path').join(__dirname, '..', place)).href;",
  // What `import` sees of a module of Node: see withBuiltins.
  'const __builtin = (exports) => Object.create(exports, { default: { value: exports } });',
];

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.15',
  external: EXTERNAL,
  outExtension: { '.js': '.cjs' },
  banner: { js: HELPERS.join(' ') },
  legalComments: 'none', // the licences are in a file of their own
  metafile: true,
  write: false,
  logLevel: 'warning',
};

fs.rmSync(outFolder, { recursive: true, force: true });
fs.rmSync(path.join(root, 'dist/.compile-cache'), { recursive: true, force: true }); // of the build before (src/cli.cts)
const whole = await build({ ...COMMON, entryPoints: [ENTRY], outdir: outFolder, plugins: [places()] });
const { inputs } = whole.metafile;
const all = new Set(Object.keys(inputs));
const first = reachableAtOnce([ENTRY, ...LOADED_BY_CONVERSIONS]);
const others = new Set([...all].filter((file) => !first.has(file)));
const parts = { 'command-line': first, 'other-commands': others };
for (const [name, files] of Object.entries(parts)) {
  const shared = [...files].filter((file) => isImportedFromOutside(file, files));
  const list = shared.map((file) => `  ${JSON.stringify(file)}: () => require(${JSON.stringify(`./${file}`)}),`);
  const start = files.has(ENTRY) ? `require('./${ENTRY}');` : '';
  const part = await build({
    ...COMMON,
    stdin: {
      contents: `exports.modules = {\n${list.join('\n')}\n};\n${start}`,
      resolveDir: root,
      sourcefile: `${name}.cjs`,
    },
    outfile: path.join(outFolder, `${name}.cjs`),
    external: [...EXTERNAL, ...Object.keys(parts).map((part) => `./${part}.cjs`)],
    plugins: [elsewhere(files), places()],
  });
  writeBundles(part);
}
const workers = await build({ ...COMMON, entryPoints: WORKERS, outdir: outFolder, plugins: [places()] });
writeBundles(workers);
writeLicences([...all, ...Object.keys(workers.metafile.inputs)]);

function writeBundles({ outputFiles }) {
  fs.mkdirSync(outFolder, { recursive: true });
  for (const { path: file, text } of outputFiles) fs.writeFileSync(file, asAscii(withBuiltins(text)));
}

/** Only comments are not ASCII, which esbuild sees to in the rest. src/cli.cts reads the file as if it were Latin-1. */
function asAscii(text) {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** esbuild copies all names of a module of Node for each module that imports it: for node:fs alone some thousands. */
function withBuiltins(text) {
  const lazy = text.replaceAll(/\b__toESM\(require\(("node:[^"]+")\)(?:, 1)?\)/g, '__builtin(require($1))');
  if (lazy === text) throw new Error('esbuild no longer imports modules of Node in the way that is replaced here');
  return lazy;
}

/** Modules and all that they import, but for what they load when they need it. */
function reachableAtOnce(entries) {
  const found = new Set(entries);
  for (const file of found) {
    for (const { path: imported, kind, external } of inputs[file].imports) {
      if (!external && kind !== 'dynamic-import') found.add(imported);
    }
  }
  return found;
}

function isImportedFromOutside(file, files) {
  return [...all].some(
    (importer) => !files.has(importer) && inputs[importer].imports.some(({ path }) => path === file),
  );
}

/** Takes modules that another part has from there, so that there is one of each in the program. */
function elsewhere(files) {
  return {
    name: 'elsewhere',
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path: imported, pluginData, kind, ...from }) => {
        if (pluginData === 'resolved' || from.namespace === 'elsewhere' || kind === 'entry-point') return undefined;
        const found = await resolve(imported, { ...from, kind, pluginData: 'resolved' });
        const file = path.relative(root, found.path);
        return found.external || files.has(file) || !all.has(file) ? found : { path: file, namespace: 'elsewhere' };
      });
      onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path: file }) => {
        const [part] = Object.entries(parts).find(([, files]) => files.has(file));
        return { contents: `module.exports = require('./${part}.cjs').modules[${JSON.stringify(file)}]();` };
      });
    },
  };
}

/** Gives each module the address that it would have by itself, and commander no processes to start. */
function places() {
  return {
    name: 'places',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path: file }) => {
        const text = fs.readFileSync(file, 'utf8');
        const place = path.relative(path.join(root, 'src'), file).replaceAll('\\', '/').replace(/\.ts$/, '.js');
        return { contents: text.replaceAll('import.meta.url', `__urlOf('${place}')`), loader: 'ts' };
      });
      // For commands that are programs of their own, of which there are none here, it loads a twentieth of Node's own code.
      onLoad({ filter: /[\\/]commander[\\/]lib[\\/]command\.js$/ }, ({ path: file }) => {
        const text = fs.readFileSync(file, 'utf8');
        const lazy = text.replace("const childProcess = require('node:child_process');", '');
        if (lazy === text) throw new Error(`${file} no longer begins with what is replaced here`);
        return { contents: lazy.replaceAll('childProcess.', "require('node:child_process').") };
      });
    },
  };
}

/** The licences of the packages in the bundles, which have to go wherever their code goes. */
function writeLicences(files) {
  const packages = new Set(files.flatMap((file) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[0] ?? []));
  const texts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(fs.readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
    const file = fs.readdirSync(path.join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? fs.readFileSync(path.join(root, folder, file), 'utf8').trim() : `License: ${license}`;
    return `${name} ${version}\n\n${text}\n`;
  });
  fs.writeFileSync(path.join(outFolder, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(72)}\n\n`));
}
