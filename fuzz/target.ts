/** What is fuzzed: one target a file in fuzz/targets/. */

export interface Target {
  /** What an input is counted as. */
  readonly unit: 'archives' | 'executions';
  /**
   * What guides the fuzzer: branches of the kernels, or blocks of JavaScript in files whose address holds one of these.
   */
  readonly coverage: 'kernels' | readonly string[];
  /** No input is longer. */
  readonly maxBytes: number;
  /** Pieces that inputs are often made of. */
  readonly dictionary?: readonly (string | Uint8Array)[];
  /** Inputs to begin with, beside the corpus. */
  seeds(): Promise<Uint8Array[]> | Uint8Array[];
  /**
   * Tries one input: the same input must do the same each time.
   *
   * @throws anything when what happens is not what must.
   */
  run(input: Buffer): Promise<void> | void;
  /** Called once, after the last input. */
  close?(): Promise<void> | void;
}

/** What a target gets of the run. */
export interface TargetContext {
  /** A folder of its own, empty at the beginning; what else lies beside it tells of files outside of it. */
  folder: string;
}
