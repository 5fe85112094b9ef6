import { type Kernel, loadKernel } from './book-kernel.js';
import type { Memory, Variable } from './memory.js';

/** What kernel/audit-index.ts exports beside what the book's kernel does. */
export interface AuditKernel extends Kernel {
  readonly LOG: number;
  readonly LOG_ENTRY_BYTES: number;
  /** Offsets in an entry of LOG: f64 each, then i32 each. */
  readonly FACT_TS: number;
  readonly FACT_CTS: number;
  readonly FACT_UPDATE_ID: number;
  readonly FACT_UPDATES: number;
  readonly FACT_ABSENT_DELETES: number;
  readonly FACT_BID_LEVELS: number;
  readonly FACT_ASK_LEVELS: number;
  readonly FACT_IS_CROSSED: number;
  readonly QUANTITY_STEPS: number;
  readonly QUANTITY_FORMS: number;
  readonly factCount: Variable;
  clearFacts(): void;
  forgetSteps(): void;
  getPriceStep(): number;
  levelsOf(side: number): number;
}

/** A kernel for audits in a memory that has no other. */
export function loadAuditKernel(memory: Memory): AuditKernel {
  return loadKernel(memory, 'audit-book.wasm') as AuditKernel;
}
