// Book snapshots by tardis-dev, one depth, as CSV. Its own replay fetches from Tardis's servers, so the messages are
// handed to the mapper that its normalizer gives; the mapper's `canHandle`, which admits depth 50 only, is not asked.
//
//     node tardis.mjs ARCHIVE DEPTH INTERVAL_MS OUTPUT
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { compute, computeBookSnapshots, normalizeBookChanges } from 'tardis-dev';
import { archiveText } from './archive-text.mjs';

const [archive, depth, interval, output] = process.argv.slice(2);

async function* bookChanges() {
  let rest = '';
  let mapper;
  for await (const chunk of await archiveText(archive)) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const message = JSON.parse(line);
      const localTimestamp = new Date(message.cts);
      mapper ??= normalizeBookChanges('bybit', localTimestamp);
      yield* mapper.map(message, localTimestamp);
    }
  }
}

const csv = createWriteStream(output);
const cells = (levels) => levels.map(({ price = '', amount = '' }) => `${price},${amount}`).join(',');
const snapshots = computeBookSnapshots({ depth: Number(depth), interval: Number(interval) });
for await (const message of compute(bookChanges(), snapshots)) {
  if (message.type !== 'book_snapshot') continue;
  csv.write(`${message.timestamp.valueOf()},${cells(message.bids)},${cells(message.asks)}\r\n`);
}
await finished(csv.end());
