import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommitGate } from '../../src/executors/commit-gate.js';

test('whoever comes first decides: a commit is let through and waited for, or never begins', () => {
  const here = new CommitGate();
  const there = new CommitGate(here.shared);
  here.open();
  assert.equal(there.pass(), true);
  assert.equal(there.pass(), true, 'asked again, as after a failure in the commit');
  assert.equal(here.shut(), false, 'it has to be waited for');

  here.open();
  assert.equal(here.shut(), true);
  assert.equal(there.pass(), false);
  assert.equal(here.shut(), true, 'shut twice');
});
