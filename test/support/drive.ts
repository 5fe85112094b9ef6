import type { Engine, EngineEvent } from '../../src/book/engine.js';
import type { TestRow } from './oracle.js';

export interface Driven {
  rows: TestRow[];
  /** What else the engine says at each row. */
  states: object[];
  badLines: Extract<EngineEvent, { kind: 'bad-line' }>[];
}

/** Runs an engine over chunks and gathers its answers. */
export function drive(engine: Engine, chunks: Uint8Array[], depth: number): Driven {
  const driven: Driven = { rows: [], states: [], badLines: [] };
  const rest = [...chunks];
  for (let event = engine.next(); event.kind !== 'end'; event = engine.next()) {
    if (event.kind === 'needs-bytes') {
      const chunk = rest.shift();
      if (chunk) engine.push(chunk);
      else engine.end();
    } else if (event.kind === 'boundary') {
      const cells = Buffer.from(engine.row(depth)).toString('latin1');
      driven.rows.push({ boundaryMs: event.boundaryMs, isFilled: event.isFilled, cells });
      const { bidPrices, bidQuantities, askPrices, askQuantities } = engine.levels(depth);
      const numbers = [bidPrices, bidQuantities, askPrices, askQuantities].map((values) => [...values]);
      driven.states.push({ ...event, numbers, isThin: engine.isThin(depth) });
    } else {
      driven.badLines.push(event);
    }
  }
  return driven;
}

/** Cuts bytes at the given offsets. The pieces share no memory, as chunks of a real archive may not. */
export function cut(bytes: Uint8Array, offsets: number[]): Uint8Array[] {
  const bounds = [0, ...[...offsets].sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => Buffer.from(bytes.subarray(bounds[index], end)));
}
