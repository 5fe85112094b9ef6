import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommitGate } from '../../src/executors/commit-gate.js';

test('whoever comes first decides: a commit is let through and waited for, or never begins', () => {
  const passed = new CommitGate();
  const there = new CommitGate(passed.shared);
  assert.equal(there.pass(), true);
  assert.equal(there.pass(), true, 'asked again, as after a failure in the commit');
  assert.equal(passed.shut(), false, 'it has to be waited for');

  const shut = new CommitGate();
  assert.equal(shut.shut(), true);
  assert.equal(new CommitGate(shut.shared).pass(), false);
  assert.equal(shut.shut(), true, 'shut twice');
});
