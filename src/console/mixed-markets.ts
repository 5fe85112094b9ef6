import type { KnownOutput } from '../catalog/inventory.js';
import type { Outcome } from '../convert/run.js';

/** Symbols that are listed at most. */
const LISTED = 3;

/**
 * Symbols whose outputs are of two markets, and lie in no folder of one: spot and linear archives of one symbol have the
 * same names, so that the one replaces the other, or lies beside it, and only the form of the messages tells.
 */
export class MixedMarkets {
  readonly #formsOf = new Map<string, Set<string>>();

  /** @param outputs that are there before the run. */
  constructor(outputs: Iterable<KnownOutput>) {
    for (const { market, pair, knowledge } of outputs) {
      if (market === undefined && knowledge.kind === 'recorded') this.#add(pair, knowledge.record.messageForm);
    }
  }

  add({ entry: { market, pair }, result }: Outcome): void {
    if (market === undefined && result.status === 'done') this.#add(pair, result.counts.market);
  }

  #add(pair: string, form: string | undefined): void {
    if (form === undefined) return;
    const forms = this.#formsOf.get(pair) ?? new Set();
    this.#formsOf.set(pair, forms.add(form));
  }

  /** What to tell, if anything. */
  describe(): string | undefined {
    const mixed = [...this.#formsOf].filter(([, forms]) => forms.size > 1).map(([pair]) => pair);
    if (mixed.length === 0) return undefined;
    const more = mixed.length > LISTED ? ` and ${mixed.length - LISTED} more` : '';
    return (
      `Note: outputs of ${mixed.slice(0, LISTED).join(', ')}${more} are, or were, of spot archives as well as of contract ` +
      'archives, by the form of their messages. Keep them apart: in folders named linear, inverse and spot below the source ' +
      'folder, or in two output folders.'
    );
  }
}
