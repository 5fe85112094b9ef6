import type { BookRow } from '../base/rows.js';

/** What can be true of a row, in the order in which it is told: the name in outputs, and where a row has it. */
export const FLAGS = [
  ['filled', 'isFilled'],
  ['suspect', 'isSuspect'],
  ['crossed', 'isCrossed'],
  ['thin', 'isThin'],
  ['partial', 'isPartial'],
] as const satisfies [string, keyof BookRow][];

/** `bid_price_1, bid_qty_1, …, ask_price_N, ask_qty_N`: a column a level, as in {@link BookRow.cells}. */
export function levelColumns(depth: number): string[] {
  return ['bid', 'ask'].flatMap((side) =>
    Array.from({ length: depth }, (_, index) => [`${side}_price_${index + 1}`, `${side}_qty_${index + 1}`]).flat(),
  );
}
