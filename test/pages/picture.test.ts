import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/files.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test("the README's picture is what its script draws", (t) => {
  const folder = tempDir(t);
  const script = path.join(ROOT, 'scripts/draw-rows.mjs');
  assert.equal(spawnSync(process.execPath, [script, folder], { stdio: 'inherit' }).status, 0);
  for (const name of fs.readdirSync(folder)) {
    const drawn = fs.readFileSync(path.join(folder, name), 'utf8');
    assert.equal(fs.readFileSync(path.join(ROOT, 'docs', name), 'utf8'), drawn, `${name}: node scripts/draw-rows.mjs`);
  }
});
