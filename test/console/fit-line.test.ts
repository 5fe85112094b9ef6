import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitLine } from '../../src/console/fit-line.js';

const RESULT = '[1/40] DONE     AAAUSDT    2025-01-15_AAAUSDT_ob200.data.zip        [200] → 1440 snapshots ✓';

for (const [what, line, columns, expected] of [
  ['fits', RESULT, 92, [RESULT]],
  ['is aligned', RESULT, 80, ['[1/40] DONE AAAUSDT 2025-01-15_AAAUSDT_ob200.data.zip [200] → 1440 snapshots ✓']],
  ['is too long', RESULT, 60, ['[1/40] DONE AAAUSDT 2025-01-15_AAAUSDT_ob200.data.zip [200]', '  → 1440 snapshots ✓']],
  ['is indented', '  a b c', 5, ['  a b', '    c']],
  ['has a word that is too long', 'a 123456789 b', 6, ['a', '  123456789', '  b']],
  ['is a rule', '='.repeat(80), 60, ['='.repeat(60)]],
  ['is coloured', 'a \u001b[32mDONE    \u001b[39m b', 8, ['a \u001b[32mDONE\u001b[39m b']],
  ['is empty', '', 10, ['']],
] as const) {
  test(`a line that ${what}, on ${columns} columns`, () => {
    assert.deepEqual(fitLine(line, columns).split('\n'), expected);
  });
}
