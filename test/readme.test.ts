/** What the README tells people to type works, as far as what it is typed into is there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { SAMPLES, writeSample } from '../src/samples/samples.js';
import { startServer } from './support/archive-server.js';
import { runCli } from './support/cli.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const readPage = (name: string) => fs.readFileSync(path.join(ROOT, name), 'utf8');
const README = readPage('README.md');
/** They name options of other programs. */
const PAGES_FOR_DEVELOPERS = ['benchmarks.md', 'developing.md', 'fuzzing.md', 'kernel.md'];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-test-'));
const archives: string[] = [];
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function blocks(language: string, page = README): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
}

before(async () => {
  const source = path.join(folder, 'archives');
  for (const { market } of SAMPLES) archives.push(await writeSample(source, market));
  const args = ['--source-dir', source, '--output-dir', path.join(folder, 'snapshots'), '--format', 'csv,parquet'];
  const { status, stderr } = await runCli(args);
  assert.equal(status, 0, stderr);
});

test('SQL', async () => {
  const queries = blocks('sql');
  assert.ok(queries.length > 0);
  const connection = await (await DuckDBInstance.create()).connect();
  for (const query of queries) {
    const result = await connection.runAndReadAll(query.replaceAll("'snapshots/", `'${folder}/snapshots/`));
    const rows = result.getRowObjects();
    assert.ok(rows.length > 0);
    for (const { spread, bid_qty_10: quantity } of rows) assert.ok(Number(spread) > 0 && Number(quantity) > 0);
  }
});

test('from an empty folder to a first look, against a publisher of our own', async (t) => {
  const server = await startServer(t);
  const cwd = path.join(folder, 'empty');
  fs.mkdirSync(cwd);
  for (const date of ['2025-08-18', '2025-08-19', '2025-08-20']) {
    await server.publishMade(path.join(folder, 'published'), 'linear', { pair: 'BTCUSDT', date });
  }
  const commands =
    blocks('sh')
      .find((block) => block.includes('bookgrid download'))
      ?.trimEnd()
      .split('\n') ?? [];
  assert.equal(commands.length, 4);
  for (const command of commands) {
    const [, words] = /^\.\/bookgrid (.*)$/.exec(command) ?? [];
    const [, query = ''] = /^duckdb -c "(.*)"$/.exec(command) ?? [];
    if (words !== undefined) {
      const mirror = words.startsWith('download') ? ['--base-url', server.url, '--list-url', 'none'] : [];
      const { status, stdout, stderr } = await runCli([...words.split(' '), ...mirror], { cwd });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
    } else {
      const connection = await (await DuckDBInstance.create()).connect();
      const result = await connection.runAndReadAll(query.replaceAll("'snapshots/", `'${cwd}/snapshots/`));
      const spreads = result.getRowObjects().map(({ spread }) => Number(spread));
      assert.equal(spreads.length, 5);
      assert.ok(spreads.every((spread) => spread > 0));
    }
  }
});

for (const [index, code] of blocks('python').entries()) {
  const library = /^import (\w+)/.exec(code)?.[1] ?? '';
  const isThere = spawnSync('python3', ['-c', `import ${library}, pyarrow`]).status === 0;
  const skip = isThere ? false : `NOT TRIED: python3 has no ${library} with pyarrow here`;
  test(`Python block ${index + 1}, with ${library}`, { skip }, () => {
    const script = `${code}\nassert len(day) > 0`;
    const { status, stderr } = spawnSync('python3', ['-c', script], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}

for (const name of ['README.md', 'docs/library.md']) {
  test(`JavaScript of ${name}`, () => {
    const codes = blocks('js', readPage(name));
    assert.ok(codes.length > 0);
    for (const code of codes) {
      const script = code.replaceAll(/'[^']+\.data\.zip'/g, JSON.stringify(archives[0]));
      const args = ['--input-type=module', '--eval', script];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^\d{13} 0\.\d+ (true|false)$/m);
    }
  });
}

test('every option that pages for users name is one of a command', async () => {
  const program = await runCli(['--help']);
  const commands = [...program.stdout.matchAll(/^ {2}([a-z]+) +[A-Z].*\.$/gm)].map(([, name = '']) => name);
  const helps = await Promise.all(commands.map((name) => runCli(['help', name])));
  const options = new Set(helps.flatMap(({ stdout }) => stdout.match(/--[a-z][a-z-]+/g) ?? []));
  for (const name of fs.readdirSync(path.join(ROOT, 'docs')).filter((file) => file.endsWith('.md'))) {
    if (PAGES_FOR_DEVELOPERS.includes(name)) continue;
    const foreign = (readPage(`docs/${name}`).match(/(?<![\w-])--[a-z][a-z-]+/g) ?? []).filter((o) => !options.has(o));
    assert.deepEqual(foreign, [], name);
  }
});
