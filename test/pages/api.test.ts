/** The API reference has every export of the library, on one page. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The names in `export { type A, b } from …`. */
function exportsOf(file: string): string[] {
  const source = fs.readFileSync(`${ROOT}/${file}`, 'utf8');
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].map(([, list = '']) => list);
  return lists.flatMap((list) => list.split(',').map((name) => name.replace(/^\s*type /, '').trim())).filter(Boolean);
}

test('every export of the library is on one page of docs/api, and nothing else', () => {
  const { entryPoints } = JSON.parse(fs.readFileSync(`${ROOT}/docs/typedoc/typedoc.json`, 'utf8')) as {
    entryPoints: string[];
  };
  const documented = entryPoints.flatMap((file) => exportsOf(`docs/typedoc/${file}`));
  const exported = exportsOf('src/index.ts');
  assert.ok(exported.length > 10);
  assert.deepEqual(documented.sort(), exported.sort());
});
