/**
 * Time that only goes forward, in ms since some moment, for durations. `performance.now()` would do, but the first use of
 * `performance` takes Node as long as to read a small archive.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
