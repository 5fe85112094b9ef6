/** A plan of millions of archives. */
import { NumberList } from '../base/number-list.js';
import type { ArchiveList } from '../catalog/archive-list.js';
import { depthFolder } from '../catalog/archive-name.js';
import { bySymbol, type Catalog, type SymbolPart } from '../catalog/catalog.js';
import { type Conflict, ConflictError } from './conflicts.js';
import { type PlanOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { isUsual, type PlanEntries, type PlanEntry, plan, usualEntry } from './plan.js';

/** How an entry is kept: as it is, or by what is done with its archive. */
const ACTIONS = ['as it is', 'convert', 'skip'] as const;

/** Entries in a row that stay together when the parts of a plan are put into one order. */
interface Run {
  /** Market, depth, pair: what the order goes by first. */
  key: readonly string[];
  start: number;
  end: number; // exclusive
}

/**
 * What `plan` gives, in some 10 bytes an archive and those of the catalog: entries of which there is nothing to be said but
 * that all outputs are made, or are there, are put together when they are asked for.
 */
export class LargePlan implements PlanEntries {
  readonly #archives: ArchiveList;
  readonly #options: ResolvedOptions;
  /** By row: which archive, and what is done with it. */
  readonly #archiveOf = new NumberList(Uint32Array, 0);
  readonly #actions = new NumberList(Uint8Array, 0);
  /** By row: the others, as they are. */
  readonly #others = new Map<number, PlanEntry>();
  readonly #runs: Run[] = [];
  /** Rows in the order of the plan. */
  #rows: Uint32Array = new Uint32Array();

  /**
   * Decides for each archive what is to be made of it, symbol by symbol.
   *
   * @throws as `plan` does.
   */
  constructor(catalog: Catalog, planOptions: PlanOptions) {
    this.#archives = catalog.archives.archives;
    this.#options = resolveOptions(planOptions);
    const conflicts: Conflict[] = [];
    for (const part of bySymbol(catalog)) {
      try {
        this.#add(part, plan(part.inventory, planOptions));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        conflicts.push(...error.conflicts);
      }
    }
    if (conflicts.length > 0) throw new ConflictError(conflicts);
    this.#rows = this.#inOrder();
  }

  get length(): number {
    return this.#rows.length;
  }

  at(index: number): PlanEntry | undefined {
    const row = this.#rows[index];
    if (row === undefined) return undefined;
    const other = this.#others.get(row);
    if (other) return { ...other, number: index + 1 };
    const action = ACTIONS[this.#actions.at(row)];
    const archive = this.#archives.at(this.#archiveOf.at(row));
    return usualEntry(index + 1, archive, action === 'convert' ? action : 'skip', this.#options);
  }

  *[Symbol.iterator](): Generator<PlanEntry, void, undefined> {
    for (let index = 0; index < this.length; index++) yield this.at(index) as PlanEntry;
  }

  /** Keeps only the entries at these places, numbered anew. */
  keep(places: Uint32Array): void {
    this.#rows = places.map((place) => this.#rows[place] ?? 0);
    const kept = new Set(this.#rows);
    for (const row of this.#others.keys()) if (!kept.has(row)) this.#others.delete(row);
  }

  #add({ inventory, indices }: SymbolPart, entries: PlanEntry[]): void {
    const { archives } = inventory.archives;
    const places = new Map(archives.map(({ path }, place) => [path, place]));
    for (const entry of entries) {
      const row = this.#actions.length;
      const place = places.get(entry.path) ?? -1;
      const archive = archives[place];
      const isKept = entry.action === 'fail' || !archive || !isUsual(entry, archive, this.#options);
      if (isKept) this.#others.set(row, entry);
      this.#actions.push(ACTIONS.indexOf(isKept ? 'as it is' : entry.action));
      this.#archiveOf.push(indices[place] ?? 0);
      this.#extend([entry.market ?? '', archive ? depthFolder(archive.sourceDepth) : '', entry.pair], row);
    }
  }

  #extend(key: readonly string[], row: number): void {
    const last = this.#runs.at(-1);
    if (last && compare(last.key, key) === 0) last.end++;
    else this.#runs.push({ key, start: row, end: row + 1 });
  }

  /** Within a run the order is that of the plan already. */
  #inOrder(): Uint32Array {
    const rows = new Uint32Array(this.#actions.length);
    let place = 0;
    for (const { start, end } of this.#runs.sort((a, b) => compare(a.key, b.key))) {
      for (let row = start; row < end; row++) rows[place++] = row;
    }
    this.#runs.length = 0;
    return rows;
  }
}

function compare(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}
