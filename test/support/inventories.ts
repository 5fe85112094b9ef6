import type { FoundArchives } from '../../src/catalog/find-archives.js';
import { type Inventory, Outputs } from '../../src/catalog/inventory.js';
import { parseContentsFolder, parseOutputName } from '../../src/catalog/output-name.js';
import { type RecordedOutput, Records } from '../../src/catalog/records.js';
import type { OutputRecord } from '../../src/catalog/staleness.js';

/** What is in an output folder, without a disk: outputs by their paths, with their records, `null` for none. */
export function inventoryOf(
  archives: FoundArchives,
  outputs: Readonly<Record<string, OutputRecord | null>> = {},
): Inventory {
  const found = Object.keys(outputs).map((path) => {
    const [fileName = '', pair = '', folder = ''] = path.split('/').reverse();
    const contents = parseContentsFolder(folder);
    const name = contents && parseOutputName(fileName, contents, pair);
    if (!name) throw new Error(`${path} is no output's path`);
    return { ...name, path, sizeBytes: 1, mtimeMs: 1 };
  });
  return { archives, outputs: new Outputs(found, new KnownRecords(outputs)) };
}

class KnownRecords extends Records {
  readonly #known: Readonly<Record<string, OutputRecord | null>>;

  constructor(known: Readonly<Record<string, OutputRecord | null>>) {
    super();
    this.#known = known;
  }

  override of(outputPath: string): RecordedOutput | undefined {
    return (this.#known[outputPath] as RecordedOutput | null) ?? undefined;
  }
}
