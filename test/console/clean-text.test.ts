import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean } from '../../src/console/clean-text.js';

test('nothing that moves the cursor, breaks a line or turns the direction of writing reaches a terminal', () => {
  const hostile = [
    '\u001b[2J',
    '\u0007',
    '\r\n',
    '\u009b31m',
    '\u202Egpj.piz',
    '\u2066x\u2069',
    '\u200F',
    '\u2028',
    '\u061C',
  ];
  for (const text of hostile) {
    assert.doesNotMatch(clean(text), /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u, JSON.stringify(text));
  }
  assert.equal(clean('2025-01-15_ÄÖÜ 日本 é.zip'), '2025-01-15_ÄÖÜ 日本 é.zip');
});
