/**
 * Archives that are valid, but odd in every way that the format leaves open. What must come of one is worked out here,
 * from what was decided and not from the text.
 */
import type { EngineCounts } from '../src/book/engine.js';
import type { TestMessage } from '../test/support/oracle.js';
import type { Choices } from './choices.js';
import { gzipFile, zipFile } from './wrappings.js';

export const DATE = '2025-01-15';
export const PAIR = 'FUZZUSDT';
const DAY_MS = Date.parse(DATE);

export interface OddArchive {
  /** Levels a side, by its name. */
  depth: number;
  fileName: string;
  bytes: Buffer;
  text: Buffer;
  /** Its messages in file order. */
  messages: TestMessage[];
  counts: ExpectedCounts;
  /** Numbers of the lines that are no message, from 1. */
  badLines: number[];
}

export type ExpectedCounts = Pick<
  EngineCounts,
  'messages' | 'snapshots' | 'updates' | 'earlyDeltas' | 'outOfOrderMessages' | 'updateIdBreaks' | 'badLines'
>;

export function makeOddArchive(choices: Choices): OddArchive {
  const depth = choices.of(5, 1, 50, 200);
  const market = marketOf(choices);
  const lines: string[] = [];
  const messages: TestMessage[] = [];
  const badLines: number[] = [];
  const counts = noCounts();
  let tsMs = DAY_MS + choices.of(500, 0, -2000, 59_999, 60_000, 3_600_000);
  let updateId: number | undefined;
  const previous: { updateId: number | undefined; latestMs: number } = {
    updateId: undefined,
    latestMs: Number.NEGATIVE_INFINITY,
  };
  do {
    while (choices.oneIn(12)) lines.push(choices.of('', ' ', '\t', ' \r', '   '));
    if (messages.length > 0 && choices.oneIn(24)) {
      lines.push(badLine(choices, depth));
      badLines.push(lines.length);
      counts.badLines++;
      continue;
    }
    tsMs += stepMs(choices);
    // The first one is a snapshot, unless deltas come early.
    const isSnapshot = messages.length === 0 ? !choices.oneIn(8) : choices.oneIn(10);
    const isRestart = isSnapshot && choices.oneIn(3);
    updateId = nextUpdateId(choices, { updateId, isRestart });
    const [bids, asks] = sidesOf(choices, market);
    const message: TestMessage = { type: isSnapshot ? 'snapshot' : 'delta', tsMs, bids, asks };
    messages.push(message);
    count(counts, message, updateId, previous);
    lines.push(lineOf(choices, message, { updateId, depth }));
  } while (choices.hasMore && messages.length < 40);
  const text = textOf(choices, lines);
  const { bytes, ending } = wrap(choices, `${DATE}_${PAIR}_ob${depth}.data`, text);
  return { depth, fileName: `${DATE}_${PAIR}_ob${depth}.data${ending}`, bytes, text, messages, counts, badLines };
}

function noCounts(): ExpectedCounts {
  return {
    messages: 0,
    snapshots: 0,
    updates: 0,
    earlyDeltas: 0,
    outOfOrderMessages: 0,
    updateIdBreaks: 0,
    badLines: 0,
  };
}

/** Counts a message as docs/json.md defines it. */
function count(
  counts: ExpectedCounts,
  { type, tsMs, bids, asks }: TestMessage,
  updateId: number | undefined,
  previous: { updateId: number | undefined; latestMs: number },
): void {
  counts.messages++;
  if (type === 'snapshot') counts.snapshots++;
  if (counts.snapshots === 0) {
    counts.earlyDeltas++;
    return;
  }
  const isBreak = updateId !== undefined && previous.updateId !== undefined && updateId !== previous.updateId + 1;
  if (type === 'delta' && isBreak) counts.updateIdBreaks++;
  if (tsMs < previous.latestMs) counts.outOfOrderMessages++;
  counts.updates += bids.length + asks.length;
  previous.updateId = updateId;
  previous.latestMs = Math.max(previous.latestMs, tsMs);
}

/** Mostly onward by some 100 ms; on boundaries and beside them; back; silences. */
function stepMs(choices: Choices): number {
  return choices.of<() => number>(
    () => 100,
    () => choices.byte(),
    () => 0,
    () => choices.of(1, 59_999, 60_000, 60_001),
    () => choices.of(-1, -100, -61_000),
    () => 1000 * choices.byte(),
  )();
}

function nextUpdateId(
  choices: Choices,
  { updateId, isRestart }: { updateId: number | undefined; isRestart: boolean },
): number | undefined {
  if (isRestart) return 1;
  if (choices.oneIn(16)) return undefined;
  const next = (updateId ?? 20_254_868) + 1;
  return choices.oneIn(12) ? next + choices.of(1, -1, 1000, -2) : next;
}

