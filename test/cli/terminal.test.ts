/** What a person sees at a terminal. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { MarketOptions } from '../../src/samples/market.js';
import { CLI } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { ENDLESS_OPTIONS, makeArchive, makeEndless } from '../support/runs.js';
import type { Screen } from '../support/screen.js';
import { NO_TERMINAL, PROMPT, Terminal, type TerminalOptions } from '../support/terminal.js';

const LIVE = /^\d+\/\d+ archives(, \d+ failed)?( · \d+ %( · [\d.]+ MB\/s)?( · [\d:]+ left)?)?$/;
const isLive = (line: string | undefined) => LIVE.test(line ?? '');
const lastLine = ({ visible }: Screen) => visible.at(-1);
const liveLines = ({ lines }: Screen) => lines.filter(isLive);

const quoted = (words: string[]) => words.map((word) => `'${word}'`).join(' ');
/** A terminal at which `go` runs bookgrid. */
function openTerminal(t: TestContext, args: string[], { env = {}, ...size }: TerminalOptions = {}): Promise<Terminal> {
  const folder = tempDir(t);
  const text = `#!/bin/sh\nexec ${quoted([process.execPath, CLI, ...args])}\n`;
  fs.writeFileSync(path.join(folder, 'go'), text, { mode: 0o755 });
  return Terminal.open(t, { ...size, env: { PATH: `${folder}:${process.env['PATH']}`, ...env } });
}

async function manyArchives(t: TestContext, count: number, market?: Partial<MarketOptions>): Promise<string> {
  const sourceDir = tempDir(t);
  for (let i = 10; i < 10 + count; i++) {
    await makeArchive(sourceDir, { pair: `PAIR${i}USDT`, depth: 200, ...(market && { market }) });
  }
  return sourceDir;
}

const endless = async (t: TestContext) => [
  await makeEndless(tempDir(t)),
  '--output-dir',
  tempDir(t),
  ...ENDLESS_OPTIONS,
];

for (const columns of [120, 60, 30]) {
  test(`on ${columns} columns the live line stays below the results, and no line is wider`, {
    skip: NO_TERMINAL,
  }, async (t) => {
    const args = ['--source-dir', await manyArchives(t, 30), '--output-dir', tempDir(t), '--workers', '1'];
    const terminal = await openTerminal(t, args, { columns });
    const { screen } = terminal;
    terminal.type('go\n');
    await terminal.until((screen) => isLive(lastLine(screen)));

    const samples: string[][] = [];
    const sampler = setInterval(() => samples.push(screen.visible), 3);
    await terminal.until(({ lines }) => lines.some((line) => line.startsWith('Processing complete!')));
    clearInterval(sampler);
    await terminal.prompted();

    // The last ones may be of the summary.
    const during = samples.filter((lines) => !lines.some((line) => line.startsWith('Processing complete!')));
    const shown = during.filter((lines) => isLive(lines.at(-1)));
    assert.ok(during.length >= 20, `${during.length} samples`);
    // Nearly all. Where the machine is busy, some are taken between a result and the line below it.
    assert.ok(shown.length > 0.6 * during.length, `in ${shown.length} of ${during.length} samples`);
    assert.deepEqual(liveLines(screen), [], 'nothing of it is left');
    assert.ok(screen.isCursorVisible);

    const from = screen.lines.findIndex((line) => line.startsWith('Processing with'));
    const printed = screen.lines.slice(from, -1);
    for (const line of printed) assert.ok(line.length <= columns, line);
    const flat = printed.join(' ').replaceAll(/\s+/g, ' ');
    // A name that is wider than the terminal is broken by it.
    if (columns >= 60)
      assert.match(flat, /DONE PAIR10USDT 2025-01-15_PAIR10USDT_ob200\.data\.zip \[200\] → 3 snapshots ✓/);
    assert.equal(printed.filter((line) => line.startsWith('[')).length, 30);
    assert.equal(printed.filter((line) => /^=+$/.test(line)).length, 2);
  });
}

test('what another program shows on the same terminal is not mixed with the live line', {
  skip: NO_TERMINAL,
}, async (t) => {
  // Each takes long enough that the line is drawn between two results.
  const source = await manyArchives(t, 5, { durationMs: 20 * 3_600_000 });
  const args = ['--source-dir', source, '--output-dir', tempDir(t), '--workers', '1'];
  const terminal = await openTerminal(t, args, { columns: 120 });
  const { screen } = terminal;
  let hasSeen = false;
  terminal.type('go | cat\n');
  await terminal.until((screen) => {
    hasSeen ||= isLive(lastLine(screen));
    return screen.lines.some((line) => line.startsWith('Processing complete!'));
  });
  await terminal.prompted();
  assert.ok(hasSeen);
  assert.equal(
    screen.lines.filter((line) => /^\[\d+\/5\] DONE .* snapshots ✓$/.test(line)).length,
    5,
    screen.lines.join('\n'),
  );
  assert.ok(!screen.lines.some((line) => line.includes(' archives ·')), screen.lines.join('\n'));
});

