/** What positions, colours and the marks of axes are laid out by. Times are ms since the epoch, UTC. */

/** How quantities become colours: from 0 to `clip`, which more than that look alike. */
export interface QuantityScale {
  /** `log` shows small quantities beside large ones, `linear` keeps their ratios. */
  kind: 'log' | 'linear';
  /** The quantity of the strongest colour; above 0. */
  clip: number;
}

/** How far the logarithm is bent: a tenth of the clip has half of the scale, a hundredth a seventh. */
export const LOG_BEND = 100;

/** @returns 0 to 1. */
export function quantityFraction({ kind, clip }: QuantityScale, quantity: number): number {
  const part = Math.min(quantity / clip, 1);
  return kind === 'linear' ? part : Math.log1p(LOG_BEND * part) / Math.log1p(LOG_BEND);
}

/** The quantity at a fraction of the scale, for its legend: the inverse of {@link quantityFraction}. */
export function quantityAt({ kind, clip }: QuantityScale, fraction: number): number {
  return kind === 'linear' ? clip * fraction : (clip * Math.expm1(fraction * Math.log1p(LOG_BEND))) / LOG_BEND;
}

/** Round numbers (1, 2 or 5 times a power of ten) from low to high, about as many as wanted. */
export function niceTicks(low: number, high: number, wanted: number): number[] {
  if (!(high > low) || wanted < 1) return [];
  const step = niceStep((high - low) / wanted);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toFixed(Math.min(digits, 20))),
  );
}

/** The smallest of 1, 2, 5 times a power of ten that is not less. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const TIME_STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 2, 7, 14, 28, 56, 112, 364].map((count) => count * DAY_MS),
];

/** Round moments from one to another, at most about as many as wanted, each with a label; midnights have their date. */
export function timeTicks(fromMs: number, toMs: number, wanted: number): { ms: number; label: string }[] {
  if (!(toMs > fromMs) || wanted < 1) return [];
  const leastMs = (toMs - fromMs) / wanted;
  const stepMs = TIME_STEPS_MS.find((ms) => ms >= leastMs) ?? Math.ceil(leastMs / DAY_MS) * DAY_MS;
  const ticks = [];
  for (let ms = Math.ceil(fromMs / stepMs) * stepMs; ms <= toMs; ms += stepMs) {
    const iso = new Date(ms).toISOString();
    const digits = stepMs >= MINUTE_MS ? 16 : stepMs >= SECOND_MS ? 19 : 23;
    ticks.push({ ms, label: ms % DAY_MS === 0 ? iso.slice(0, 10) : iso.slice(11, digits) });
  }
  return ticks;
}

/** Digits behind the point that decimals have which are this double, at most 12: of prices and quantities, never more. */
export function decimalsOf(value: number): number {
  let decimals = 0;
  while (decimals < 12 && Number(value.toFixed(decimals)) !== value) decimals++;
  return decimals;
}

/** A number with a suffix for thousands, millions …, three digits: `12.3k`. For axes and legends. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  const suffixes = ['', 'k', 'M', 'G', 'T', 'P'];
  const power = Math.min(suffixes.length - 1, Math.max(0, Math.floor(Math.log10(size) / 3 + 1e-9)));
  return `${Number((value / 1000 ** power).toPrecision(3))}${suffixes[power]}`;
}
