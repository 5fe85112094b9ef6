import fc from 'fast-check';

/** A seed that is new each time; told, so that a failure can be had again with BOOKGRID_SEED. */
const FRESH_SEED = Number(process.env['BOOKGRID_SEED'] ?? Date.now() % 0x7fffffff);
const FIXED_SEED = 1951;
/** Runs of a property; more in CI. */
const RUNS = Number(process.env['BOOKGRID_RUNS'] ?? 200);

console.log(`fresh seed ${FRESH_SEED} (BOOKGRID_SEED), ${RUNS} runs a property and seed (BOOKGRID_RUNS)`);

/** Asserts a property with a seed that never changes, and with a fresh one. */
export function holds<T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>): void {
  for (const seed of [FIXED_SEED, FRESH_SEED]) fc.assert(property, { seed, numRuns: RUNS });
}

/** The same of a property that takes its time, with a quarter of the runs. */
export async function holdsInTime<T extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<T>): Promise<void> {
  for (const seed of [FIXED_SEED, FRESH_SEED]) await fc.assert(property, { seed, numRuns: Math.ceil(RUNS / 4) });
}
