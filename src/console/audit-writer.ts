import type { AuditEvent } from '../audit/audit.js';
import type { Totals } from '../audit/totals.js';

/** Turns what is told into pieces of a file, or of what is printed. */
export interface AuditWriter {
  /** What comes first. */
  begin(): string;
  /** What comes of one event; nothing when all is written in the end. */
  add(event: AuditEvent): string;
  /** What comes last. */
  end(totals: Totals): Promise<string | Uint8Array> | string;
}
