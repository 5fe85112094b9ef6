/** docs/metrics.md against the table of columns, and against what the program writes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parquetMetadata } from 'hyparquet';
import { METRIC_COLUMNS } from '../../src/metrics/columns.js';
import { LABEL_COLUMNS } from '../../src/output/columns.js';
import { runCli } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { fixture } from '../support/fixtures.js';
import { readPage, tableBelow } from '../support/markdown.js';

const PAGE = readPage('metrics.md');
const ROWS = [...tableBelow(PAGE, '## The book at T'), ...tableBelow(PAGE, '## The interval up to T')];
const IMPACTS = [7, 250];

test('docs/metrics.md lists the columns of the table, with their units and meanings, in order', () => {
  const rows = ROWS.map(({ column, unit, meaning }) => ({ name: column, unit, meaning }));
  const labels = rows.splice(0, LABEL_COLUMNS.length);
  assert.deepEqual(
    labels.map(({ name, unit }) => ({ name, unit })),
    LABEL_COLUMNS.map(({ name, unit }) => ({ name, unit })),
  );
  assert.deepEqual(rows, METRIC_COLUMNS);
});

/** What stands for a parameter, as the page says. */
function valuesOf(parameter: string): string[] {
  if (parameter === '{amount}') return IMPACTS.map(String);
  const [, list = ''] = new RegExp(`^\\| \`\\${parameter}\` \\| ([\\d, ]+) `, 'm').exec(PAGE) ?? [];
  return list.split(', ');
}

/** Whether a file without options has a column, by what the page says of it. */
function isInFile(meaning: string, kind: 'csv' | 'parquet'): boolean {
  const [, only = 'always'] = /, only in (.*)$/.exec(meaning) ?? [];
  return only === 'always' || (only === 'Parquet' && kind === 'parquet');
}

/** The columns of a file, from the page: rows that share a parameter stand together, value after value. */
function columnsByPage(kind: 'csv' | 'parquet'): string[] {
  const parameterOf = (pattern: string) => /\{\w+\}/.exec(pattern)?.[0] ?? '';
  const patterns = ROWS.filter(({ meaning = '' }) => isInFile(meaning, kind)).map(({ column = '' }) => column);
  return patterns.flatMap((pattern, at) => {
    const parameter = parameterOf(pattern);
    if (parameter === '') return [pattern];
    if (parameterOf(patterns[at - 1] ?? '') === parameter) return [];
    const group = patterns.filter((other) => parameterOf(other) === parameter);
    return valuesOf(parameter).flatMap((value) => group.map((member) => member.replace(parameter, value)));
  });
}

test('a metrics output has the columns that docs/metrics.md lists, in order', async (t) => {
  const out = tempDir(t);
  const args = ['--metrics-only', '--format', 'csv,parquet', '--impact', IMPACTS.join(), '--output-dir', out];
  const { status, stderr } = await runCli([fixture('archives', 'PLAIN').path, ...args]);
  assert.equal(status, 0, stderr);
  const file = path.join(out, 'metrics', 'PLAIN', '2025-01-15_PLAIN_1m');
  const [header = ''] = fs.readFileSync(`${file}.csv`, 'latin1').split('\r\n');
  assert.deepEqual(header.split(','), columnsByPage('csv'));

  const { schema } = parquetMetadata(new Uint8Array(fs.readFileSync(`${file}.parquet`)).buffer);
  const [, timestamp, symbol, ...numbers] = schema;
  assert.deepEqual(
    [timestamp, symbol, ...numbers].map((element) => element?.name),
    columnsByPage('parquet'),
  );
  assert.deepEqual(symbol?.logical_type, { type: 'STRING' });
  assert.deepEqual(timestamp?.logical_type, { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' });
  for (const { name, type, repetition_type } of numbers) {
    assert.deepEqual([type, repetition_type], ['DOUBLE', 'OPTIONAL'], name);
  }
});
