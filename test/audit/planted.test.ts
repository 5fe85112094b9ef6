/**
 * Archives with one planted fault each: it is found, with exact counts, and nothing else is. All counts are those of an
 * independent program too.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { marketMessages } from '../../src/samples/market.js';
import { writeArchive } from '../../src/samples/write-archive.js';
import { runCli } from '../support/cli.js';
import { DAY } from '../support/messages.js';

const INDEPENDENT = fileURLToPath(new URL('../../../test/independent/audit.py', import.meta.url));

const DEPTH = 20;
/** A minute about 01:00, so that there are two hours with enough updates. */
const TIMES = { startMs: 3_570_000, durationMs: 60_000 };

type Level = [price: string, quantity: string];

/** A line, as JSON.stringify writes it: the order of its keys is that of the archives. */
interface Line {
  topic: string;
  type: 'snapshot' | 'delta';
  ts: number;
  data: { s: string; b: Level[]; a: Level[]; u: number; seq: number };
  cts?: number;
}

type Json = Record<string, unknown>;

/** The sound archive, whose findings all others are compared with. */
const sound = linesOf('SOUNDUSDT');
const last = sound.length - 1;
const ts = (index: number) => at(sound, index).ts;
const u = (index: number) => at(sound, index).data.u;

function linesOf(symbol: string): Line[] {
  const market = { symbol, date: DAY, depth: DEPTH, style: 'contract' as const, seed: 7, ...TIMES };
  return [...marketMessages(market)].map((line) => JSON.parse(line) as Line);
}

function at(lines: Line[], index: number): Line {
  const line = lines[index];
  assert.ok(line);
  return line;
}

/** Both sides after a message, as a snapshot has them. */
function bookAfter(lines: Line[], index: number): Pick<Line['data'], 'b' | 'a'> {
  const sides = { b: new Map<string, string>(), a: new Map<string, string>() };
  for (const { type, data } of lines.slice(0, index + 1)) {
    for (const name of ['b', 'a'] as const) {
      if (type === 'snapshot') sides[name].clear();
      for (const [price, quantity] of data[name]) {
        if (quantity === '0') sides[name].delete(price);
        else sides[name].set(price, quantity);
      }
    }
  }
  return { b: [...sides.b], a: [...sides.a] };
}

/** Moves `u` of a message and of all after it. */
function moveIds(lines: Line[], from: number, by: number): void {
  for (const { data } of lines.slice(from)) data.u += by;
}

/** Turns a message into a snapshot of the book as it is then. */
function makeSnapshot(lines: Line[], index: number): void {
  const line = at(lines, index);
  Object.assign(line.data, bookAfter(lines, index));
  line.type = 'snapshot';
}

/** Adds a level at one message, and removes it at another. */
function visit(lines: Line[], { from, to, side, level }: { from: number; to: number; side: 'a' | 'b'; level: Level }) {
  at(lines, from).data[side].push(level);
  at(lines, to).data[side].push([level[0], '0']);
}

interface Fault {
  plant(lines: Line[]): void;
  /** Which fields are other than in the sound archive, and what they are. */
  found: Json;
}

const RUN = 'book.updateIds';
const off = (messages: number, index: number, side: 'Bids' | 'Asks', most = DEPTH + 1) => ({
  'book.levels.messagesOff': messages,
  'book.levels.firstMoment': ts(index),
  [`book.levels.max${side}`]: most,
});
const notes = (...added: string[]) => ['starts-late', 'ends-early', ...added];

