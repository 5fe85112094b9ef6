/** Metadata of Parquet files as hyparquet reads it, of which the schema can be walked. */
import { type AsyncBuffer, type FileMetaData, parquetMetadata, type SchemaElement } from 'hyparquet';
import { requireThrift } from './check-thrift.js';

const MAGIC = 'PAR1';
/** Behind the metadata: their length, and the mark. */
const END_BYTES = 8;
/** Read at once, in the hope that all the metadata are in it. */
const LOOK_BYTES = 512 * 1024;
/** Ours have a kilobyte a row group, or a hundred in the layout `wide`. */
export const MAX_METADATA_BYTES = 64 * 2 ** 20;
/** Key-value metadata, of which some writers keep a schema of their own. */
const KEY_VALUES_FIELD = 5;
/** Whatever nests deeper would be no column that is read here. */
const MAX_DEPTH = 64;
/**
 * GeoParquet is about maps, of which there are none here. What looks for them would go round for ever when an element has
 * fewer children than none.
 */
const OPTIONS = { geoparquet: false };

/**
 * @param file ends where the Parquet file ends, and has all of the metadata.
 * @throws RangeError or another error when it does not end with metadata that can be read.
 */
export function parseMetadata(file: Uint8Array): FileMetaData {
  const length = metadataLength(file);
  if (length + END_BYTES > file.length) throw new RangeError(`metadata of ${length} bytes, which are not all there`);
  const end = file.length - END_BYTES;
  requireThrift(file.subarray(end - length, end), { longTextField: KEY_VALUES_FIELD });
  const metadata = parquetMetadata(file, OPTIONS);
  requireNames(metadata);
  requireTree(metadata.schema);
  return metadata;
}

/** The same of a file, of which it reads the end. */
export async function readMetadata(file: AsyncBuffer): Promise<FileMetaData> {
  const { byteLength } = file;
  const read = async (bytes: number) => new Uint8Array(await file.slice(Math.max(0, byteLength - bytes), byteLength));
  const end = await read(LOOK_BYTES);
  const needed = metadataLength(end) + END_BYTES;
  return parseMetadata(needed > end.length && needed <= byteLength ? await read(needed) : end);
}

function metadataLength(end: Uint8Array): number {
  const { length } = end;
  if (length < END_BYTES || Buffer.from(end.subarray(length - 4)).toString('latin1') !== MAGIC) {
    throw new RangeError(`it does not end with ${MAGIC}`);
  }
  const bytes = new DataView(end.buffer, end.byteOffset + length - END_BYTES, 4).getUint32(0, true);
  if (bytes > MAX_METADATA_BYTES) {
    throw new RangeError(`metadata of ${bytes} bytes, where at most ${MAX_METADATA_BYTES} are expected`);
  }
  return bytes;
}

function requireNames({ row_groups }: FileMetaData): void {
  for (const { columns } of row_groups) {
    const isNamed = columns.every(({ meta_data }) => Array.isArray(meta_data?.path_in_schema));
    if (!isNamed) throw new RangeError('a column of a row group has no name');
  }
}

/** Sees that the elements of the schema are one tree, as whoever walks it expects. */
function requireTree(schema: readonly SchemaElement[]): void {
  const end = endOfSubtree(schema, 0);
  if (end !== schema.length) {
    throw new RangeError(`its schema has ${schema.length} elements, of which only ${end} belong to its root`);
  }
}

/**
 * Where the elements below one end.
 *
 * @returns the index of the next that is not below it.
 * @throws RangeError when they are no tree.
 */
export function endOfSubtree(schema: readonly SchemaElement[], index: number, depth = 0): number {
  const element = schema[index];
  if (!element) throw new RangeError(`its schema has ${schema.length} elements, and says that there are more`);
  const children = element.num_children ?? 0;
  if (!Number.isInteger(children) || children < 0 || children >= schema.length) {
    throw new RangeError(`${element.name} has ${children} children in a schema of ${schema.length} elements`);
  }
  if (depth > MAX_DEPTH) throw new RangeError(`its schema nests deeper than ${MAX_DEPTH} elements`);
  let end = index + 1;
  for (let child = 0; child < children; child++) end = endOfSubtree(schema, end, depth + 1);
  return end;
}
