/**
 * How long the page of `bookgrid view` takes to show a day, and how fluid it is, in Chromium without a graphics unit:
 *
 *     node dist/bench/view.js
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { writeDay } from '../test/support/book-days.js';
import { NO_BROWSER, openPage, startBrowser, startView } from '../test/support/browser.js';

const DATE = '2025-01-15';
const MEASURED_MS = 4000;

const DAYS = [
  { what: '1,440 rows × 1,000 levels', depth: 500, interval: '1m', intervalMs: 60_000 },
  { what: '86,400 rows × 100 levels', depth: 50, interval: '1s', intervalMs: 1000 },
] as const;

/** Moves the view a little on every frame: in and out at a place, then to and fro. Answers with the frames of each second. */
const MOVE = (kind: 'zoom' | 'pan') => `new Promise((resolve) => {
  const chart = document.getElementById('chart');
  const box = chart.getBoundingClientRect();
  const at = { clientX: box.left + box.width * 0.6, clientY: box.top + box.height * 0.4, bubbles: true, cancelable: true };
  const pointer = (type, x) => chart.dispatchEvent(new PointerEvent(type, { ...at, clientX: x, pointerId: 1, button: 0 }));
  chart.setPointerCapture = () => {};
  let frames = 0;
  let start;
  if ('${kind}' === 'pan') pointer('pointerdown', at.clientX);
  const step = (now) => {
    start ??= now;
    if (now - start > ${MEASURED_MS}) {
      if ('${kind}' === 'pan') pointer('pointerup', at.clientX);
      return resolve((frames / (now - start)) * 1000);
    }
    frames++;
    const turn = Math.floor(frames / 40) % 2 === 0 ? 1 : -1;
    if ('${kind}' === 'zoom') chart.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY: -30 * turn }));
    else pointer('pointermove', at.clientX + 200 * Math.sin(frames / 20));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})`;

/** Frames a second, and what one costs: the second says more where the machine has other things to do. */
async function measure(page: Page, kind: 'zoom' | 'pan'): Promise<string> {
  const before = cpuMs();
  const perSecond = await page.evaluate<number>(MOVE(kind));
  const cost = (cpuMs() - before) / (perSecond * (MEASURED_MS / 1000));
  return `${kind} ${perSecond.toFixed(0)}/s (${cost.toFixed(0)} ms of CPU a frame)`;
}

/** CPU time of all processes that this one has started, and of those that these have. */
function cpuMs(): number {
  const processes = fs.readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      return [{ pid: Number(name), parent: fields[1] ?? 0, ticks: (fields[11] ?? 0) + (fields[12] ?? 0) }];
    } catch {
      return []; // it has ended
    }
  });
  const below = (pid: number): number =>
    processes.filter(({ parent }) => parent === pid).reduce((sum, child) => sum + child.ticks + below(child.pid), 0);
  return below(process.pid) * 10; // 100 ticks a second, whatever the machine
}

if (NO_BROWSER) {
  console.log(NO_BROWSER);
} else {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-bench-view-'));
  const clean: (() => unknown)[] = [() => fs.rmSync(folder, { recursive: true, force: true })];
  try {
    const browser = await startBrowser();
    clean.unshift(() => browser.close());
    for (const { what, depth, interval, intervalMs } of DAYS) {
      for (const format of ['csv', 'parquet'] as const) {
        const file = await writeDay(folder, {
          symbol: 'XRPUSDT',
          date: DATE,
          seed: 8,
          depth,
          interval,
          intervalMs,
          format,
        });
        const view = await startView([file]);
        clean.unshift(view.stop);
        const series = `#series=/XRPUSDT/ob${depth}/${interval}/${format}&from=${DATE}`;
        for (const draw of ['&draw=webgl', '&draw=worker']) {
          const closing: (() => unknown)[] = [];
          const startMs = performance.now();
          const { page } = await openPage({ after: (close) => closing.push(close) }, browser, view.url, {
            hash: series + draw,
          });
          const shownMs = performance.now() - startMs;
          const drawnBy = await page.getAttribute('#chart', 'data-drawn-by');
          const frames = format === 'csv' ? `, ${await measure(page, 'zoom')}, ${await measure(page, 'pan')}` : '';
          console.log(`${what}, ${format}, ${drawnBy}: shown after ${shownMs.toFixed(0)} ms${frames}`);
          for (const close of closing) await close();
        }
        view.stop();
      }
    }
  } finally {
    for (const one of clean) await one();
  }
}
