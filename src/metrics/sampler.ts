import type { BookObserver, Levels } from '../rows.js';

export class MetricsSampler implements BookObserver {
  constructor(_options: { intervalMs: number; impacts: readonly number[] }) {}
  observe(): void {}
  row(_boundaryMs: number, _levels: Levels): Float64Array {
    return new Float64Array(0);
  }
}
