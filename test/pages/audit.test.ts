/** docs/audit.md has every fault, note, column and field of JSON that an audit gives, and no other. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AUDIT_COLUMNS } from '../../src/audit/columns.js';
import { FAULTS, NOTES } from '../../src/audit/verdict.js';
import { assertAsDescribed, readTables } from '../support/field-tables.js';
import { tempDir } from '../support/files.js';
import { line, writeLines } from '../support/messages.js';
import { complete, makeArchive } from '../support/runs.js';

const PAGE = fs.readFileSync(fileURLToPath(new URL('../../../docs/audit.md', import.meta.url)), 'utf8');
const tables = readTables(PAGE);

/** The names in the first column of the table beneath a heading. */
function namesBelow(heading: string): string[] {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
}

test('every fault and every note has its definition', () => {
  assert.deepEqual(namesBelow('What is broken'), [...FAULTS]);
  assert.deepEqual(namesBelow('What is worth knowing'), [...NOTES]);
});

test('every column is there, with its type and the field that it holds', () => {
  const [, section = ''] = PAGE.split('\n## CSV and Parquet\n');
  const [table = '', json = ''] = section.split('\n## ');
  const columns = [...table.matchAll(/^\| `([^`]+)` \| (\w+) \| `([^`]+)`/gm)];
  assert.deepEqual(
    columns.map(([, name = '', type = '']) => ({ name, type })),
    AUDIT_COLUMNS,
  );
  for (const [, name, , field] of columns) assert.ok(json.includes(`| \`${field}\` |`), `${name}: ${field}`);
});

test('every event and every field that comes out is on the page, and every field on the page comes out', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const linear = path.join(folder, 'linear');
  await makeArchive(linear, { pair: 'AAAUSDT', market: { breaksAtMs: [30_000], startMs: 86_300_000 } });
  await makeArchive(linear, { pair: 'AAAUSDT', date: '2025-01-16' });
  await makeArchive(linear, { pair: 'AAAUSDT', date: '2025-01-18' });
  fs.symlinkSync('nowhere', path.join(linear, '2025-01-15_BBBUSDT_ob500.data.zip'));
  const level = (price: string, quantity: string): [string, string] => [price, quantity];
  const many = (step: string) =>
    Array.from({ length: 1000 }, (_, index) => level(`1.${1000 + index}${step}`, `1${step}`));
  const snapshot = { type: 'snapshot' as const, bids: many(''), asks: [level('1.05', '3')] };
  await writeLines(folder, [
    line({ ...snapshot, atMs: 10, u: 5 }),
    line({ ...snapshot, atMs: 3_600_010, u: 6, bids: many('5') }),
    line({ atMs: 3_600_020, u: 10, bids: [level('77', '0')] }),
    '{}',
  ]);
  await complete(['--source-dir', folder, '--output-dir', out]);
  const found = new Map<string, Record<string, unknown>[]>();
  for (const args of [[folder], [out]]) {
    const { stdout } = await complete(['audit', ...args, '--format', 'json']);
    for (const text of stdout.trimEnd().split('\n')) {
      const event = JSON.parse(text) as Record<string, unknown>;
      found.set(String(event['event']), [...(found.get(String(event['event'])) ?? []), event]);
    }
  }
  assert.deepEqual([...found.keys()].sort(), [...tables.keys()].sort());
  for (const [name, events] of found) {
    const fields = tables.get(name) ?? [];
    const seen = new Set(events.flatMap((event) => [...assertAsDescribed(event, fields, name)]));
    assert.deepEqual(
      fields.map((field) => field.path).filter((field) => !seen.has(field)),
      [],
      name,
    );
  }
});
