/** The direction of the arrows: which folder of src may import which. One that points up fails, as does an unknown folder. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The sources, from where the compiled tests lie. */
const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** What everything stands on: rows and time, where bytes lie, the WebAssembly modules. */
const GROUND = ['base', 'storage', 'wasm'];
/** The stages of a job, which do not know of each other; the engine knows what metrics are. */
const STAGES = ['archive', 'book', 'output', 'metrics'];
/** What is there, what is to do, who does it. */
const CONVERSION = ['catalog', 'convert', 'executors'];
/** What else can be done, each by itself. */
const USES = ['samples', 'join', 'download', 'audit', 'library'];
/** Shows what is there. */
const SIGHT = ['view'];
/** … in other ways, on top of it. */
const LOOKS = ['peek', 'plot'];

const MAY_IMPORT: Record<string, string[]> = {
  base: [],
  storage: ['base'],
  wasm: ['base'],

  archive: ['base', 'storage', 'wasm'],
  metrics: ['base'],
  book: ['base', 'wasm', 'metrics'],
  output: ['base', 'wasm'],

  catalog: ['base', 'storage', 'archive', 'book', 'output'],
  convert: [...GROUND, ...STAGES, 'catalog'],
  executors: [...GROUND, ...STAGES, 'catalog', 'convert'],

  samples: [...GROUND, ...STAGES, ...CONVERSION],
  join: [...GROUND, ...STAGES, ...CONVERSION],
  audit: [...GROUND, ...STAGES, ...CONVERSION],
  library: [...GROUND, ...STAGES, ...CONVERSION],
  download: [...GROUND, ...STAGES, ...CONVERSION],
  view: [...GROUND, ...STAGES, ...CONVERSION],
  peek: [...GROUND, ...STAGES, ...CONVERSION, ...SIGHT],
  plot: [...GROUND, ...STAGES, ...CONVERSION, ...SIGHT],

  console: [...GROUND, ...STAGES, ...CONVERSION, ...USES, ...SIGHT, ...LOOKS],
  commands: [...GROUND, ...STAGES, ...CONVERSION, ...USES, ...SIGHT, ...LOOKS, 'console'],

  'cli.cts': [],
  'command-line.ts': [...GROUND, ...STAGES, ...CONVERSION, ...USES, ...SIGHT, ...LOOKS, 'console', 'commands'],
  'index.ts': [...GROUND, ...STAGES, ...CONVERSION, ...USES],
};

test('what lies in src is in the table', () => {
  const entries = fs.readdirSync(SRC, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() || /\.c?ts$/.test(entry.name)).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !(name in MAY_IMPORT)),
    [],
  );
});

for (const [importer, allowed] of Object.entries(MAY_IMPORT)) {
  test(`${importer} imports only ${allowed.join(', ') || 'itself'}`, () => {
    const wrong = arrows(importer).filter(({ to }) => to !== importer && !allowed.includes(to));
    assert.deepEqual(
      wrong.map(({ from, imported }) => `${from} imports ${imported}`),
      [],
    );
  });
}

/** Each import of another file of src by what lies in a folder, also of types alone and those loaded only when needed. */
function arrows(importer: string): { from: string; imported: string; to: string }[] {
  const sources = /\.c?ts$/.test(importer) ? [importer] : sourcesIn(importer);
  return sources.flatMap((from) => {
    const text = fs.readFileSync(path.join(SRC, from), 'utf8');
    // from '…', import '…', import('…'), and the files of worker threads, new URL('…').
    return [...text.matchAll(/\b(?:from|import|URL)\s*\(?\s*'(\.[^']+\.js)'/g)].map(([, imported = '']) => {
      const target = path.join(path.dirname(from), imported).replace(/\.js$/, '.ts');
      return { from, imported, to: target.split(path.sep)[0] ?? '' };
    });
  });
}

function sourcesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(SRC, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name))
    .sort();
}
