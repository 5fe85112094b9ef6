import { type AuditKernel, loadAuditKernel } from './audit-kernel.js';
import { type Kernel, loadKernel } from './book-kernel.js';
import { type InflateKernel, loadInflateKernel } from './inflate-kernel.js';
import { createMemory, type Memory } from './memory.js';

/** What the kernel of books and the inflater take; the kernel of audits takes more. A test compares. */
export const ARENA_BYTES = 951 * 65_536;

/**
 * The memory in which one archive at a time is inflated and read. Both WebAssembly modules live in it, so that what one
 * writes is what the other reads, without a copy:
 *
 *     inflater's tables │ book's kernel (kernel/layout.ts) │ compressed │ history │ text, also the kernel's input
 *     ├─ first page ────┤                                  ├─ areas of src/archive/kernel-inflate.ts ───────────┤
 */
export class Arena<BookKernel extends Kernel = Kernel> {
  readonly kernel: BookKernel;
  readonly inflater: InflateKernel;

  constructor(load: (memory: Memory) => BookKernel) {
    const memory = createMemory(ARENA_BYTES);
    this.kernel = load(memory);
    this.inflater = loadInflateKernel(memory, this.kernel.MEMORY_BYTES);
  }
}

/** Arenas of this thread that nobody uses: memory that has been touched before costs nothing to get. */
const idle: Arena[] = [];

/** An arena in its first state, to be given back by {@link releaseArena}. */
export function acquireArena(): Arena {
  const arena = idle.pop() ?? new Arena(loadKernel);
  arena.kernel.reset();
  return arena;
}

/** Gives an arena back whose archive came to its end; one in which something failed is better thrown away. */
export function releaseArena(arena: Arena): void {
  if (idle.length === 0) idle.push(arena);
}

let idleForAudits: Arena<AuditKernel> | undefined;

/** The same for an audit. */
export function acquireAuditArena(): Arena<AuditKernel> {
  const arena = idleForAudits ?? new Arena(loadAuditKernel);
  idleForAudits = undefined;
  arena.kernel.reset();
  return arena;
}

/** See {@link releaseArena}. */
export function releaseAuditArena(arena: Arena<AuditKernel>): void {
  idleForAudits ??= arena;
}
