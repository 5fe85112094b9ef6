import type { AuditKernel } from '../wasm/audit-kernel.js';
import type { BookAuditor, MessageFacts } from './book-auditor.js';
import { canonical, isSupportedPrice, isZero } from './decimal.js';
import type { BookHooks, KernelBook } from './kernel-book.js';
import { MAX_TS_MS, type Message } from './message.js';

/**
 * The host's half of observing (kernel/observe.ts): tells an auditor what the kernel has logged of its messages, and
 * observes those that the host has read.
 */
export class KernelAudit implements BookHooks {
  readonly #kernel: AuditKernel;
  readonly #auditor: BookAuditor;
  readonly #facts: MessageFacts;
  /** Of the message that the host is applying. */
  #absentDeletes = 0;
  /** Views of the log: its entries are read where they are. */
  readonly #doubles: Float64Array;
  readonly #integers: Int32Array;
  readonly #quantitySteps: BigInt64Array;

  constructor(kernel: AuditKernel, auditor: BookAuditor) {
    this.#kernel = kernel;
    this.#auditor = auditor;
    this.#facts = noFacts();
    const { buffer } = kernel.memory;
    this.#doubles = new Float64Array(buffer);
    this.#integers = new Int32Array(buffer);
    this.#quantitySteps = new BigInt64Array(buffer, kernel.QUANTITY_STEPS, kernel.QUANTITY_FORMS);
  }

  levelsOf(side: 0 | 1): number {
    return this.#kernel.levelsOf(side);
  }

  onAbsentDelete(): void {
    this.#absentDeletes++;
  }

  beforeLayOut(decimals: number): void {
    this.tellSteps(decimals);
  }

  /** Tells of the messages in the log. With levels that only the host knows, there must be one at most. */
  readLog(book: KernelBook): void {
    const kernel = this.#kernel;
    const count = kernel.factCount.value;
    if (count === 0) return;
    const { LOG, LOG_ENTRY_BYTES, FACT_TS, FACT_CTS, FACT_UPDATE_ID, FACT_UPDATES, FACT_ABSENT_DELETES } = kernel;
    const { FACT_BID_LEVELS, FACT_ASK_LEVELS, FACT_IS_CROSSED } = kernel;
    const [doubles, integers, facts] = [this.#doubles, this.#integers, this.#facts];
    const { hasStrays } = book;
    facts.isSnapshot = false;
    const end = LOG + count * LOG_ENTRY_BYTES;
    for (let at = LOG; at < end; at += LOG_ENTRY_BYTES) {
      const cts = doubles[(at + FACT_CTS) >> 3] as number;
      facts.tsMs = doubles[(at + FACT_TS) >> 3] as number;
      facts.ctsMs = cts < 0 || cts > MAX_TS_MS ? Number.NaN : cts;
      facts.updateId = doubles[(at + FACT_UPDATE_ID) >> 3] as number;
      facts.updates = integers[(at + FACT_UPDATES) >> 2] as number;
      facts.absentDeletes = integers[(at + FACT_ABSENT_DELETES) >> 2] as number;
      facts.bidLevels = integers[(at + FACT_BID_LEVELS) >> 2] as number;
      facts.askLevels = integers[(at + FACT_ASK_LEVELS) >> 2] as number;
      facts.isCrossed = integers[(at + FACT_IS_CROSSED) >> 2] !== 0;
      if (hasStrays) this.#look(book);
      this.#auditor.hearMessage(facts);
    }
    kernel.clearFacts();
  }

  /** Tells of a message that the host has just applied to the book. */
  hearMessage(message: Message, book: KernelBook): void {
    const { type, tsMs, ctsMs, updateId, bids, asks } = message;
    const facts = this.#facts;
    facts.isSnapshot = type === 'snapshot';
    facts.tsMs = tsMs;
    facts.ctsMs = ctsMs ?? Number.NaN;
    facts.updateId = updateId ?? Number.NaN;
    facts.updates = bids.length + asks.length;
    facts.absentDeletes = this.#absentDeletes;
    this.#absentDeletes = 0;
    this.#look(book);
    this.#auditor.hearMessage(facts);
    for (const [price, quantity] of [...bids, ...asks]) {
      if (isZero(quantity)) continue;
      tellStep(price, (digits, decimals) => this.#auditor.hearPriceStep(digits, decimals));
      tellStep(quantity, (digits, decimals) => this.#auditor.hearQuantityStep(digits, decimals));
    }
  }

  /** Tells of the steps that the kernel has found, and lets it find others. @param decimals of the ladder. */
  tellSteps(decimals: number): void {
    const kernel = this.#kernel;
    const priceStep = kernel.getPriceStep();
    if (priceStep > 0) this.#auditor.hearPriceStep(BigInt(priceStep), decimals);
    for (const [form, step] of this.#quantitySteps.entries()) {
      if (step > 0n) this.#auditor.hearQuantityStep(step, form);
    }
    kernel.forgetSteps();
  }

  /** Looks at the book as it is, with the levels that only the host knows. */
  #look(book: KernelBook): void {
    this.#facts.bidLevels = book.levelCount(0);
    this.#facts.askLevels = book.levelCount(1);
    this.#facts.isCrossed = book.isCrossed;
  }
}

function noFacts(): MessageFacts {
  return {
    isSnapshot: false,
    tsMs: 0,
    ctsMs: 0,
    updateId: 0,
    updates: 0,
    absentDeletes: 0,
    bidLevels: 0,
    askLevels: 0,
    isCrossed: false,
  };
}

/** Longer ones are left out: no real number has more digits, and a forged one must not cost much time. */
function tellStep(decimal: string, hear: (digits: bigint, decimals: number) => void): void {
  const number = canonical(decimal);
  if (!isSupportedPrice(number)) return;
  const [integer = '', fraction = ''] = number.split('.');
  hear(BigInt(integer + fraction), fraction.length);
}
