/** The page in a real browser: what is seen and told is what the files hold. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { RECORDS_FILE } from '../../src/catalog/records.js';
import { NO_ROWS, paletteTable, RAMP_ENTRIES, rampEntry } from '../../src/view/palettes.js';
import { quantityFraction } from '../../src/view/scales.js';
import { writeDay, writeMetrics } from '../support/book-days.js';
import {
  NO_BROWSER,
  openPage,
  type StartedView,
  settled,
  startBrowser,
  startView,
  waitUntil,
} from '../support/browser.js';
import { tempDir } from '../support/files.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-view-'));
const SYMBOL = 'XRPUSDT';
const DATE = '2025-01-15';
const HOUR_MS = 3_600_000;
const MIDNIGHT_MS = Date.parse(DATE);
const HOLES = [{ fromMs: 13 * HOUR_MS, toMs: 13.5 * HOUR_MS }];
const SERIES = `/${SYMBOL}/ob500/1m/csv`;
const HASH = `#series=${SERIES}&from=${DATE}`;
let browser: Browser;
let view: StartedView;
/** Of the day: each row's cells. */
let rows: string[][];
let header: string[];
let columnOf: Map<string, number>;

before(async () => {
  if (NO_BROWSER) return;
  const day = { symbol: SYMBOL, date: DATE, depth: 500, seed: 8 };
  const file = await writeDay(root, {
    ...{ ...day, format: 'csv', holes: HOLES },
    ...{
      filled: [{ fromMs: 3 * HOUR_MS, toMs: 3.1 * HOUR_MS }],
      suspect: [{ fromMs: 13.5 * HOUR_MS, toMs: 16 * HOUR_MS }],
    },
  });
  await writeDay(root, { ...day, date: '2025-01-16', seed: 9, format: 'csv' });
  await writeMetrics(root, SYMBOL, DATE, 'messages');
  const [first = '', ...lines] = fs.readFileSync(file, 'utf8').trimEnd().split('\r\n');
  header = first.split(',');
  columnOf = new Map(header.map((name, column) => [name, column]));
  rows = lines.map((line) => line.split(','));
  browser = await startBrowser();
  view = await startView([root]);
});

