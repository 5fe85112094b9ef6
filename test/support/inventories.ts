import type { FoundArchives } from '../../src/catalog/find-archives.js';
import { type Inventory, type KnownOutput, Outputs } from '../../src/catalog/inventory.js';
import type { Labels } from '../../src/catalog/labels.js';
import { parsePlace, placeOf } from '../../src/catalog/output-name.js';
import type { OutputRecord, RecordedOutput } from '../../src/catalog/recorded-output.js';
import { type Knowledge, Records } from '../../src/catalog/records.js';

/** What is in an output folder, without a disk: outputs by their paths, with their records, or labels where there is none. */
export function inventoryOf(
  archives: FoundArchives,
  outputs: Readonly<Record<string, OutputRecord | Labels>> = {},
): Inventory {
  const found = Object.entries(outputs).map(([path, known]): KnownOutput => {
    const name = parsePlace(placeOf({ path }));
    if (!name) throw new Error(`${path} is no output's path`);
    const file = { ...name, path, sizeBytes: 1, mtimeMs: 1 };
    if (typeof known === 'string') return { ...file, knowledge: { kind: 'unrecorded' }, labels: known };
    const knowledge: Knowledge = { kind: 'recorded', record: known as RecordedOutput };
    return { ...file, knowledge };
  });
  return { archives, outputs: new Outputs(found, new Records()) };
}
