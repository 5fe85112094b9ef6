/** The forms of zip and gzip files that the fuzzer makes are right: Python reads the same out of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipFile, type ZipForm, zipFile } from '../../fuzz/wrappings.js';
import { tempDir } from '../support/files.js';

const TEXT = Buffer.from('one line\nand another\n'.repeat(20));
const READ = `
import gzip, os, sys, zipfile
for name in sorted(os.listdir('.')):
    if name.endswith('.zip'):
        with zipfile.ZipFile(name) as zip:
            assert zip.testzip() is None, name
            text = zip.read([member for member in zip.namelist() if member.endswith('.data')][0])
    else:
        text = gzip.open(name).read()
    print(name, len(text), text == b'one line\\nand another\\n' * 20)
`;

function formsOf(count: number): ZipForm[] {
  return Array.from({ length: count }, (_, bits) => ({
    isStored: (bits & 1) !== 0,
    isStreamed: (bits & 2) !== 0,
    isZip64: (bits & 4) !== 0,
    hasOtherMembers: (bits & 8) !== 0,
    hasDescriptorSignature: (bits & 16) !== 0,
    ...((bits & 32) !== 0 && { folder: 'a/b/', comment: 'said', extra: Buffer.from('UT\x05\0\x01\0\0\0\0', 'latin1') }),
  }));
}

test('zip and gzip files', (t) => {
  const folder = tempDir(t);
  formsOf(64).forEach((form, index) => {
    fs.writeFileSync(path.join(folder, `${index}.zip`), zipFile('a.data', TEXT, form));
  });
  [
    {},
    { members: 3 },
    { members: 3, hasEmptyMembers: true },
    { members: 2, paddingBytes: 512 },
    { hasFullHeader: true },
  ].forEach((form, index) => {
    fs.writeFileSync(path.join(folder, `${index}.gz`), gzipFile(TEXT, form));
  });
  const { stdout, stderr, error } = spawnSync('python3', ['-c', READ], { cwd: folder, encoding: 'utf8' });
  if (error) return t.skip('python3 is not there');
  const lines = stdout.trim().split('\n');
  assert.equal(stderr, '');
  assert.equal(lines.length, 69);
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(` ${TEXT.length} True`)),
    [],
  );
});
