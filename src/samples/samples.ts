import path from 'node:path';
import { depthFolder } from '../catalog/archive-name.js';
import { type MarketOptions, marketText } from './market.js';
import { writeArchive } from './write-archive.js';

/** An output that a sample must give. */
export interface ExpectedOutput {
  /** From the output folder, with `/`. */
  path: string;
  rows: number;
  sha256: string;
}

export interface Sample {
  market: MarketOptions;
  expected: ExpectedOutput[];
}

const DATE = '2025-10-25';

/** Two archives of some minutes, one in each of Bybit's styles, each with something that real days have. */
export const SAMPLES: Sample[] = [
  {
    market: {
      symbol: 'MNTUSDT',
      date: DATE,
      depth: 200,
      style: 'spot',
      seed: 200,
      startPrice: '1.6474',
      quantityStep: '0.01',
      durationMs: 6 * 60_000,
      // Silent long enough for a minute without any message.
      gaps: [{ fromMs: 110_000, toMs: 190_000 }],
    },
    expected: [
      {
        path: '0200/MNTUSDT/2025-10-25_MNTUSDT_ob200_1m.csv',
        rows: 7,
        sha256: 'd7f5bfcf3bbfc6dcca3b7d30ba8f534f2c3ab2a3439c8d6ee402013e5f38dd24',
      },
    ],
  },
  {
    market: {
      symbol: 'ENAUSDT',
      date: DATE,
      depth: 500,
      style: 'contract',
      seed: 500,
      startPrice: '0.4631',
      durationMs: 5 * 60_000,
      // The service restarts: a second snapshot, and u begins again.
      restartsAtMs: [200_000],
    },
    expected: [
      {
        path: '0200/ENAUSDT/2025-10-25_ENAUSDT_ob200_1m.csv',
        rows: 6,
        sha256: '706f7a27bf29911b2b5a25cd1ff549147114ca18d4756832b59701a908ba5ed4',
      },
      {
        path: '0500/ENAUSDT/2025-10-25_ENAUSDT_ob500_1m.csv',
        rows: 6,
        sha256: 'c26f09c5f7a51b394f7d52fef24b750dd30149daee7388dda53dd68755caf356',
      },
    ],
  },
];

/** Writes a market as an archive where Bybit's layout has it below `sourceDir`, and returns its path. */
export async function writeSample(sourceDir: string, market: MarketOptions): Promise<string> {
  const { symbol, date, depth } = market;
  const member = `${date}_${symbol}_ob${depth}.data`;
  const file = path.join(sourceDir, depthFolder(depth), symbol, `${member}.zip`);
  await writeArchive(file, member, marketText(market));
  return file;
}
