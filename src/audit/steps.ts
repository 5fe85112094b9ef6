import { type Hour, MAX_LISTED, type Steps } from './findings.js';
import { hourOf } from './hour-grid.js';

/** With fewer updates than these, the step of an hour may be greater by chance: it is not compared. */
const ENOUGH_UPDATES = 1000;

const KINDS = ['price', 'quantity'] as const;
type Kind = (typeof KINDS)[number];

/** What numbers are multiples of: their greatest common divisor, kept as a whole number of 10^-decimals. */
export class CommonStep {
  #digits = 0n;
  #decimals = 0;

  add(digits: bigint, decimals: number): void {
    if (digits === 0n) return;
    const common = Math.max(decimals, this.#decimals);
    const more = digits * 10n ** BigInt(common - decimals);
    const known = this.#digits * 10n ** BigInt(common - this.#decimals);
    if (known !== 0n && more % known === 0n) return;
    this.#digits = greatestCommonDivisor(known, more);
    this.#decimals = common;
  }

  /** As a decimal without zeros at its end; null: nothing was added. */
  get text(): string | null {
    if (this.#digits === 0n) return null;
    const digits = String(this.#digits).padStart(this.#decimals + 1, '0');
    const point = digits.length - this.#decimals;
    const fraction = digits.slice(point).replace(/0+$/, '');
    return fraction === '' ? digits.slice(0, point) : `${digits.slice(0, point)}.${fraction}`;
  }
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

/** Follows tick size and quantity step from hour to hour, and counts the messages of each. */
export class StepTracker {
  readonly hours: Hour[] = [];
  readonly #whole = { price: new CommonStep(), quantity: new CommonStep() };
  #ofHour = { price: new CommonStep(), quantity: new CommonStep() };
  /** Of the last hour that had enough updates. */
  readonly #before: Partial<Record<Kind, string>> = {};
  readonly #changes: Steps['changes'] = [];
  #hourMs = Number.NEGATIVE_INFINITY;
  #hours = 0;
  #messages = 0;
  #updates = 0;

  /** @param moment of a message. */
  hear(updates: number, moment: number): void {
    if (moment >= this.#hourMs + 3_600_000 || this.#hourMs === Number.NEGATIVE_INFINITY) this.#turn(hourOf(moment));
    this.#messages++;
    this.#updates += updates;
  }

  /** A step that was observed in the hour of the last message. */
  hearStep(kind: Kind, digits: bigint, decimals: number): void {
    this.#ofHour[kind].add(digits, decimals);
    this.#whole[kind].add(digits, decimals);
  }

  finish(): Steps {
    this.#turn(Number.POSITIVE_INFINITY);
    return { price: this.#whole.price.text, quantity: this.#whole.quantity.text, changes: this.#changes };
  }

  /** Ends an hour, and begins another. */
  #turn(nextMs: number): void {
    if (this.#messages > 0 && this.#hours++ < MAX_LISTED) {
      this.hours.push({ fromMs: this.#hourMs, messages: this.#messages });
      if (this.#updates >= ENOUGH_UPDATES) this.#compare();
    }
    this.#hourMs = nextMs;
    this.#messages = 0;
    this.#updates = 0;
    this.#ofHour = { price: new CommonStep(), quantity: new CommonStep() };
  }

  #compare(): void {
    for (const kind of KINDS) {
      const step = this.#ofHour[kind].text;
      const before = this.#before[kind];
      if (step === null) continue;
      if (before !== undefined && before !== step && this.#changes.length < MAX_LISTED) {
        this.#changes.push({ fromMs: this.#hourMs, of: kind, from: before, to: step });
      }
      this.#before[kind] = step;
    }
  }
}
