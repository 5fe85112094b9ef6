/** Symbols that a message names. */
const MAX_SYMBOLS = 20;

/** Names the symbols that there are, those first that begin most like the ones wanted: `AAAUSDT, AABUSDT and 3 more`. */
export function listNearest(symbols: Iterable<string>, wanted: readonly string[]): string {
  const likeness = (symbol: string) => Math.max(0, ...wanted.map((other) => commonStart(symbol, other)));
  const sorted = [...new Set(symbols)].sort((a, b) => likeness(b) - likeness(a) || (a < b ? -1 : 1));
  const more = sorted.length > MAX_SYMBOLS ? ` and ${sorted.length - MAX_SYMBOLS} more` : '';
  return `${sorted.slice(0, MAX_SYMBOLS).join(', ')}${more}`;
}

/** How many characters two symbols begin with in common. */
function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length]?.toUpperCase() === b[length]?.toUpperCase()) length++;
  return length;
}
