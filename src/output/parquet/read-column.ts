import type { AsyncBuffer, DecodedArray, FileMetaData, ParquetParsers, RowGroup, SchemaElement } from 'hyparquet';
import { parquetReadColumn } from 'hyparquet/src/read.js';
import { DECOMPRESSORS } from '../compression.js';
import { readChecked } from './check-pages.js';
import { endOfSubtree } from './read-metadata.js';

/**
 * Reads a column of a row group, when its pages are what they say.
 *
 * @param metadata of `read-metadata.ts`.
 * @param name of the column, or of the list that it is.
 * @param parsers how values become those of JavaScript, where not as hyparquet does it.
 * @throws RangeError or another error when it cannot be read.
 */
export async function readColumn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowGroup: RowGroup,
  name: string,
  parsers?: Partial<ParquetParsers>,
): Promise<DecodedArray> {
  // hyparquet is told of this column alone: it would plan for all row groups, and copy values for each that is named alike.
  const columns = rowGroup.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name);
  const ofColumn = { ...metadata, schema: schemaOf(metadata.schema, name), row_groups: [{ ...rowGroup, columns }] };
  return parquetReadColumn({
    file: await readChecked(file, ofColumn),
    metadata: ofColumn,
    columns: [name],
    compressors: DECOMPRESSORS,
    ...(parsers && { parsers }),
  });
}

function schemaOf(schema: readonly SchemaElement[], name: string): SchemaElement[] {
  const [root] = schema;
  for (let index = 1; root && index < schema.length; ) {
    const end = endOfSubtree(schema, index);
    if (schema[index]?.name === name) return [{ ...root, num_children: 1 }, ...schema.slice(index, end)];
    index = end;
  }
  throw new RangeError('the schema does not have it');
}
