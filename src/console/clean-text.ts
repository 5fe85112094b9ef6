/**
 * What must not reach a terminal: control characters, line and paragraph separators, and the marks, embeddings, overrides
 * and isolates that turn the direction of writing (Unicode's UAX #9), with which a name can look like another one.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Names and the texts that errors quote are others' work: on a terminal they must not break a line or move the cursor. */
export function clean(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}
