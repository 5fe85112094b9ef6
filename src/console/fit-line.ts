import { stripVTControlCharacters } from 'node:util';

/**
 * A line for a terminal that may be too narrow for it. One that fits stays as it is. Else what only aligns columns goes,
 * and what is still too long goes on in further lines, which are indented; a rule ends where the terminal does.
 *
 * @param columns of the terminal. Words that are longer, such as file names, are left to the terminal to break.
 */
export function fitLine(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  if (/^=+$/.test(line)) return line.slice(0, columns);
  const [indent = ''] = /^ */.exec(line) ?? [];
  const lines: string[] = [];
  let last = '';
  // What aligns columns may stand before the end of a style (22 of dim, 39 of colours).
  for (const word of line.replace(COLORED_SPACES, '$2$1').trim().split(/ +/)) {
    const longer = last === '' ? indent + word : `${last} ${word}`;
    if (last === '' || widthOf(longer) <= columns) last = longer;
    else {
      lines.push(last);
      last = `${indent}  ${word}`;
    }
  }
  return [...lines, last].join('\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLORED_SPACES = /( +)(\u001b\[(?:22|39)m)/g;

/** How many columns a text takes; colours take none. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
