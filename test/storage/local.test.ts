import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { localStorage } from '../../src/storage/local.js';
import { openStorage } from '../../src/storage/open-storage.js';
import { folderOf, joinPath, nameOf } from '../../src/storage/paths.js';
import { type Entry, StorageError } from '../../src/storage/storage.js';
import { collect } from '../support/collect.js';
import { tempDir } from '../support/files.js';
import { testStorage } from './conformance.js';

testStorage('a folder of this machine', localStorage, async (t) => path.join(tempDir(t), 'with space and ümlaut'), {
  hasFolders: true,
});

describe('a folder of this machine', () => {
  const list = (folder: string): Promise<Entry[]> => collect(localStorage.list(folder));

  test('one name that cannot be looked at does not hide the others', async (t) => {
    const dir = tempDir(t);
    fs.writeFileSync(path.join(dir, 'file'), 'x');
    fs.symlinkSync('nowhere', path.join(dir, 'broken'));
    fs.symlinkSync('loop', path.join(dir, 'loop'));
    fs.symlinkSync('file', path.join(dir, 'link'));
    const found = new Map((await list(dir)).map((entry) => [entry.name, entry]));
    assert.deepEqual([...found.keys()], ['broken', 'file', 'link', 'loop']);
    const problem = (name: string) => {
      const entry = found.get(name);
      return entry?.kind === 'unusable' ? entry.problem : undefined;
    };
    assert.match(problem('broken') ?? '', /link to a file or folder that is not there/);
    assert.match(problem('loop') ?? '', /ELOOP/);
    assert.equal(found.get('link')?.kind, 'file');
  });

  test('a folder has one id, whichever path leads to it', async (t) => {
    const dir = tempDir(t);
    fs.mkdirSync(path.join(dir, 'real'));
    fs.symlinkSync('real', path.join(dir, 'link'));
    const ids = (await list(dir)).map((entry) => (entry.kind === 'folder' ? entry.id : undefined));
    assert.equal(ids.length, 2);
    assert.equal(ids[0], ids[1]);
  });

  test('a pipe or a device as a log, or as a file, is refused and not waited for', {
    skip: spawnSync('mkfifo', ['--version']).error !== undefined && 'NOT CHECKED: mkfifo(1) is not here',
  }, async (t) => {
    const pipe = path.join(tempDir(t), 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    for (const file of [pipe, '/dev/zero']) {
      await assert.rejects(localStorage.appendLine(file, 'x'), StorageError);
      await assert.rejects(collect(localStorage.readLog(file)), StorageError);
      await assert.rejects(localStorage.open(file), StorageError);
    }
  });

  test('the room that is left is that of df(1)', {
    skip: spawnSync('df', ['-B1', '.']).status !== 0 && 'NOT CHECKED: df(1) is not here',
  }, async (t) => {
    const folder = tempDir(t);
    const { stdout } = spawnSync('df', ['-B1', '--output=avail', folder], { encoding: 'utf8' });
    const told = Number(stdout.split('\n')[1]);
    const found = (await localStorage.freeBytes(path.join(folder, 'not', 'there'))) ?? Number.NaN;
    assert.ok(Math.abs(found - told) < 1e9, `${found} is about ${told}`);
  });

  test('a folder that cannot be made is an error at once', {
    skip: !fs.existsSync('/proc/self') && 'NOT CHECKED: there is no /proc here',
  }, async () => {
    await assert.rejects(localStorage.requireWritable('/proc/no/such/folder'), { code: 'ENOENT' });
  });
});

test('paths stay as they are given', () => {
  assert.equal(joinPath('s3://bucket/prefix/', '0200', 'a.csv'), 's3://bucket/prefix/0200/a.csv');
  assert.equal(joinPath('out', '0200', 'a.csv'), path.join('out', '0200', 'a.csv'));
  assert.equal(folderOf('s3://bucket/prefix/a.csv'), 's3://bucket/prefix');
  assert.equal(nameOf('s3://bucket/prefix/a.csv'), 'a.csv');
});

test('a scheme that nothing is known of is named', () => {
  assert.throws(() => openStorage('gopher://bucket/a.csv'), /^StorageError: gopher:\/\/bucket\/a\.csv: .*gopher:\/\//);
  assert.equal(openStorage('out/a.csv'), localStorage);
  assert.equal(openStorage('C:\\out\\a.csv'), localStorage);
});
