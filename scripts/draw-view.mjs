// Takes the pictures of `bookgrid view` for its page: docs/view-light.png and docs/view-dark.png, of synthetic days.
//
//     node scripts/draw-view.mjs [FOLDER]
//
// Needs Chromium. PNG has no smaller way to keep so many colours: a palette of 256 is enough for the eye.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setUp } from './setup.mjs';

setUp();
const { writeDay, writeMetrics } = await import('../dist/test/support/book-days.js');
const { openPage, settled, startBrowser, startView } = await import('../dist/test/support/browser.js');
const target = process.argv[2] ?? 'docs';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-draw-'));
const work = path.join(folder, 'snapshots');
const HOUR_MS = 3_600_000;
const SYMBOL = 'XRPUSDT';
const DAYS = 24;

const records = [];
for (let day = 0; day < DAYS; day++) {
  const date = new Date(Date.UTC(2025, 0, 1 + day)).toISOString().slice(0, 10);
  if (day === 9 || day === 10) continue;
  const isShown = day === 14;
  const depth = isShown ? 500 : 5;
  const marks = isShown && {
    holes: [{ fromMs: 13 * HOUR_MS, toMs: 13.4 * HOUR_MS }],
    filled: [{ fromMs: 3 * HOUR_MS, toMs: 3.1 * HOUR_MS }],
    suspect: [{ fromMs: 13.4 * HOUR_MS, toMs: 15 * HOUR_MS }],
  };
  for (const symbol of isShown ? [SYMBOL] : [SYMBOL, 'ADAUSDT', 'BTCUSDT', 'ETHUSDT', 'SOLUSDT']) {
    const made = await writeDay(work, { symbol, date, seed: 8 + day, depth, format: 'csv', ...marks });
    const file = made.replaceAll(depth === 5 ? `ob5_` : `ob500_`, 'ob500_').replace('/0005/', '/0500/');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (file !== made) fs.renameSync(made, file);
    const { size, mtimeMs } = fs.statSync(file);
    const output = {
      kind: 'book',
      depth: 500,
      format: 'csv',
      path: path.relative(work, file),
      shape: {},
      formatVersion: 1,
    };
    records.push({
      ...{
        archive: `${date}_${symbol}_ob500.data.zip`,
        archiveBytes: 1,
        archiveMtimeMs: 1,
        pair: symbol,
        date,
        sourceDepth: 500,
      },
      ...{
        status: 'done',
        rows: isShown ? 1416 : 1440,
        filledRows: day % 5 === 3 ? 6 : 0,
        suspectRows: isShown || day === 20 ? 96 : 0,
      },
      outputs: [{ ...output, bytes: size, mtimeMs: Math.floor(mtimeMs) }],
    });
  }
}
fs.writeFileSync(path.join(work, 'conversions.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
await writeMetrics(work, SYMBOL, '2025-01-15', 'messages');

process.chdir(folder);
const view = await startView(['snapshots']);
const browser = await startBrowser();
try {
  for (const colorScheme of ['light', 'dark']) {
    const hash = `#series=/${SYMBOL}/ob500/1m/csv&from=2025-01-15&at=2025-01-15T09:24:00`;
    const closing = [];
    const { page } = await openPage({ after: (close) => closing.push(close) }, browser, view.url, {
      ...{ hash, colorScheme, viewport: { width: 1280, height: 800 } },
    });
    await settled(page);
    await page.waitForTimeout(500);
    const file = path.resolve(
      import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
      '..',
      target,
      `view-${colorScheme}.png`,
    );
    await page.screenshot({ path: file });
    console.log(file, fs.statSync(file).size);
    for (const close of closing) await close();
  }
} finally {
  await browser.close();
  view.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}