after(async () => {
  view?.stop();
  await browser?.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const cellOf = (row: string[], name: string) => row[columnOf.get(name) ?? -1] as string;
const timeOf = (row: string[]) => Number(cellOf(row, 'timestamp'));

/** The lines of the ladder that are there: side, level, price, quantity. */
async function ladderOf(page: Page): Promise<{ timeMs: number; lines: [string, number, string, string][] }> {
  return page.evaluate(`(() => {
    const lines = [...document.querySelectorAll('.ladder-line.bid, .ladder-line.ask')].filter((line) => !line.hidden);
    return {
      timeMs: Number(document.getElementById('ladder').dataset.time),
      lines: lines.map((line) => [
        line.classList.contains('bid') ? 'bid' : 'ask',
        Number(line.dataset.level),
        line.children[0].textContent,
        line.children[1].textContent,
      ]),
    };
  })()`);
}

/** Waits for the row of a time in the ladder, and compares all of its lines with the CSV, as text. */
async function assertLadder(page: Page, timeMs: number): Promise<void> {
  await waitUntil(page, `document.getElementById('ladder').dataset.time === '${timeMs}'`);
  const { lines } = await ladderOf(page);
  const row = rows.find((candidate) => timeOf(candidate) === timeMs) as string[];
  assert.ok(lines.length >= 20, `${lines.length} lines`);
  for (const [side, level, price, quantity] of lines) {
    assert.equal(price, cellOf(row, `${side}_price_${level}`), `${side} ${level}`);
    assert.equal(quantity, cellOf(row, `${side}_qty_${level}`), `${side} ${level}`);
  }
}

/** The middle of the stretch in which a row is shown, in CSS pixels of the page. */
async function placeOf(page: Page, timeMs: number, fromMs: number, toMs: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('.heat').boundingBox();
  assert.ok(box);
  return { x: box.x + ((timeMs + 30_000 - fromMs) / (toMs - fromMs)) * box.width, y: box.y + box.height / 2 };
}

const skip = NO_BROWSER;
const FROM_MS = MIDNIGHT_MS + 10 * HOUR_MS;
const TO_MS = MIDNIGHT_MS + 14 * HOUR_MS;
const TIME = `time=${DATE}T10:00:00..${DATE}T14:00:00`;

for (const draw of ['WebGL2', 'worker']) {
  const hash = `${HASH}&draw=${draw === 'worker' ? 'worker' : 'webgl'}`;

  test(`${draw}: a clicked minute, keys and a typed time give the ladder of the CSV`, { skip }, async (t) => {
    const { page, misdeeds } = await openPage(t, browser, view.url, { hash: `${hash}&${TIME}&price=2.3..2.6` });
    assert.equal(await page.getAttribute('#chart', 'data-drawn-by'), draw);
    const chosenMs = MIDNIGHT_MS + 11.25 * HOUR_MS;
    const { x, y } = await placeOf(page, chosenMs, FROM_MS, TO_MS);
    await page.mouse.click(x, y);
    await assertLadder(page, chosenMs);
    await page.mouse.move(5, 5);
    await page.focus('#chart');
    const steps: [keys: string, minutes: number][] = [
      ['ArrowRight', 1],
      ['ArrowLeft', 0],
      ['Shift+ArrowRight', 10],
      ['Shift+ArrowLeft', 0],
    ];
    for (const [keys, minutes] of steps) {
      await page.keyboard.press(keys);
      await assertLadder(page, chosenMs + minutes * 60_000);
    }
    await page.keyboard.press('Home');
    await assertLadder(page, timeOf(rows[0] as string[]));
    await page.keyboard.press('ArrowLeft');
    await assertLadder(page, timeOf(rows[0] as string[]));
    await page.keyboard.press('End');
    await assertLadder(page, timeOf(rows.at(-1) as string[]));
    await page.keyboard.press('g');
    await page.keyboard.type('12:34');
    await page.keyboard.press('Enter');
    await assertLadder(page, MIDNIGHT_MS + (12 * 60 + 34) * 60_000);
    // Within the hole, the last row before it; after it, the next key goes over it.
    await page.fill('#time', `${DATE} 13:10`);
    await page.keyboard.press('Enter');
    await assertLadder(page, MIDNIGHT_MS + 13 * HOUR_MS - 60_000);
    await page.keyboard.press('ArrowRight');
    await assertLadder(page, MIDNIGHT_MS + 13.5 * HOUR_MS);
    assert.match((await page.textContent('.ladder-quality')) ?? '', /suspect/);
    assert.match((await page.getAttribute('#chart', 'aria-valuetext')) ?? '', /^2025-01-15T13:30:00 UTC, mid \d/);
    await page.fill('#time', 'noon');
    await page.keyboard.press('Enter');
    assert.match((await page.textContent('#time-problem')) ?? '', /Expected a time such as 10:15/);
    assert.deepEqual(misdeeds, { errors: [], foreignRequests: [] });
  });

  for (const [what, range, prices, scale] of [
    ['a pixel is a part of a row and price', `time=${DATE}T12:00:00..${DATE}T14:00:00`, [2.43, 2.45], 'log'],
    ['a pixel has several rows and prices', `time=${DATE}T00:01:00..2025-01-16T00:01:00`, [2.2, 2.7], 'linear'],
  ] as const) {
    test(`${draw}: 200 pixels have the colours of the data, where ${what}`, { skip }, async (t) => {
      const price = prices.join('..');
      const { page } = await openPage(t, browser, view.url, {
        hash: `${hash}&${range}&price=${price}&scale=${scale}&lines=no&palette=green-red`,
      });
      await assertPixels(page, range, prices, scale);
    });
  }
}

const SAMPLES = 200;
const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 1e-6;

/** Compares sampled pixels with the CSV: the largest level of the rows and prices that a pixel has a part of. */
async function assertPixels(
  page: Page,
  range: string,
  [low, high]: readonly [number, number],
  kind: 'log' | 'linear',
): Promise<void> {
  const [fromMs = 0, toMs = 0] = range
    .replace('time=', '')
    .split('..')
    .map((text) => Date.parse(`${text}Z`));
  await page.evaluate(`document.querySelector('.overlay').style.visibility = 'hidden'`);
  const box = await page.locator('.heat').boundingBox();
  assert.ok(box);
  const [width, height] = [Math.floor(box.width), Math.floor(box.height)];
  const places = Array.from({ length: SAMPLES }, (_, sample) => [
    (sample * 7919 + 13) % width,
    (sample * 104_729 + 5) % height,
  ]);
  const png = (await page.screenshot({ clip: { x: box.x, y: box.y, width, height } })).toString('base64');
  const pixels: number[][] = await page.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob('${png}'), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    return ${JSON.stringify(places)}.map(([x, y]) => [...data.subarray(4 * (y * image.width + x)).subarray(0, 3)]);
  })()`);
  const clip = Number(await page.getAttribute('#chart', 'data-clip'));
  const table = paletteTable('green-red', 'dark');
  const levels = rows.map((row) => ({
    timeMs: timeOf(row),
    sides: (['bid', 'ask'] as const).map((side) =>
      Array.from({ length: 500 }, (_, level) => [
        Math.round(Number(cellOf(row, `${side}_price_${level + 1}`)) * 1e4),
        Number(cellOf(row, `${side}_qty_${level + 1}`)),
      ]),
    ),
  }));
  const isSlot = (toMs - fromMs) / 60_000 <= width;
  const isTick = ((high - low) * 1e4) / height <= 1;
  const entries = new Set<number>();
  for (const [sample, [x = 0, y = 0]] of places.entries()) {
    const msOf = (at: number) => fromMs + (at / width) * (toMs - fromMs);
    const ticksOf = (at: number) => (high - (at / height) * (high - low)) * 1e4;
    // A row or price of several pixels is that at the pixel's middle.
    const [startMs, endMs] = isSlot ? [msOf(x + 0.5), msOf(x + 0.5)] : [msOf(x), msOf(x + 1)];
    if (isSlot && isWhole(startMs / 60_000)) continue; // where two rows meet, doubles decide
    const middle = Math.round(ticksOf(y + 0.5));
    const isIn = (ticks: number) => (isTick ? ticks === middle : ticks > ticksOf(y + 1) && ticks <= ticksOf(y));
    const present = levels.filter(({ timeMs }) => timeMs <= endMs && timeMs + 60_000 > startMs);
    const [bid = 0, ask = 0] = [0, 1].map((side) =>
      present
        .flatMap(({ sides }) => sides[side] ?? [])
        .reduce((most, [ticks = 0, quantity = 0]) => (isIn(ticks) ? Math.max(most, quantity) : most), 0),
    );
    const found = pixels[sample] as number[];
    const place = `pixel ${x}, ${y}: ${bid} bid, ${ask} asked, ${present.length} rows`;
    if (present.length === 0) {
      assert.deepEqual(found, [...NO_ROWS.dark], place);
      continue;
    }
    const quantity = Math.max(bid, ask);
    const entry = quantity === 0 ? 0 : rampEntry(quantityFraction({ kind, clip }, quantity));
    entries.add(entry);
    // The graphics unit computes in floats: the entry may be the one beside it.
    const candidates = [entry, Math.max(entry === 0 ? 0 : 1, entry - 1), Math.min(entry === 0 ? 0 : 255, entry + 1)];
    const colors = candidates.map((one) => [
      ...table.subarray(4 * (one + (ask > bid ? RAMP_ENTRIES : 0))).subarray(0, 3),
    ]);
    assert.ok(
      colors.some((color) => color.join() === found.join()),
      `${place}: ${found}, expected one of ${colors.join(' | ')}`,
    );
  }
  assert.ok(entries.size > 10, `only ${entries.size} colours were sampled`);
}

test('the address restores what is seen', { skip }, async (t) => {
  const { page, misdeeds } = await openPage(t, browser, view.url, { hash: HASH });
  const { x, y } = await placeOf(page, MIDNIGHT_MS + 11 * HOUR_MS, MIDNIGHT_MS, MIDNIGHT_MS + 24 * HOUR_MS);
  await page.mouse.move(x, y);
  for (let turn = 0; turn < 5; turn++) await page.mouse.wheel(0, -150);
  await page.mouse.down();
  await page.mouse.move(x + 60, y + 30, { steps: 4 });
  await page.mouse.up();
  await page.mouse.click(x, y);
  await page.selectOption('#palette', 'ember');
  await page.selectOption('#scale', 'linear');
  await page.selectOption('#aggregate', 'sum');
  await page.selectOption('#add-panel', 'metrics:messages');
  await page.uncheck('#lines');
  await page.locator('[data-panel="metrics:messages"]').waitFor();
  await page.mouse.move(5, 5);
  await waitUntil(page, `location.hash.includes('lines=no') && location.hash.includes('metrics:messages')`);
  await settled(page);
  const told = async (of: Page) => ({
    hash: new URL(of.url()).hash,
    ladder: await ladderOf(of),
    panels: await of.locator('.panel h2').allTextContents(),
    values: await of.locator('.panel .value').allTextContents(),
    picture: (await of.locator('#chart').screenshot()).toString('base64'),
  });
  const before = await told(page);
  assert.deepEqual(before.panels, [
    ...['Spread', 'Imbalance of 5 levels', 'Depth within 10 bps', 'Depth within 50 bps', 'messages'],
  ]);
  // The metrics file counts its rows.
  const minute = (before.ladder.timeMs - MIDNIGHT_MS) / 60_000;
  assert.equal(before.values[4], Number(minute).toLocaleString('en'));
  const other = await openPage(t, browser, view.url, { hash: before.hash });
  await other.page.locator('[data-panel="metrics:messages"]').waitFor();
  await other.page.mouse.move(5, 5);
  await settled(other.page);
  const after = await told(other.page);
  assert.deepEqual({ ...after, picture: '' }, { ...before, picture: '' });
  assert.ok(after.picture === before.picture, 'the pictures differ');
  assert.deepEqual([misdeeds, other.misdeeds], Array(2).fill({ errors: [], foreignRequests: [] }));
});

test('days side by side, a selection, and rows as CSV', { skip }, async (t) => {
  const { page, misdeeds } = await openPage(t, browser, view.url, { hash: HASH });
  await page.locator('[data-day="2025-01-16"]').click({ modifiers: ['Shift'] });
  await waitUntil(page, `document.getElementById('status').textContent.startsWith('2,850 rows')`);
  await settled(page);
  assert.match(new URL(page.url()).hash, /from=2025-01-15&to=2025-01-16/);
  await page.goBack();
  await waitUntil(page, `document.getElementById('status').textContent.startsWith('1,410 rows')`);
  await settled(page);
  const [fromMs, toMs] = [MIDNIGHT_MS + 60_000, MIDNIGHT_MS + 24 * HOUR_MS + 60_000];
  const start = await placeOf(page, MIDNIGHT_MS + 6 * HOUR_MS, fromMs, toMs);
  const end = await placeOf(page, MIDNIGHT_MS + 7 * HOUR_MS, fromMs, toMs);
  await page.keyboard.down('Shift');
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move(end.x, end.y, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  const selected = ((await page.textContent('#selection-text')) ?? '').replace(' UTC', '').split(' to ');
  const [firstMs = 0, lastMs = 0] = selected.map((text) => Date.parse(`${text}Z`));
  await page.click('#csv');
  await waitUntil(page, `document.getElementById('status').textContent.startsWith('Copied')`);
  const copied = String(await page.evaluate('navigator.clipboard.readText()'));
  const wanted = rows.filter((row) => timeOf(row) >= firstMs && timeOf(row) < lastMs);
  assert.ok(wanted.length > 50 && wanted.length < 70, `${wanted.length} rows`);
  assert.equal(copied.replaceAll('\r', ''), `${[header, ...wanted].map((cells) => cells.join(',')).join('\n')}\n`);
  await page.click('#selection-zoom');
  await settled(page);
  await waitUntil(page, `location.hash.includes('time=')`);
  const download = page.waitForEvent('download');
  await page.click('#png');
  const file = await (await download).path();
  assert.equal(fs.readFileSync(file).subarray(1, 4).toString(), 'PNG');
  assert.deepEqual(misdeeds, { errors: [], foreignRequests: [] });
});

for (const colorScheme of ['dark', 'light'] as const) {
  for (const width of [1440, 900, 420]) {
    test(`axe finds nothing, ${colorScheme}, ${width} pixels wide`, { skip }, async (t) => {
      const { page, misdeeds } = await openPage(t, browser, view.url, {
        hash: HASH,
        colorScheme,
        viewport: { width, height: 900 },
      });
      for (const opening of ['', `document.getElementById('keys').showModal()`]) {
        if (opening !== '') await page.evaluate(opening);
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<{
          violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
        }>('axe.run()');
        assert.deepEqual(
          violations.map(({ id, nodes }) => [
            id,
            nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
          ]),
          [],
        );
      }
      assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= width, 'it scrolls sideways');
      assert.deepEqual(misdeeds, { errors: [], foreignRequests: [] });
    });
  }
}

test('an empty folder, then an output, which appears by itself and changes', { skip }, async (t) => {
  const folder = tempDir(t);
  const { url, stop } = await startView([folder]);
  t.after(stop);
  const { page, misdeeds } = await openPage(t, browser, url);
  assert.match((await page.textContent('#message')) ?? '', /There is no output in .*\nbookgrid convert makes them/);
  const day = { symbol: 'AAAUSDT', date: DATE, depth: 5, seed: 1, format: 'csv' } as const;
  const staging = tempDir(t);
  const publish = async (options: Partial<typeof day> & { holes?: typeof HOLES }) => {
    const file = await writeDay(staging, { ...day, ...options });
    const target = file.replace(staging, folder);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(file, target);
  };
  await publish({});
  await waitUntil(page, `document.getElementById('status').textContent.startsWith('1,440 rows')`);
  await publish({ holes: HOLES });
  await waitUntil(page, `document.getElementById('status').textContent.startsWith('1,410 rows')`);
  assert.deepEqual(misdeeds, { errors: [], foreignRequests: [] });
});

test('one row, no rows, and broken files beside a good one', { skip }, async (t) => {
  const folder = tempDir(t);
  const names = 'timestamp,bid_price_1,bid_qty_1,ask_price_1,ask_qty_1\r\n';
  const texts: Record<string, string> = {
    '2025-01-14': `${names}${Date.parse('2025-01-14') + 60_000},1.5,2,1.6,30\r\n`,
    '2025-01-15': names,
    '2025-01-16': `${names}${Date.parse('2025-01-16') + 60_000},1.5,2,1.6,<b>\r\n`,
    '2025-01-17': `${names}${Date.parse('2025-01-17') + 60_000},1.5,2,1.6`,
  };
  for (const [date, text] of Object.entries(texts)) {
    const file = path.join(folder, '0001/AAAUSDT', `${date}_AAAUSDT_ob1_1m.csv`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  const { url, stop } = await startView([folder]);
  t.after(stop);
  const hash = (from: string, to = from) => `#series=/AAAUSDT/ob1/1m/csv&from=${from}&to=${to}`;
  const one = await openPage(t, browser, url, { hash: hash('2025-01-14') });
  assert.deepEqual((await ladderOf(one.page)).lines, [
    ['ask', 1, '1.6', '30'],
    ['bid', 1, '1.5', '2'],
  ]);
  const none = await openPage(t, browser, url, { hash: hash('2025-01-15') });
  assert.equal(await none.page.textContent('#message'), 'These files have no rows.');
  const all = await openPage(t, browser, url, { hash: hash('2025-01-14', '2025-01-17') });
  assert.match((await all.page.textContent('#status')) ?? '', /^1 rows?\b/);
  assert.deepEqual(await all.page.locator('#problems li').allTextContents(), [
    '2025-01-16: line 2: ask_qty_1 is "<b>": expected a decimal',
    '2025-01-17: its last line has no end: the file was cut short, or is still being written',
  ]);
  const gone = await openPage(t, browser, url, { hash: hash('2025-02-01') });
  assert.match((await gone.page.textContent('#message')) ?? '', /There is no output of 2025-02-01/);
  assert.deepEqual(
    [one, none, all, gone].map(({ misdeeds }) => misdeeds),
    Array(4).fill({ errors: [], foreignRequests: [] }),
  );
});