// ── Levels ──

interface Market {
  decimals: number;
  /** In ticks, of which there are ten to the power of `decimals` in 1. */
  middle: number;
  isTrimmed: boolean;
  quantityDecimals: number;
}

function marketOf(choices: Choices): Market {
  return {
    decimals: choices.of(4, 0, 1, 2, 3, 5, 8, 10),
    middle: choices.of(19_531, 10, 100, 99_999, 1_000_000, 950_001, 12_345_678),
    isTrimmed: choices.oneIn(3),
    quantityDecimals: choices.of(0, 1, 3, 8),
  };
}

/** Two sides with levels near the middle, some crossed, none, or the same several times. */
function sidesOf(choices: Choices, market: Market): [bids: [string, string][], asks: [string, string][]] {
  const side = (direction: 1 | -1) => {
    const levels: [string, string][] = [];
    const most = choices.of(3, 0, 1, 8, 20);
    let ticks = market.middle + direction * choices.of(1, 0, 3, -4);
    for (let level = 0; level < most && (level === 0 || choices.hasMore); level++) {
      levels.push([priceText(choices, ticks, market), quantityText(choices, market)]);
      ticks += direction * choices.of(1, 2, 7, 0, -1, 250, 60_000);
    }
    return levels;
  };
  return [side(-1), side(1)];
}

function priceText(choices: Choices, ticks: number, { decimals, isTrimmed }: Market): string {
  // A stray: far away, of a length of its own.
  if (choices.oneIn(40)) {
    return choices.of(
      '123456789012345678',
      '0.000000000000000001',
      '1',
      '99999999.99999999',
      '0.00',
      '7000000000000.5',
    );
  }
  const digits = String(Math.max(ticks, 0)).padStart(decimals + 1, '0');
  const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  if (choices.oneIn(40)) return choices.of(`0${text}`, `00${text}`, text.includes('.') ? `${text}00` : `${text}.0`);
  return isTrimmed && decimals > 0 ? text.replace(/\.?0+$/, '') : text;
}

function quantityText(choices: Choices, { quantityDecimals }: Market): string {
  if (choices.oneIn(4)) return choices.of('0', '0.0', '0.000', '00', '0.00000000');
  if (choices.oneIn(24)) return choices.of('12345678901234567890.1234567890', '9'.repeat(40), '0001', '1.50', '0.1');
  const digits = String(choices.below(100_000)).padStart(quantityDecimals + 1, '0');
  return quantityDecimals === 0 ? digits : `${digits.slice(0, -quantityDecimals)}.${digits.slice(-quantityDecimals)}`;
}

// ── Lines ──

/** Keys and values in the order in which they are written. */
type Fields = [key: string, json: string][];

function lineOf(
  choices: Choices,
  { type, tsMs, bids, asks }: TestMessage,
  { updateId, depth }: { updateId: number | undefined; depth: number },
): string {
  const isPlain = !choices.oneIn(3);
  const data: Fields = [
    ['s', JSON.stringify(PAIR)],
    ['b', JSON.stringify(bids)],
    ['a', JSON.stringify(asks)],
    ...(updateId === undefined ? [] : [['u', String(updateId)] as [string, string]]),
    ['seq', '130020239000'],
  ];
  const fields: Fields = [
    ['topic', JSON.stringify(`orderbook.${depth}.${PAIR}`)],
    ['type', JSON.stringify(type)],
    ['ts', String(tsMs)],
    ['data', ''],
    ['cts', String(tsMs - 1)],
  ];
  if (choices.oneIn(3)) swap(fields, 1, 2); // as spot archives have it
  if (isPlain) return objectText(withData(fields, objectText(data)));
  // Anything else that JSON leaves open.
  const style: Style = {
    space: choices.of('', ' ', '\t', '  ', '\r'),
    escapesKeys: choices.oneIn(4),
  };
  shuffle(choices, data);
  shuffle(choices, fields);
  dropSome(choices, data, ['seq', 's']);
  dropSome(choices, fields, ['cts', 'topic']);
  if (choices.oneIn(3)) addForeign(choices, data);
  if (choices.oneIn(3)) addForeign(choices, fields);
  restyleNumbers(choices, fields);
  const pad = choices.oneIn(4) ? style.space : '';
  return pad + objectText(withData(fields, objectText(data, style)), style) + pad;
}

interface Style {
  space: string;
  /** `"ts"` as `"\u0074s"`. */
  escapesKeys: boolean;
}

function objectText(fields: Fields, { space, escapesKeys }: Style = { space: '', escapesKeys: false }): string {
  const keyText = (key: string) => {
    if (!escapesKeys || key.length === 0) return JSON.stringify(key);
    return `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(key.slice(1)).slice(1)}`;
  };
  const members = fields.map(([key, json]) => `${keyText(key)}${space}:${space}${json}`);
  return `{${space}${members.join(`${space},${space}`)}${space}}`;
}