/** By the pair's name. */
const FAULTS: Record<string, Fault> = {
  SKIPSUSDT: {
    plant: (lines) => moveIds(lines, 100, 3),
    found: {
      breaks: 1,
      [`${RUN}.breaks`]: 1,
      [`${RUN}.missingMessages`]: 3,
      [`${RUN}.breakList`]: [{ moment: ts(100), missing: 3, untilSnapshotMs: null }],
      [`${RUN}.suspectMs`]: ts(last) - ts(100),
      [`${RUN}.last`]: u(last) + 3,
      [`${RUN}.runStart`]: u(100) + 3,
      faults: ['breaks'],
    },
  },
  SKIPSTWICEUSDT: {
    plant: (lines) => {
      moveIds(lines, 100, 3);
      moveIds(lines, 150, 7);
      makeSnapshot(lines, 300);
    },
    found: {
      snapshots: 2,
      updates: updatesOf(sound) - updatesOf([at(sound, 300)]) + 2 * DEPTH,
      'book.snapshotList': [
        { tsMs: ts(0), updateId: u(0) },
        { tsMs: ts(300), updateId: u(300) + 10 },
      ],
      breaks: 2,
      [`${RUN}.breaks`]: 2,
      [`${RUN}.missingMessages`]: 10,
      [`${RUN}.breakList`]: [
        { moment: ts(100), missing: 3, untilSnapshotMs: ts(300) - ts(100) },
        { moment: ts(150), missing: 7, untilSnapshotMs: ts(300) - ts(150) },
      ],
      [`${RUN}.suspectMs`]: ts(300) - ts(100),
      [`${RUN}.last`]: u(last) + 10,
      [`${RUN}.runStart`]: u(150) + 10,
      faults: ['breaks'],
    },
  },
  GOESBACKUSDT: {
    plant: (lines) => moveIds(lines, 100, -50),
    found: {
      breaks: 1,
      [`${RUN}.breaks`]: 1,
      [`${RUN}.backward`]: 1,
      [`${RUN}.breakList`]: [{ moment: ts(100), missing: null, untilSnapshotMs: null }],
      [`${RUN}.suspectMs`]: ts(last) - ts(100),
      [`${RUN}.last`]: u(last) - 50,
      [`${RUN}.runStart`]: u(100) - 50,
      faults: ['breaks'],
    },
  },
  RESTARTUSDT: {
    plant: (lines) => {
      makeSnapshot(lines, 300);
      moveIds(lines, 300, 1 - u(300));
    },
    found: {
      snapshots: 2,
      updates: updatesOf(sound) - updatesOf([at(sound, 300)]) + 2 * DEPTH,
      'book.snapshotList': [
        { tsMs: ts(0), updateId: u(0) },
        { tsMs: ts(300), updateId: 1 },
      ],
      [`${RUN}.rebases`]: 1,
      [`${RUN}.last`]: 1 + last - 300,
      [`${RUN}.runStart`]: 1,
      notes: ['starts-late', 'ends-early', 'restarted'],
    },
  },
  EARLYUSDT: {
    plant: (lines) => {
      makeSnapshot(lines, 3);
      lines.splice(0, 1);
    },
    found: {
      messages: last,
      earlyDeltas: 2,
      updates: updatesOf(sound.slice(4)) + 2 * DEPTH,
      firstTsMs: ts(1),
      'book.snapshotList': [{ tsMs: ts(3), updateId: u(3) }],
      [`${RUN}.runStart`]: u(3),
      'book.hours': [
        { fromMs: hour(0), messages: sound.filter((line) => line.ts < hour(last)).length - 3 },
        { fromMs: hour(last), messages: sound.filter((line) => line.ts >= hour(last)).length },
      ],
      'book.latency.messages': last - 2,
      notes: ['starts-late', 'ends-early', 'early-deltas'],
    },
  },
  BACKINTIMEUSDT: {
    plant: (lines) => {
      at(lines, 200).ts -= 5000;
      at(lines, 200).cts = (at(lines, 200).cts ?? 0) - 5000;
    },
    found: {
      outOfOrder: 1,
      'book.greatestStepBackMs': ts(199) - (ts(200) - 5000),
      'book.silences': silencesWith({ fromMs: ts(199), ms: ts(201) - ts(199) }),
      notes: notes('out-of-order'),
    },
  },
  SAMETIMEUSDT: {
    plant: (lines) => {
      const { ts: before } = at(lines, 199);
      const line = at(lines, 200);
      line.cts = (line.cts ?? 0) - (line.ts - before);
      line.ts = before;
    },
    found: {
      'book.repeatedTs': 1,
      'book.silences': silencesWith({ fromMs: ts(199), ms: ts(201) - ts(199) }),
      notes: notes('repeated-ts'),
    },
  },
  SILENTUSDT: {
    plant: (lines) => {
      for (const line of lines.slice(400)) {
        line.ts += 90_000;
        line.cts = (line.cts ?? 0) + 90_000;
      }
    },
    found: {
      lastTsMs: ts(last) + 90_000,
      'book.silences': silencesWith({ fromMs: ts(399), ms: ts(400) + 90_000 - ts(399) }, 90_000),
    },
  },
  AHEADUSDT: {
    plant: (lines) => {
      for (const index of [50, 60, 70]) at(lines, index).cts = ts(index) + index;
    },
    found: {
      'book.latency.negative': 3,
      'book.latency.medianMs': medianLatency([50, 60, 70]),
      'book.latency.minMs': -70,
      notes: notes('negative-latency'),
    },
  },
  LATEUSDT: {
    plant: (lines) => {
      for (const line of lines.slice(0, 301)) line.cts = line.ts - 250;
    },
    found: { 'book.latency.medianMs': 250, 'book.latency.p99Ms': 250, 'book.latency.maxMs': 250 },
  },
  NOCTSUSDT: {
    plant: (lines) => {
      for (const line of lines) delete line.cts;
    },
    found: { 'book.latency': null },
  },
  CROSSEDUSDT: {
    plant: (lines) => {
      visit(lines, { from: 100, to: 110, side: 'b', level: ['9.0000', '5'] });
      visit(lines, { from: 200, to: 203, side: 'b', level: ['9.0000', '5'] });
    },
    found: {
      updates: updatesOf(sound) + 4,
      'book.crossed.messages': 13,
      'book.crossed.times': 2,
      'book.crossed.ms': ts(110) - ts(100) + ts(203) - ts(200),
      'book.crossed.longestMs': ts(110) - ts(100),
      'book.crossed.firstMoment': ts(100),
      ...off(13, 100, 'Bids'),
      notes: notes('crossed', 'levels-off'),
    },
  },
  TOODEEPUSDT: {
    plant: (lines) => visit(lines, { from: 500, to: 505, side: 'a', level: ['9.0000', '5'] }),
    found: { updates: updatesOf(sound) + 2, ...off(5, 500, 'Asks'), notes: notes('levels-off') },
  },
  FARAWAYUSDT: {
    // Beyond the ladder: only the host knows the level.
    plant: (lines) => visit(lines, { from: 500, to: 505, side: 'a', level: ['123456.0000', '5'] }),
    found: { updates: updatesOf(sound) + 2, ...off(5, 500, 'Asks'), notes: notes('levels-off') },
  },
  ABSENTUSDT: {
    plant: (lines) => {
      at(lines, 30).data.b.push(['0.0100', '0'], ['0.0200', '0']);
      at(lines, 40).data.a.push(['123456.0000', '0']);
    },
    found: {
      updates: updatesOf(sound) + 3,
      'book.absentDeletes.deletes': 3,
      'book.absentDeletes.messages': 2,
      'book.absentDeletes.firstMoment': ts(30),
      notes: notes('absent-deletes'),
    },
  },
  FINERUSDT: {
    plant: (lines) => visit(lines, { from: 500, to: 501, side: 'a', level: ['9.00005', '0.5'] }),
    found: {
      updates: updatesOf(sound) + 2,
      ...off(1, 500, 'Asks'),
      'book.steps.price': '0.00005',
      'book.steps.quantity': '0.5',
      'book.steps.changes': [
        { fromMs: hour(500), of: 'price', from: '0.0001', to: '0.00005' },
        { fromMs: hour(500), of: 'quantity', from: '1', to: '0.5' },
      ],
      notes: notes('levels-off', 'step-changed'),
    },
  },
  BADLINEUSDT: {
    plant: (lines) => {
      // Of which the book changes nothing.
      at(lines, 100).data.b = [];
      at(lines, 100).data.a = [['9.0000', 'five']];
    },
    found: {},
  },
};

