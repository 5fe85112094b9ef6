/** The forms in which findings are written. */
import type { AuditEvent } from '../audit/audit.js';
import { AUDIT_COLUMNS, type Cell, type ColumnType, rowsOf } from '../audit/columns.js';
import { describeEvent, describeTotals, HEADER } from './audit-text.js';
import type { AuditWriter } from './audit-writer.js';
import { clean } from './clean-text.js';

export const AUDIT_FORMATS = ['table', 'json', 'csv', 'parquet', 'html'] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

/** Loads only what writes this form. */
export async function createAuditWriter(format: AuditFormat): Promise<AuditWriter> {
  switch (format) {
    case 'table':
      return table;
    case 'json':
      return json;
    case 'csv':
      return csv;
    case 'parquet':
      return new ParquetAuditWriter();
    case 'html': {
      const { HtmlAuditWriter } = await import('./audit-page.js');
      return new HtmlAuditWriter();
    }
  }
}

const linesOf = (lines: string[]) => lines.map((line) => `${line}\n`).join('');

const table: AuditWriter = {
  begin: () => linesOf([HEADER]),
  add: (event) => linesOf(describeEvent(event)),
  end: (totals) => linesOf(describeTotals(totals)),
};

const json: AuditWriter = {
  begin: () => '',
  add: (event) => linesOf([JSON.stringify(toObject(event))]),
  end: (totals) => linesOf([JSON.stringify({ event: 'total', ...totals })]),
};

/** An event as docs/audit.md has it. */
function toObject(event: AuditEvent): object {
  switch (event.kind) {
    case 'day':
      return { event: 'day', ...event.day };
    case 'missing':
      return { event: 'missing-days', ...event.missing };
    case 'unusable':
      return { event: 'unusable', ...event.file };
  }
}

const csv: AuditWriter = {
  begin: () => csvLine(AUDIT_COLUMNS.map(({ name }) => name)),
  add: (event) =>
    rowsOf(event)
      .map((row) => csvLine(row.map((cell) => (cell === null ? '' : clean(String(cell))))))
      .join(''),
  end: () => '',
};

/** As RFC 4180 has it. */
function csvLine(cells: string[]): string {
  const quote = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `${cells.map(quote).join(',')}\r\n`;
}

const PARQUET_TYPES = { text: 'STRING', integer: 'INT64', boolean: 'BOOLEAN', moment: 'TIMESTAMP' } as const;

/** All rows are written in the end: they are few, one a day. */
class ParquetAuditWriter implements AuditWriter {
  readonly #rows: Cell[][] = [];

  begin(): string {
    return '';
  }

  add(event: AuditEvent): string {
    this.#rows.push(...rowsOf(event));
    return '';
  }

  async end(): Promise<Uint8Array> {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const columnData = AUDIT_COLUMNS.map(({ name, type }, index) => ({
      name,
      type: PARQUET_TYPES[type],
      nullable: true,
      data: this.#rows.map((row) => toParquet(row[index] ?? null, type)),
    }));
    return new Uint8Array(parquetWriteBuffer({ columnData }));
  }
}

function toParquet(cell: Cell, type: ColumnType): Cell | bigint | Date {
  if (cell === null) return null;
  if (type === 'moment') return new Date(Number(cell));
  return type === 'integer' ? BigInt(cell as number) : cell;
}
