/** docs/outputs.md against the tables of formats and columns, and against files that the program writes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { type ColumnInfo, LEVEL_COLUMNS, STATE_COLUMNS, type StateColumn } from '../../src/output/columns.js';
import { DECOMPRESSORS } from '../../src/output/compression.js';
import { FORMATS } from '../../src/output/formats.js';
import { runCli } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { readPage, tableBelow } from '../support/markdown.js';
import { line, writeLines } from '../support/messages.js';

const PAGE = readPage('outputs.md');
const CSV = tableBelow(PAGE, '## CSV');
const STATE = tableBelow(PAGE, '## Parquet: what every layout begins with');
const LEVELS = {
  lists: tableBelow(PAGE, '## Parquet: lists'),
  wide: tableBelow(PAGE, '## Parquet: wide'),
  long: tableBelow(PAGE, '## Parquet: long'),
};
const LAYOUTS = ['lists', 'wide', 'long'] as const;

describe('docs/outputs.md says what the tables of the code say', () => {
  const FLAG_OF = {
    formattedTimestamp: '`--include-formatted-timestamp`',
    quality: '`--quality`',
    symbol: 'not with `--partition hive`',
  };
  const described = ({ name, unit, meaning }: Omit<ColumnInfo, 'type'>) => ({ column: name, unit, meaning });
  const stateOf = (kind: StateColumn['only']) =>
    STATE_COLUMNS.filter(({ only }) => only === undefined || only === kind);
  const describedState = (column: StateColumn) => ({
    ...described(column),
    'there with': column.option ? FLAG_OF[column.option] : 'always',
  });
  const levels = (rows: typeof CSV) => rows.map(({ column, unit, meaning }) => ({ column, unit, meaning }));
  const state = (rows: typeof CSV) => rows.map((row) => ({ ...levels([row])[0], 'there with': row['there with'] }));

  test('formats', () => {
    const formats = tableBelow(PAGE, '## Formats').map((row) => [row['`--format`'], row['files end with']]);
    assert.deepEqual(
      formats,
      Object.entries(FORMATS).map(([name, { suffix }]) => [name, `\`${suffix}\``]),
    );
  });

  test('CSV', () => {
    const wide = LEVEL_COLUMNS.wide.map((column) => ({ ...described(column), 'there with': 'always' }));
    assert.deepEqual(state(CSV), [...stateOf('csv').map(describedState), ...wide]);
  });

  test('Parquet', () => {
    assert.deepEqual(state(STATE), stateOf('parquet').map(describedState));
    for (const layout of LAYOUTS) assert.deepEqual(levels(LEVELS[layout]), LEVEL_COLUMNS[layout].map(described));
  });
});

const DEPTH = 2;
const OPTION_SETS = [
  [],
  ['--quality'],
  ['--include-formatted-timestamp'],
  ['--quality', '--include-formatted-timestamp'],
];

/** The page's rows that a file made with some options has columns of; `{k}` replaced, side by side. */
function ofFile(rows: typeof CSV, options: string[]): { name: string; type: string; empty: string }[] {
  const isThere = (row: (typeof CSV)[number]) => {
    const option = row['there with'];
    if (option === undefined || option === 'always') return true;
    if (option.startsWith('not with ')) return option !== `not with \`${options.join(' ')}\``;
    return options.some((given) => `\`${given}\`` === option);
  };
  const columns = rows.filter(isThere).map((row) => ({
    name: row['column'] ?? '',
    type: row['type'] ?? '',
    empty: row['empty when'] ?? row['null when'] ?? '',
  }));
  const numbered = (side: string) =>
    Array.from({ length: DEPTH }, (_, i) =>
      columns
        .filter(({ name }) => name.startsWith(side) && name.endsWith('_{k}'))
        .map((column) => ({ ...column, name: column.name.replace('{k}', String(i + 1)) })),
    ).flat();
  const single = columns.filter(({ name }) => !name.endsWith('_{k}'));
  return [...single, ...numbered('bid'), ...numbered('ask')];
}

