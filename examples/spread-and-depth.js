// Spread, and quantity near the mid price, at every minute of an archive, as CSV:
//
//     node examples/spread-and-depth.js 2025-01-15_BTCUSDT_ob500.data.zip > spread.csv
import process from 'node:process';
import { snapshots } from 'bookgrid';

const NEAR_BPS = 10;

const [archive = ''] = process.argv.slice(2);
console.log(`time,spread_bps,bid_quantity_${NEAR_BPS}bps,ask_quantity_${NEAR_BPS}bps`);
for await (const row of snapshots(archive, { intervalMs: 60_000, keepTexts: false })) {
  if (row.isSuspect) console.error(`${new Date(row.boundaryMs).toISOString()}: messages are missing`);
  const { bidPrices, bidQuantities, askPrices, askQuantities } = row.levels();
  const [bid, ask] = [bidPrices[0], askPrices[0]];
  if (bid === undefined || ask === undefined) continue; // a side is empty
  const mid = (bid + ask) / 2;
  const spreadBps = ((ask - bid) / mid) * 10_000;
  const reach = (mid * NEAR_BPS) / 10_000;
  const bidQuantity = bidQuantities.reduce((sum, qty, i) => (Number(bidPrices[i]) >= mid - reach ? sum + qty : sum), 0);
  const askQuantity = askQuantities.reduce((sum, qty, i) => (Number(askPrices[i]) <= mid + reach ? sum + qty : sum), 0);
  console.log([new Date(row.boundaryMs).toISOString(), spreadBps.toFixed(3), bidQuantity, askQuantity].join(','));
}
