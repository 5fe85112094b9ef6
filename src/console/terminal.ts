/** What may be sent to a stream: to a terminal more than to a file or a pipe, and to some terminals less. */
import fs from 'node:fs';
import { fitLine } from './fit-line.js';
import { lineWriter } from './surroundings.js';

/** Terminals that can only be written to, line after line, such as that of an editor. */
const isDumb = () => process.env['TERM'] === 'dumb';

/** Whether a line can be drawn again in its place. */
export function canRedraw(stream: NodeJS.WriteStream): boolean {
  return isTerminal(stream) && !isDumb();
}

/** Whether a stream leads to another program. */
export function isPipe(stream: NodeJS.WriteStream): boolean {
  const stat = fs.fstatSync((stream as NodeJS.WriteStream & { fd: number }).fd);
  return stat.isFIFO() || stat.isSocket();
}

/** Whether terminals may be sent escape sequences: NO_COLOR (https://no-color.org) is taken to mean none at all. */
export function hasEscapes(): boolean {
  return !isDumb() && !process.env['NO_COLOR'];
}

export function hasColors(stream: NodeJS.WriteStream): boolean {
  return isTerminal(stream) && hasEscapes() && stream.hasColors();
}

/** A function that writes lines to a stream, on a terminal such that none is wider than it. */
export function fittedWriter(stream: NodeJS.WriteStream): (line: string) => void {
  const write = lineWriter(stream);
  return isTerminal(stream) ? (line) => write(fitLine(line, columnsOf(stream))) : write;
}

/** A terminal that does not tell has 80, as terminals always had. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.columns || 80;
}

function isTerminal(stream: NodeJS.WriteStream): boolean {
  return Boolean(stream.isTTY); // undefined, against its type, where the stream is none
}
