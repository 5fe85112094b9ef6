/** The kernel's inflater against zlib, on the same packed text in memory: what guards kernel/inflate.ts against becoming slower. */
import zlib from 'node:zlib';
import { inflateDeflate } from '../src/archive/inflate.js';
import { kernelInflate } from '../src/archive/kernel-inflate.js';
import { marketText } from '../src/samples/market.js';
import { DENSE, type Market, SPARSE, SPOT } from './archives.js';
import { spread } from './measure.js';
import { mb, spreadCell } from './report.js';
import type { Subject } from './subject.js';

/** Longer texts do not change the figures. */
const MAX_MINUTES = 60;
/** As the archives' files are read. */
const PIECE_BYTES = 64 * 1024;
const WARM_UP_RUNS = 2;
/** Below what a busy machine shows, above what the inflater was that this guards against. */
const MIN_RATIO = 1.9;

const MARKETS: [name: string, Market][] = [
  ['contract dense 500', DENSE],
  ['contract sparse 500', SPARSE],
  ['spot 200', SPOT],
];

type Inflate = (pieces: AsyncIterable<Buffer>) => AsyncIterable<Uint8Array>;

export const inflate: Subject = async ({ runs, minutes = MAX_MINUTES, log }) => {
  const rows: string[][] = [];
  const ratios: number[] = [];
  for (const [name, market] of MARKETS) {
    log(`${name}: packing`);
    const text = textOf(market, Math.min(minutes, MAX_MINUTES));
    const packed = zlib.deflateRawSync(text);

    log(`${name}: checking`);
    for (const inflater of [kernelInflate, inflateDeflate]) await check(inflater, packed, text);

    log(`${name}: measuring`);
    const megabytesPerSecond = (seconds: number) => text.length / 1e6 / seconds;
    const kernel: number[] = [];
    const node: number[] = [];
    for (let run = -WARM_UP_RUNS; run < runs; run++) {
      const kernelSpeed = megabytesPerSecond(await cpuSeconds(kernelInflate, packed));
      const nodeSpeed = megabytesPerSecond(await cpuSeconds(inflateDeflate, packed));
      if (run < 0) continue; // V8 is still compiling.
      kernel.push(kernelSpeed);
      node.push(nodeSpeed);
    }
    const times = kernel.map((speed, run) => speed / (node[run] ?? Number.NaN));
    ratios.push(spread(times).median);
    rows.push([
      name,
      mb(text.length),
      mb(packed.length),
      spreadCell(kernel, 0),
      spreadCell(node, 0),
      spreadCell(times, 2),
    ]);
  }
  return {
    sections: [
      {
        title: 'Inflating',
        text:
          "The program's inflater against Node's zlib (called synchronously, by minizlib), in one process, in turns, on packed text in memory; by CPU time. " +
          'Length and CRC-32 of all output are checked first. MB/s are of text.',
        table: { head: ['text', 'MB', 'MB packed', 'kernel MB/s', 'zlib MB/s', 'kernel : zlib'], rows },
        targets: [
          {
            what: 'inflating, times as fast as zlib',
            measured: Math.min(...ratios),
            limit: MIN_RATIO,
            bound: 'at least',
          },
        ],
      },
    ],
  };
};

function textOf(market: Market, minutes: number): Buffer {
  return Buffer.concat([...marketText({ ...market, date: '2025-01-15', durationMs: minutes * 60_000 })]);
}

async function check(inflater: Inflate, packed: Buffer, text: Buffer): Promise<void> {
  let bytes = 0;
  let crc32 = 0;
  for await (const chunk of inflater(pieces(packed))) {
    bytes += chunk.length;
    crc32 = zlib.crc32(chunk, crc32);
  }
  if (bytes !== text.length || crc32 !== zlib.crc32(text))
    throw new Error(`${inflater.name} inflates to something else`);
}

async function cpuSeconds(inflater: Inflate, packed: Buffer): Promise<number> {
  const before = process.cpuUsage();
  for await (const _ of inflater(pieces(packed)));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function* pieces(packed: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < packed.length; start += PIECE_BYTES) yield packed.subarray(start, start + PIECE_BYTES);
}
