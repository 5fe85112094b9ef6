import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter, MAX_LINE_BYTES } from '../../src/book/lines.js';
import { cut } from '../support/drive.js';

interface Seen {
  text: string;
  isTooLong: boolean;
}

/** Feeds chunks whose memory is overwritten as soon as the splitter asks for more, as that of real ones may be. */
function split(chunks: Uint8Array[]): Seen[] {
  const lines = new LineSplitter();
  const seen: Seen[] = [];
  const take = () => {
    for (let line = lines.next(); line; line = lines.next()) {
      assert.equal(line.number, seen.length + 1);
      seen.push({ text: line.isTooLong ? '' : Buffer.from(line.bytes).toString(), isTooLong: line.isTooLong });
    }
  };
  for (const chunk of chunks) {
    lines.push(chunk);
    take();
    chunk.fill(0x78);
  }
  lines.end();
  take();
  return seen;
}

test('any chunking gives the lines of the text', () => {
  const text = fc.stringMatching(/^[ab\n\r]{0,40}$/);
  fc.assert(
    fc.property(text, fc.array(fc.nat(40), { maxLength: 6 }), (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const expected = whole.split('\n');
      if (expected.at(-1) === '') expected.pop();
      const chunks = cut(
        bytes,
        cuts.map((offset) => offset % (bytes.length + 1)),
      );
      assert.deepEqual(
        split(chunks).map((line) => line.text),
        expected,
      );
    }),
  );
});

test('a line of the limit passes, a longer one is said to be too long and the next one is whole', () => {
  const long = (size: number) => Buffer.from(`${'x'.repeat(size)}\nnext\n`);
  const sizes = [MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES];
  for (const size of sizes) {
    const chunks = cut(long(size), [1000, size >> 1, size]);
    const [first, second] = split(chunks);
    assert.equal(first?.isTooLong, size > MAX_LINE_BYTES);
    assert.deepEqual(second, { text: 'next', isTooLong: false });
  }
});
