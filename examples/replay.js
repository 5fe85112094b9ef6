// Every change of the best bid and ask, at the time of the message that made it, as CSV:
//
//     node examples/replay.js 2025-01-15_BTCUSDT_ob500.data.zip > quotes.csv
import process from 'node:process';
import { OrderBook, readMessages } from 'bookgrid';

const [archive = ''] = process.argv.slice(2);
const book = new OrderBook();
let hasBook = false;
let lastUpdateId = 0;
let lastQuote = '';
console.log('ts,cts,bid,bid_quantity,ask,ask_quantity');
for await (const message of readMessages(archive)) {
  const { type, tsMs, ctsMs, updateId = 0 } = message;
  hasBook ||= type === 'snapshot';
  if (!hasBook) continue; // changes to a book that is not known
  if (type === 'delta' && updateId !== lastUpdateId + 1) console.error(`${tsMs}: messages are missing`);
  lastUpdateId = updateId;
  book.apply(message);
  const { bids, asks } = book.text(1); // the archive's own text; book.bestBid and book.bestAsk have numbers
  const quote = [bids[0] ?? ['', ''], asks[0] ?? ['', '']].join(',');
  if (quote !== lastQuote) console.log(`${tsMs},${ctsMs ?? ''},${quote}`);
  lastQuote = quote;
}
