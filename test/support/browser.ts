/** A real browser without a window, and the page of `bookgrid view` in it. */
import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startCli } from './cli.js';

const EXECUTABLES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env['BOOKGRID_CHROMIUM'] ?? EXECUTABLES.find((file) => fs.existsSync(file));

/** Why tests that need a browser are skipped; `false`: there is one. */
export const NO_BROWSER =
  executablePath === undefined &&
  'NOT TRIED: there is no chromium here (apt-get install chromium, or BOOKGRID_CHROMIUM)';

const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  ...[
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
];

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ARGUMENTS });
}

export interface StartedView {
  /** The address that it printed. */
  url: string;
  pid: number;
  stop(): void;
}

/** Starts the program. It is to be stopped. */
export async function startView(args: string[], options: SpawnOptions = {}): Promise<StartedView> {
  const child = startCli(['view', ...args], options);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([status]) => Promise.reject(new Error(`ended with ${status}: ${stderr}`)));
  const [line] = await Promise.race([once(child.stdout as NodeJS.EventEmitter, 'data'), ended]);
  ended.catch(() => {});
  return { url: String(line).trim(), pid: child.pid ?? 0, stop: () => void child.kill() };
}

/** What must not happen in a page: it is gathered, to be compared with nothing. */
export interface Misdeeds {
  errors: string[];
  foreignRequests: string[];
}

/** Opens the page and waits until it shows what it will show. */
export async function openPage(
  t: { after(fn: () => unknown): void },
  browser: Browser,
  url: string,
  {
    hash = '',
    ...options
  }: { hash?: string; colorScheme?: 'dark' | 'light'; viewport?: { width: number; height: number } } = {},
): Promise<{ page: Page; misdeeds: Misdeeds }> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  t.after(() => context.close());
  const page = await context.newPage();
  const misdeeds: Misdeeds = { errors: [], foreignRequests: [] };
  page.on('console', (message) => {
    // The software that stands in for a graphics unit tells of its own slowness.
    const isOfDriver = message.text().includes('GL Driver Message');
    if (['error', 'warning'].includes(message.type()) && !isOfDriver) misdeeds.errors.push(message.text());
  });
  page.on('pageerror', (error) => misdeeds.errors.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('blob:'))
      misdeeds.foreignRequests.push(request.url());
  });
  await page.goto(url + hash);
  await settled(page);
  return { page, misdeeds };
}

/** Waits until rows are drawn as the view asks, or the page says why there are none. */
export async function settled(page: Page): Promise<void> {
  await waitUntil(
    page,
    `(() => {
      const { dataset } = document.getElementById('chart');
      const message = document.getElementById('message');
      const isSaid = !message.hidden && !message.textContent.startsWith('Looking');
      const isLoading = !document.getElementById('progress').hidden;
      return !isLoading && (isSaid || (dataset.settled === 'true' && document.getElementById('ladder').dataset.time));
    })()`,
  );
}

const GIVE_UP_MS = 60_000;
const LOOK_AGAIN_MS = 25;

/** Waits until an expression is true in the page. Not playwright's own way, which the page's security policy forbids. */
export async function waitUntil(page: Page, expression: string): Promise<void> {
  await waitFor(async () => Boolean(await page.evaluate(expression)), expression);
}

/** Waits until something is so. */
export async function waitFor(isSo: () => Promise<boolean>, told = String(isSo)): Promise<void> {
  const startMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startMs > GIVE_UP_MS) throw new Error(`this did not become true: ${told}`);
    await setTimeout(LOOK_AGAIN_MS);
  }
}
