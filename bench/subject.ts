import type { Picture, Section } from './report.js';

export interface Settings {
  /** A folder of the subject's own, removed at the end. */
  folder: string;
  runs: number;
  /** Length of archives, where the subject's own is not wanted. */
  minutes: number | undefined;
  /** Says what is being done, for whoever waits. */
  log: (line: string) => void;
}

export interface Findings {
  sections: Section[];
  /** Drawn beside the report, in the section of the subject. */
  pictures?: Picture[];
}

/** One of the suite's benchmarks. */
export type Subject = (settings: Settings) => Promise<Findings>;
