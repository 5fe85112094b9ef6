import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A page of docs/, from where the compiled tests lie. */
export function readPage(name: string): string {
  return fs.readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8');
}

/**
 * The rows of the first table below a heading, each as its cells by the names in the table's head. Code marks are left
 * out of the cells of the first column; `\|` is read as `|`.
 */
export function tableBelow(page: string, heading: string): Record<string, string>[] {
  const lines = page.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`no heading ${heading}`);
  const from = lines.findIndex((line, at) => at > start && line.startsWith('|'));
  const end = lines.findIndex((line, at) => at > from && !line.startsWith('|'));
  const [head = [], , ...rows] = lines.slice(from, end < 0 ? undefined : end).map(cellsOf);
  return rows.map((cells) =>
    Object.fromEntries(head.map((name, at) => [name, at === 0 ? withoutCode(cells[at] ?? '') : (cells[at] ?? '')])),
  );
}

function cellsOf(row: string): string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function withoutCode(cell: string): string {
  return cell.replace(/^`(.*)`$/, '$1');
}
