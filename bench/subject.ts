import type { Bar, Section } from './report.js';

export interface Settings {
  /** A folder of the subject's own, removed at the end. */
  folder: string;
  runs: number;
  /** Length of archives, where the subject's own is not wanted. */
  minutes: number | undefined;
  /** Whole days instead. */
  full: boolean;
  /** Says what is being done, for whoever waits. */
  log: (line: string) => void;
}

export interface Findings {
  sections: Section[];
  /** For the picture. */
  bars?: Bar[];
}

/** One of the suite's benchmarks. */
export type Subject = (settings: Settings) => Promise<Findings>;

/** For `makeArchive`. */
export function archiveMinutes({ full, minutes }: Settings, usual: number): number | undefined {
  return full ? undefined : (minutes ?? usual);
}
