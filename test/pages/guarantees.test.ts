/** The page of guarantees is of the script that writes it, and that of licences is of the lock file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/files.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const page = fs.readFileSync(path.join(ROOT, 'docs/guarantees.md'), 'utf8');

function script(name: string, ...args: string[]) {
  return spawnSync(process.execPath, [path.join(ROOT, 'scripts', name), ...args], { encoding: 'utf8' });
}

test('a log of proofs becomes a table: summed up, in the order of the kinds', (t) => {
  const log = path.join(tempDir(t), 'log');
  const lines = [
    { proof: 'soak', command: 'convert', call: 'minutes', count: 3, found: 0 },
    { proof: 'kills', command: 'join', call: 'SIGKILL', count: 1200, found: 0 },
    { proof: 'faults', command: 'convert', call: 'open|EIO', count: 7, found: 0 },
    { proof: 'kills', command: 'join', call: 'SIGKILL', count: 34, found: 0 },
  ];
  fs.writeFileSync(log, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { stdout, status } = script('guarantees.mjs', log, '--print');
  assert.equal(
    stdout,
    [
      '| proof | command | what was done | times | lost, short, unknown or wrong |',
      '|---|---|---|---:|---:|',
      '| fault injected | convert | open\\|EIO | 7 | 0 |',
      '| disturbed at a random moment | join | SIGKILL | 1,234 | 0 |',
      '| soaked | convert | minutes | 3 | 0 |',
      '',
    ].join('\n'),
  );
  assert.equal(status, 0);

  fs.appendFileSync(log, '{"proof":"fuzz","command":"convert","call":"zip","count":5,"found":1}\n');
  assert.equal(script('guarantees.mjs', log, '--print').status, 1, 'something was found');
  fs.appendFileSync(log, '{"proof":"luck","count":5,"found":0}\n');
  assert.match(script('guarantees.mjs', log, '--print').stderr, /this is no proof: \{"proof":"luck"/);
});

test('the table on the page is one that the script writes, and nothing was found', () => {
  const [, table = ''] = /<!-- figures of the proofs.*?-->\n\n(.*?)\n\n<!-- end of the figures -->/s.exec(page) ?? [];
  const [heading, rule, ...rows] = table.split('\n');
  assert.equal(heading, '| proof | command | what was done | times | lost, short, unknown or wrong |');
  assert.equal(rule, '|---|---|---|---:|---:|');
  assert.ok(rows.length >= 10);
  for (const row of rows) assert.match(row, /^\| [a-z ]+ \| [^|\n]* \| [^|\n]* \| [1-9][\d,]* \| 0 \|$/);
  for (const proof of ['disturbed at a random moment | convert', 'soaked', 'load', 'hostile input']) {
    assert.ok(table.includes(`| ${proof} |`), `${proof} is told of`);
  }
});

test('every proof that the page names prints its figures into the log, or is an ordinary test', () => {
  const named = [...page.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file = '']) => file);
  const proofs = fs.readdirSync(path.join(ROOT, 'test/proof')).map((name) => `test/proof/${name}`);
  for (const file of named) assert.ok(fs.existsSync(path.join(ROOT, file)), file);
  for (const file of proofs) {
    const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
    assert.ok(named.includes(file) || !text.includes('logProof('), `${file} is named on the page`);
  }
});

test('licences, hashes and install scripts of all that comes with it are as promised', () => {
  const { status, stderr } = script('licences.mjs', '--check');
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});
