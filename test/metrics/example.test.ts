/** The example in docs/metrics.md: its archive gives its row. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { choiceOf, ENGINES, metricsRows } from './support.js';

const DOCUMENT = fs.readFileSync(fileURLToPath(new URL('../../../docs/metrics.md', import.meta.url)), 'utf8');
const EXAMPLE_MS = 1736935320000;

for (const [name, make] of ENGINES) {
  test(`the example of docs/metrics.md by ${name}`, () => {
    const [, archive = ''] = /^```json\n(.*?)^```$/ms.exec(DOCUMENT) ?? [];
    const table = [...DOCUMENT.matchAll(/^\| `(\w+)` \| ([-0-9.]*) ?\| /gm)].map(([, column, value]) => [
      column,
      value,
    ]);
    const grid = { intervalMs: 60_000, dayMs: undefined, onGap: 'fill', ...choiceOf([400, 10_000]) } as const;
    const row = metricsRows(make, [Buffer.from(archive)], grid).find(({ boundaryMs }) => boundaryMs === EXAMPLE_MS);
    assert.ok(row);
    const rounded = [...row.values].map(([column, value]) => [
      column,
      Number.isNaN(value) ? '' : String(Number(value.toFixed(6))),
    ]);
    assert.deepEqual(rounded, table);
  });
}