test('after Ctrl+Z and fg there is one live line, and the cursor is where it was', { skip: NO_TERMINAL }, async (t) => {
  const terminal = await openTerminal(t, await endless(t));
  const { screen } = terminal;
  terminal.type('go\n');
  await terminal.until((screen) => isLive(lastLine(screen)));
  terminal.type('\u001a');
  await terminal.prompted();
  assert.ok(screen.isCursorVisible);
  assert.match(screen.lines.slice(-4).join('\n'), /Stopped/);
  terminal.type('fg\n');
  await terminal.until((screen) => isLive(lastLine(screen)));
  assert.equal(liveLines(screen).length, 1, screen.lines.join('\n'));
  terminal.type('\u0003');
  await terminal.until(({ lines }) => lines.some((line) => line.startsWith('Processing stopped by SIGINT')));
  await terminal.prompted();
  assert.deepEqual(liveLines(screen), []);
});

test('Ctrl+C leaves the cursor visible and on a fresh line, a second one too', { skip: NO_TERMINAL }, async (t) => {
  for (const keys of ['\u0003', '\u0003\u0003']) {
    const terminal = await openTerminal(t, await endless(t));
    const { screen } = terminal;
    terminal.type('go\n');
    await terminal.until((screen) => isLive(lastLine(screen)));
    terminal.type(keys);
    await terminal.prompted();
    assert.ok(screen.isCursorVisible);
    assert.deepEqual(screen.cursor, { line: PROMPT.trimEnd(), column: PROMPT.length });
    assert.deepEqual(liveLines(screen), [], screen.lines.join('\n'));
    await terminal.run('echo status $?');
    assert.ok(screen.lines.includes('status 130'), screen.lines.join('\n'));
  }
});

test('kill -9 leaves the line and a visible cursor', { skip: NO_TERMINAL }, async (t) => {
  const terminal = await openTerminal(t, await endless(t));
  const { screen } = terminal;
  terminal.type('(go & echo "pid $!"; wait)\n');
  await terminal.until((screen) => isLive(lastLine(screen)));
  const [, pid] = screen.lines.join('\n').match(/^pid (\d+)$/m) ?? [];
  process.kill(Number(pid), 'SIGKILL');
  await terminal.until(({ lines }) => lines.at(-1)?.endsWith(PROMPT.trimEnd()) ?? false);
  assert.ok(screen.isCursorVisible);
});

test('a terminal made narrower and wider has one live line, and no result is lost', {
  skip: NO_TERMINAL,
}, async (t) => {
  const terminal = await openTerminal(t, await endless(t));
  const { screen } = terminal;
  terminal.type('go\n');
  await terminal.until((screen) => lastLine(screen)?.includes('left') ?? false);
  for (const columns of [60, 30, 18, 40, 100]) {
    await terminal.resize(columns);
    await terminal.until((screen) => isLive(lastLine(screen)) && liveLines(screen).length === 1);
    const since = screen.escapes;
    await terminal.until(({ escapes }) => escapes >= since + 3);
    const lines = screen.lines.slice(screen.lines.indexOf('') + 1);
    assert.equal(lines.filter((line) => line !== '').length, 1, screen.lines.join('\n'));
    assert.ok(isLive(lastLine(screen)), screen.lines.join('\n'));
  }
  terminal.type('\u0003');
  await terminal.prompted();
});

for (const [what, env, hasLine] of [
  ['TERM=dumb', { TERM: 'dumb' }, false],
  ['TERM=dumb FORCE_COLOR=1', { TERM: 'dumb', FORCE_COLOR: '1' }, false],
  ['NO_COLOR=1', { NO_COLOR: '1' }, true],
] as const) {
  test(`${what} gets no escape sequence, ${hasLine ? 'and' : 'nor'} a live line`, { skip: NO_TERMINAL }, async (t) => {
    const terminal = await openTerminal(t, await endless(t), { env });
    const { screen } = terminal;
    const before = terminal.sent.length;
    terminal.type('go\n');
    await terminal.until((screen) =>
      hasLine ? isLive(lastLine(screen)) : screen.lines.includes('Found 1 archive files to process'),
    );
    terminal.type('\u0003');
    await terminal.until(({ lines }) => lines.some((line) => line.startsWith('Left: 1')));
    await terminal.prompted();
    const sent = terminal.sent.slice(before);
    const own = sent.slice(sent.indexOf('Processing with'), sent.indexOf(PROMPT));
    assert.ok(!own.includes('\u001b'), JSON.stringify(own));
    assert.equal(own.includes(' archives ·'), hasLine);
    assert.deepEqual(liveLines(screen), [], screen.lines.join('\n'));
  });
}