/** What a line that cannot be read takes with it is compared with the independent program alone. */
const COMPARED_ONLY = ['BADLINEUSDT'];

function hour(index: number): number {
  return Math.floor(ts(index) / 3_600_000) * 3_600_000;
}

/** Of the sound archive, when the messages at these places have one below all others. */
function medianLatency(places: number[]): number {
  const all = sound.map((line, index) =>
    places.includes(index) ? Number.NEGATIVE_INFINITY : line.ts - (line.cts ?? 0),
  );
  return all.sort((a, b) => a - b)[Math.ceil(all.length / 2) - 1] ?? 0;
}

function updatesOf(lines: Line[]): number {
  return lines.reduce((sum, { data }) => sum + data.b.length + data.a.length, 0);
}

/** The longest silences of the sound archive with another one in front, those after it later by so much. */
function silencesWith(longest: { fromMs: number; ms: number }, laterByMs = 0): unknown[] {
  const all = sound.slice(1).map((line, index) => ({ fromMs: ts(index), ms: line.ts - ts(index) }));
  const isReplaced = ({ fromMs }: { fromMs: number }) =>
    fromMs >= longest.fromMs && fromMs < longest.fromMs + longest.ms;
  const others = all
    .filter((silence) => (laterByMs > 0 ? silence.fromMs !== longest.fromMs : !isReplaced(silence)))
    .map(({ fromMs, ms }) => ({ fromMs: fromMs > longest.fromMs ? fromMs + laterByMs : fromMs, ms }));
  return [longest, ...others.sort((a, b) => b.ms - a.ms).slice(0, 4)];
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-test-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
/** The event of each pair, and what the independent program says of its archive. */
const days = new Map<string, Json>();
const independent = new Map<string, Json>();

before(async () => {
  for (const [pair, { plant }] of Object.entries<Pick<Fault, 'plant'>>({ SOUNDUSDT: { plant() {} }, ...FAULTS })) {
    const lines = linesOf(pair);
    plant(lines);
    const member = `${DAY}_${pair}_ob${DEPTH}.data`;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await writeArchive(path.join(folder, pair, `${member}.zip`), member, [Buffer.from(text)]);
  }
  const { status, stdout, stderr } = await runCli(['audit', folder, '--format', 'json', '--workers', '2']);
  assert.deepEqual({ status, stderr }, { status: 1, stderr: '' });
  for (const line of stdout.trimEnd().split('\n')) {
    const event = JSON.parse(line) as Json;
    if (event['event'] === 'day') days.set(String(event['pair']), event);
  }
  const archives = [...days.values()].map(({ archive }) => String(archive));
  const counted = execFileSync('python3', [INDEPENDENT, ...archives], { encoding: 'utf8' });
  for (const [index, line] of counted.trimEnd().split('\n').entries()) {
    independent.set([...days.keys()][index] ?? '', JSON.parse(line) as Json);
  }
});

/** Every value by its path; a list is one value. */
function flatten(value: unknown, prefix = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[prefix, value]];
  return Object.entries(value).flatMap(([key, item]) => flatten(item, prefix === '' ? key : `${prefix}.${key}`));
}

