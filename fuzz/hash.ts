/** A number that is the same for the same bytes (FNV-1a): for what an input does not say, but its runs must agree on. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
