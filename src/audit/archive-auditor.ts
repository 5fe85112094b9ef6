import { DAY_MS } from '../base/time.js';
import type { BookAuditor, MessageFacts } from '../book/book-auditor.js';
import { CrossedTracker } from './crossed.js';
import type { BookFindings } from './findings.js';
import { LatencyHistogram } from './latency.js';
import { LevelTracker } from './level-counts.js';
import { StepTracker } from './steps.js';
import { TimeOrderTracker } from './time-order.js';
import { UpdateIdTracker } from './update-ids.js';

/** Hears of the messages of an archive, and gathers what is found in them, in memory that does not grow with them. */
export class ArchiveAuditor implements BookAuditor {
  readonly #order = new TimeOrderTracker();
  readonly #updateIds = new UpdateIdTracker();
  readonly #latency = new LatencyHistogram();
  readonly #crossed = new CrossedTracker();
  readonly #levels: LevelTracker;
  readonly #steps = new StepTracker();

  /** The day begins at `#dayMs` and ends at `#dayEndMs`, at which the next one begins. */
  readonly #dayMs: number;
  readonly #dayEndMs: number;
  /** A message of the day has come. */
  #isOfDay = false;

  /**
   * @param archive how many levels a side its book should have, and the midnight (UTC) of its day; `undefined`: it may be
   * of any.
   */
  constructor({ sourceDepth, dayMs }: { sourceDepth: number; dayMs: number | undefined }) {
    this.#levels = new LevelTracker(sourceDepth);
    this.#dayMs = dayMs ?? Number.NEGATIVE_INFINITY;
    this.#dayEndMs = dayMs === undefined ? Number.POSITIVE_INFINITY : dayMs + DAY_MS;
  }

  /** Whether a message is of the archive's day. */
  get isOfDay(): boolean {
    return this.#isOfDay;
  }

  hearMessage(facts: Readonly<MessageFacts>): void {
    this.#order.hear(facts.tsMs);
    const { moment } = this.#order;
    this.#isOfDay ||= facts.tsMs >= this.#dayMs && facts.tsMs <= this.#dayEndMs;
    this.#updateIds.hear(facts, moment);
    this.#latency.add(facts.tsMs - facts.ctsMs);
    this.#crossed.hear(facts.isCrossed, moment);
    this.#levels.hear(facts, moment);
    this.#steps.hear(facts.updates, moment);
  }

  hearPriceStep(digits: bigint, decimals: number): void {
    this.#steps.hearStep('price', digits, decimals);
  }

  hearQuantityStep(digits: bigint, decimals: number): void {
    this.#steps.hearStep('quantity', digits, decimals);
  }

  /** A line was passed over: what it would have changed is not in the book. */
  hearBadLine(): void {
    this.#updateIds.suspect();
  }

  finish(): BookFindings {
    const { lastSnapshot, snapshotList, findings: updateIds } = this.#updateIds;
    const isClosing = lastSnapshot !== null && lastSnapshot.tsMs >= this.#dayEndMs;
    return {
      snapshotList,
      closingSnapshot: isClosing ? lastSnapshot : null,
      updateIds,
      greatestStepBackMs: this.#order.greatestStepBackMs,
      repeatedTs: this.#order.repeatedTs,
      silences: this.#order.silences,
      latency: this.#latency.findings,
      crossed: this.#crossed.finish(),
      levels: this.#levels.findings,
      absentDeletes: this.#levels.absentDeletes,
      steps: this.#steps.finish(),
      hours: this.#steps.hours,
    };
  }
}