/** What differs by the archive's name alone. */
const OF_THE_NAME = ['archive', 'pair', 'archiveBytes', 'textBytes'];

function differences(day: Json, from: Json): Json {
  const known = new Map(flatten(from));
  const other = flatten(day).filter(
    ([name, value]) => !OF_THE_NAME.includes(name) && JSON.stringify(known.get(name)) !== JSON.stringify(value),
  );
  return Object.fromEntries(other);
}

describe('a planted fault', () => {
  test('is not in the sound archive', () => {
    const { faults, notes, messages, book } = days.get('SOUNDUSDT') ?? {};
    assert.deepEqual(
      { faults, notes, messages },
      { faults: [], notes: ['starts-late', 'ends-early'], messages: last + 1 },
    );
    const { steps, levels } = book as Record<string, Json>;
    assert.deepEqual(steps, { price: '0.0001', quantity: '1', changes: [] });
    assert.deepEqual(levels, {
      messagesOff: 0,
      firstMoment: null,
      minBids: DEPTH,
      maxBids: DEPTH,
      minAsks: DEPTH,
      maxAsks: DEPTH,
    });
  });

  for (const [pair, { found }] of Object.entries(FAULTS)) {
    if (COMPARED_ONLY.includes(pair)) continue;
    test(`${pair}: is found, and nothing else`, () => {
      assert.deepEqual(differences(days.get(pair) ?? {}, days.get('SOUNDUSDT') ?? {}), found);
    });
  }

  test('a line that cannot be read is named, and the book is suspect from the message before it on', () => {
    const day = days.get('BADLINEUSDT');
    const { badLines, firstBadLine, faults, integrity } = day ?? {};
    assert.deepEqual(
      { badLines, integrity, line: (firstBadLine as Json)['lineNumber'] },
      { badLines: 1, integrity: 'right', line: 101 },
    );
    assert.deepEqual(faults, ['bad-lines', 'breaks']); // its u is missing as well
  });

  for (const pair of ['SOUNDUSDT', ...Object.keys(FAULTS)]) {
    test(`${pair}: an independent program counts the same`, () => {
      const { firstBadLine, ...counted } = independent.get(pair) ?? {};
      const day = days.get(pair) ?? {};
      assert.deepEqual(Object.fromEntries(Object.keys(counted).map((name) => [name, day[name]])), counted);
      assert.equal((day['firstBadLine'] as Json | null)?.['lineNumber'] ?? null, firstBadLine);
    });
  }
});