test('500 symbols of 365 days are listed, filtered, and told by quality', { skip }, async (t) => {
  const folder = tempDir(t);
  const records: string[] = [];
  const text = `timestamp,bid_price_1,bid_qty_1,ask_price_1,ask_qty_1\r\n${Date.parse('2024-12-31') + 60_000},1,2,3,4\r\n`;
  for (let index = 0; index < 500; index++) {
    const symbol = `S${String(index).padStart(3, '0')}USDT`;
    const place = path.join(folder, '0001', symbol);
    fs.mkdirSync(place, { recursive: true });
    const content = path.join(folder, `${symbol}.txt`);
    fs.writeFileSync(content, text);
    for (let day = 0; day < 365; day++) {
      const date = new Date(Date.UTC(2024, 0, 2) + day * 86_400_000).toISOString().slice(0, 10);
      const name = `${date}_${symbol}_ob1_1m.csv`;
      fs.linkSync(content, path.join(place, name)); // a link takes no time
      if (index > 0 || day === 100) continue;
      const { mtimeMs } = fs.statSync(path.join(place, name));
      records.push(
        JSON.stringify({
          ...{ archive: `/a/${date}_${symbol}_ob1.data.zip`, archiveBytes: 1, archiveMtimeMs: 1, pair: symbol, date },
          ...{ sourceDepth: 1, status: 'done', rows: day === 30 ? 1439 : 1440 },
          ...{ filledRows: day === 10 ? 3 : 0, suspectRows: day === 20 ? 5 : 0 },
          outputs: [
            {
              kind: 'book',
              depth: 1,
              format: 'csv',
              path: `0001/${symbol}/${name}`,
              shape: {},
              formatVersion: 1,
              bytes: text.length,
              mtimeMs: Math.floor(mtimeMs),
            },
          ],
        }),
      );
    }
  }
  fs.rmSync(path.join(folder, '0001/S000USDT/2024-02-11_S000USDT_ob1_1m.csv'));
  fs.writeFileSync(path.join(folder, RECORDS_FILE), `${records.join('\n')}\n`);
  const { url, stop } = await startView([folder]);
  t.after(stop);
  const { page, misdeeds } = await openPage(t, browser, url);
  assert.equal(await page.textContent('#found'), '500 symbols');
  const labels = await page
    .locator('.calendar button')
    .evaluateAll((days) => days.map((day) => day.getAttribute('aria-label')));
  assert.equal(labels.length, 365);
  const label = (date: string) => labels.find((text) => text?.startsWith(date));
  assert.equal(label('2024-01-02'), '2024-01-02: complete, 1440 rows');
  assert.equal(label('2024-01-12'), '2024-01-12: filled, 1440 rows, 3 filled');
  assert.equal(label('2024-01-22'), '2024-01-22: suspect, 1440 rows, 5 suspect');
  assert.equal(label('2024-02-01'), '2024-02-01: short, 1439 rows');
  assert.equal(label('2024-02-11'), '2024-02-11: missing, no output');
  assert.equal(label('2024-04-11'), '2024-04-11: unknown, nothing recorded of its rows');
  await page.keyboard.press('/');
  await page.keyboard.type('s49');
  assert.equal(await page.textContent('#found'), '10 of 500 symbols');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await waitUntil(page, `document.getElementById('title').textContent === 'S491USDT'`);
  assert.deepEqual(misdeeds, { errors: [], foreignRequests: [] });
});
