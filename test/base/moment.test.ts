import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, formatMoment, parseMoment } from '../../src/base/moment.js';

const MIDNIGHT_MS = Date.parse('2025-01-15T00:00:00Z');
const at = (text: string) => ({ kind: 'instant', ms: Date.parse(text) });
const since = (sinceMidnightMs: number) => ({ kind: 'time of day', sinceMidnightMs });

const READ: [text: string, moment: object][] = [
  ['10:15', since(36_900_000)],
  ['1:02', since(3_720_000)],
  ['10:15:30', since(36_930_000)],
  ['10:15:30.25', since(36_930_250)],
  ['10:15:30.250Z', since(36_930_250)],
  ['00:00', since(0)],
  ['24:00', since(86_400_000)],
  ['2025-01-15', { kind: 'day', midnightMs: MIDNIGHT_MS }],
  ['2025-01-15T10:15', at('2025-01-15T10:15:00Z')],
  ['2025-01-15 10:15:30.250', at('2025-01-15T10:15:30.250Z')],
  ['2025-01-15T10:15:30.250Z', at('2025-01-15T10:15:30.250Z')],
  ['2025-01-15T10:15:30.2500', at('2025-01-15T10:15:30.250Z')],
  ['2025-01-15T24:00', at('2025-01-16T00:00:00Z')],
  ['1736936100000', { kind: 'instant', ms: 1736936100000 }],
];

for (const [text, moment] of READ) {
  test(`${text} is read`, () => assert.deepEqual(parseMoment(text), moment));
}

const REFUSED = [
  ...[
    '',
    'noon',
    '10',
    '1015',
    '10:60',
    '25:00',
    '24:01',
    '10:15:60',
    '10:15:30.',
    '10:15:30.2501',
    '-10:15',
    ' 10:15',
  ],
  ...[
    '1736936100',
    '2025-02-30',
    '2025-1-15',
    '2025-01-15T',
    'T10:15',
    '2025-01-15T10:15+01:00',
    '10:15-05:00',
    '10:15ZZ',
  ],
  ...['2025-01-15Z10:15', '1e12', '1736936100000.5', '２０:００'],
];

for (const text of REFUSED) {
  test(`"${text}" is refused, with what would be right`, () => {
    assert.throws(() => parseMoment(text), {
      name: 'RangeError',
      message: /Expected a time \(UTC\)|no day of the calendar/,
    });
  });
}

test('a moment is shown to the millisecond, a duration in its largest unit', () => {
  assert.equal(formatMoment(MIDNIGHT_MS + 1), '2025-01-15 00:00:00.001');
  assert.deepEqual([1, 999, 1500, 30_500, 90_000, 5_400_000, 129_600_000].map(formatDuration), [
    '1 ms',
    '999 ms',
    '1.5 s',
    '30.5 s',
    '1.5 min',
    '1.5 h',
    '1.5 d',
  ]);
});
