import assert from 'node:assert/strict';

export interface PrintedLine {
  status: string;
  /** What follows `→` of an ERROR, or the file's name otherwise. */
  text: string;
}

/** The line of each archive in what a run printed, by the archive's pair. */
export function archiveLines(stdout: string): Map<string, PrintedLine> {
  const lines = new Map<string, PrintedLine>();
  for (const line of stdout.split('\n').filter((text) => text.startsWith('['))) {
    const [, status = '', pair = '', fileName = '', rest = ''] =
      /^\[\d+\/\d+\] (DONE|SKIPPED|ERROR) +(\S+) +(\S+) +(.*)$/.exec(line) ?? [];
    assert.ok(fileName.includes(`_${pair}_`), `not the line of an archive: ${line}`);
    assert.ok(!lines.has(pair), `a second line of ${pair}: ${line}`);
    lines.set(pair, { status, text: status === 'ERROR' ? rest.replace(/^→ /, '') : rest });
  }
  return lines;
}

/** Text as a terminal may be given it: without control characters that would move the cursor or set its title. */
export function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trimEnd();
}

export function assertPrintable(text: string): void {
  for (const line of text.split('\n')) assert.equal(withoutControls(line), line.trimEnd(), 'no control characters');
}