function withData(fields: Fields, json: string): Fields {
  return fields.map(([key, value]) => [key, key === 'data' ? json : value]);
}

function swap(list: unknown[], a: number, b: number): void {
  [list[a], list[b]] = [list[b], list[a]];
}

function shuffle(choices: Choices, list: unknown[]): void {
  for (let at = list.length - 1; at > 0; at--) swap(list, at, at - choices.below(at + 1));
}

function dropSome(choices: Choices, fields: Fields, keys: string[]): void {
  for (const key of keys) {
    const at = fields.findIndex(([name]) => name === key);
    if (at >= 0 && choices.oneIn(3)) fields.splice(at, 1);
  }
}

/** Keys that nobody knows, and keys that a later one of the same name replaces. */
function addForeign(choices: Choices, fields: Fields): void {
  const json = choices.of('1', 'null', '"\\"}]"', '[[[]]]', '{"ts":1,"b":[]}', '-1.5e+3', '"\\u0000\\ud83d\\ude00é"');
  const at = choices.below(fields.length + 1);
  const [twin] = fields[at] ?? [];
  const isTwin = twin !== undefined && choices.oneIn(3);
  fields.splice(at, 0, [isTwin ? twin : choices.of('x', '', 'TS', 'id', '__proto__', 'type '), json]);
}

/** The same whole number in another spelling. */
function restyleNumbers(choices: Choices, fields: Fields): void {
  for (const field of fields) {
    if (field[0] !== 'ts' || !/^\d+$/.test(field[1]) || !choices.oneIn(4)) continue;
    field[1] = choices.of(`${field[1]}.0`, `${field[1]}e0`, `${field[1]}00e-2`);
  }
}

/** A line that is no message of this archive. */
function badLine(choices: Choices, depth: number): string {
  return choices.of(
    '{"topic":',
    'null',
    '[]',
    '{"type":"delta","ts":1.5,"data":{"b":[],"a":[]}}',
    `{"topic":"orderbook.${depth}.OTHER","type":"delta","ts":${DAY_MS},"data":{"s":"OTHER","b":[],"a":[],"u":2}}`,
    `{"topic":"orderbook.${depth}.${PAIR}","type":"delta","ts":${DAY_MS},"data":{"s":"${PAIR}","b":[["1","-1"]],"a":[],"u":2}}`,
    `{"topic":"orderbook.${depth}.${PAIR}","type":"delta","ts":${DAY_MS},"data":{"s":"${PAIR}","b":[["1.","1"]],"a":[],"u":2}}`,
    `{"topic":"orderbook.${depth}.${PAIR}","type":"delta","ts":${DAY_MS},"data":{"s":"${PAIR}","b":[],"a":[],"u":2},"cts":1}x`,
  );
}

function textOf(choices: Choices, lines: string[]): Buffer {
  const end = choices.of('\n', '\r\n');
  const isMixed = choices.oneIn(8);
  const parts = lines.map((line, index) => line + (isMixed && index % 2 === 1 ? '\r\n' : end));
  const text = parts.join('');
  // Blank lines at the end go with the last line's end: they say nothing.
  return Buffer.from(choices.oneIn(3) ? text.replace(/\r?\n$/, '') : text);
}

function wrap(choices: Choices, memberName: string, text: Buffer): { bytes: Buffer; ending: string } {
  const deflate = { level: choices.of(6, 1, 9, 0), strategy: choices.of(0, 2, 3, 4), memLevel: choices.of(8, 1, 9) };
  const kind = choices.below(4);
  if (kind === 3) return { bytes: text, ending: '' };
  if (kind === 2) {
    const form = {
      members: choices.of(1, 2, 5),
      hasEmptyMembers: choices.oneIn(3),
      paddingBytes: choices.of(0, 1, 512),
      hasFullHeader: choices.oneIn(3),
    };
    return { bytes: gzipFile(text, { ...form, deflate }), ending: '.gz' };
  }
  const form = {
    isStored: choices.oneIn(4),
    isStreamed: choices.oneIn(2),
    hasDescriptorSignature: !choices.oneIn(3),
    isZip64: choices.oneIn(3),
    hasOtherMembers: choices.oneIn(3),
    folder: choices.of('', 'a/', 'a/b/'),
    comment: choices.of('', 'a comment'),
    extra: choices.of(Buffer.alloc(0), Buffer.from('UT\x05\0\x01\0\0\0\0', 'latin1')),
  };
  return { bytes: zipFile(memberName, text, { ...form, deflate }), ending: '.zip' };
}