/** Converts an archive whose book is full at 00:01, without a flag, and empty at 00:02. */
async function convert(t: TestContext, ...options: string[]): Promise<string> {
  const dir = tempDir(t);
  const levels = (quantity: string): { bids: [string, string][]; asks: [string, string][] } => ({
    bids: ['1.2', '1.1'].map((price) => [price, quantity]),
    asks: ['1.3', '1.4'].map((price) => [price, quantity]),
  });
  const lines = [
    line({ type: 'snapshot', atMs: 500, u: 1, ...levels('7') }),
    line({ atMs: 70_000, u: 2, ...levels('0') }),
  ];
  const archive = await writeLines(path.join(dir, 'linear'), lines); // a folder that tells the market
  const args = ['--output-dir', dir, '--depths', String(DEPTH), ...options];
  const { status, stderr } = await runCli([archive, ...args]);
  assert.equal(status, 0, stderr);
  const folders = options.includes('hive') ? ['symbol=TESTUSDT', 'date=2025-01-15'] : ['TESTUSDT'];
  return path.join(dir, 'linear', '0002', ...folders, `2025-01-15_TESTUSDT_ob${DEPTH}_1m`);
}

describe('CSV files are as docs/outputs.md has them', () => {
  const PATTERNS: Record<string, RegExp> = {
    'whole number': /^\d+$/,
    '1 or 0': /^[01]$/,
    decimal: /^\d+(\.\d+)?$/,
    text: /^[ -~]+$/,
  };

  for (const options of OPTION_SETS) {
    test(`with ${options.join(' ') || 'no option'}`, async (t) => {
      const text = fs.readFileSync(`${await convert(t, ...options)}.csv`, 'latin1');
      const [header, full, empty] = text
        .trimEnd()
        .split('\r\n')
        .map((row) => row.split(','));
      const columns = ofFile(CSV, options);
      assert.deepEqual(
        header,
        columns.map(({ name }) => name),
      );
      for (const [at, { name, type, empty: when }] of columns.entries()) {
        const cells = [full?.[at] ?? '', empty?.[at] ?? ''];
        assert.equal(cells.includes(''), when !== 'never', name);
        for (const cell of cells.filter((cell) => cell !== '')) assert.match(cell, PATTERNS[type] ?? /never/, name);
      }
    });
  }
});

/** The columns of a Parquet file's schema, in the page's words. */
function columnsOf(schema: SchemaElement[]): { name: string; type: string }[] {
  const columns: { name: string; type: string }[] = [];
  for (let at = 1; at < schema.length; at++) {
    const { name, repetition_type, logical_type } = schema[at] as SchemaElement;
    if (logical_type?.type === 'LIST') {
      assert.equal(repetition_type, 'REQUIRED');
      assert.equal(schema[at + 1]?.repetition_type, 'REPEATED');
      assert.equal(schema[at + 2]?.repetition_type, 'REQUIRED');
      columns.push({ name, type: `list of ${typeOf(schema[at + 2] as SchemaElement)}` });
      at += 2;
    } else {
      const orNull = repetition_type === 'OPTIONAL' ? ' or null' : '';
      columns.push({ name, type: typeOf(schema[at] as SchemaElement) + orNull });
    }
  }
  return columns;
}

function typeOf({ type, logical_type: logical }: SchemaElement): string {
  if (logical?.type === 'TIMESTAMP') {
    assert.deepEqual(logical, { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' });
    return 'timestamp (ms, UTC)';
  }
  if (logical?.type === 'DECIMAL') return `decimal(${logical.precision}, ${logical.scale})`;
  return (logical?.type ?? type ?? '').toLowerCase();
}

describe('Parquet files are as docs/outputs.md has them', () => {
  for (const layout of LAYOUTS) {
    for (const options of [[], ['--quality'], ['--decimals'], ['--partition', 'hive']]) {
      test(`${layout} with ${options.join(' ') || 'no option'}`, async (t) => {
        const file = `${await convert(t, '--format', 'parquet', '--layout', layout, ...options)}.parquet`;
        const bytes = new Uint8Array(fs.readFileSync(file)).buffer;
        const { schema, key_value_metadata: keyValues = [] } = parquetMetadata(bytes);
        const columns = [...ofFile(STATE, options), ...ofFile(LEVELS[layout], options)];
        const exact = (type: string) =>
          options.includes('--decimals') ? type.replace('double', 'decimal(38, 18)') : type;
        assert.deepEqual(
          columnsOf(schema),
          columns.map(({ name, type }) => ({ name, type: exact(type) })),
        );
        assert.deepEqual(
          keyValues.map(({ key }) => key),
          tableBelow(PAGE, '## Parquet: metadata').map(({ key }) => key),
        );

        const rows = await parquetReadObjects({ file: bytes, compressors: DECOMPRESSORS });
        const empty = rows.at(-1) ?? {};
        assert.equal(rows.length, layout === 'long' ? 2 * DEPTH : 2);
        for (const { name, empty: when } of columns) {
          const isEmpty = empty[name] === null || (Array.isArray(empty[name]) && empty[name].length === 0);
          assert.equal(isEmpty, when !== 'never', name);
        }
      });
    }
  }
});
