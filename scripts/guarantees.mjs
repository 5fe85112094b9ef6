// Makes the table of docs/guarantees.md of what the proofs have written: BOOKGRID_PROOF_LOG names a file to which they append
// lines of JSON. `npm run guarantees -- LOG` writes the page, `--print` only shows the table. A proof that has found
// something ends it with status 1.
import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../docs/guarantees.md', import.meta.url));
const BEGIN = '<!-- figures of the proofs: npm run guarantees -->';
const END = '<!-- end of the figures -->';

/** What each kind of proof does, in the order of the page. */
const KINDS = {
  faults: 'fault injected',
  syscalls: 'order of system calls checked',
  'crash-states': 'crash state rebuilt',
  kills: 'disturbed at a random moment',
  fuzz: 'fuzzed',
  soak: 'soaked',
  load: 'load',
  hostile: 'hostile input',
};

/** The sums of a log, by proof, command and call. Lines that are no proof are an error: somebody has misspelt one. */
export function sumUp(log) {
  const sums = new Map();
  for (const line of log.split('\n').filter(Boolean)) {
    const { proof, command = '', call = '', count, found } = JSON.parse(line);
    if (!Object.hasOwn(KINDS, proof) || !Number.isInteger(count) || !Number.isInteger(found)) {
      throw new Error(`this is no proof: ${line}`);
    }
    const key = JSON.stringify([proof, command, call]);
    const sum = sums.get(key) ?? { proof, command, call, count: 0, found: 0 };
    sums.set(key, { ...sum, count: sum.count + count, found: sum.found + found });
  }
  const order = Object.keys(KINDS);
  const text = ({ command, call }) => `${command}\0${call}`;
  return [...sums.values()].sort(
    (a, b) => order.indexOf(a.proof) - order.indexOf(b.proof) || (text(a) < text(b) ? -1 : 1),
  );
}

/** A table in Markdown. */
export function tableOf(sums) {
  const cell = (text) => String(text).replaceAll('|', '\\|').replace(/\s+/g, ' ');
  const rows = sums.map(({ proof, command, call, count, found }) =>
    [KINDS[proof], command, call, count.toLocaleString('en'), found].map(cell).join(' | '),
  );
  const heading = ['proof | command | what was done | times | lost, short, unknown or wrong', '---|---|---|---:|---:'];
  return [...heading, ...rows]
    .map((row) => `| ${row} |`.replace('| ---|', '|---|').replace('---: |', '---:|'))
    .join('\n');
}

/** A page with another table between its marks. */
export function withTable(page, table) {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const [, after] = (rest ?? '').split(END);
  if (after === undefined) throw new Error(`the page lacks the lines ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

/** The table that a page holds. */
export function tableIn(page) {
  return page.split(BEGIN)[1]?.split(END)[0]?.trim() ?? '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, option] = process.argv.slice(2);
  if (file === undefined || (option !== undefined && option !== '--print')) {
    process.stderr.write('Usage: npm run guarantees -- LOG [--print]\n');
    process.exit(2);
  }
  const sums = sumUp(fs.readFileSync(file, 'utf8'));
  const table = tableOf(sums);
  if (option === '--print') process.stdout.write(`${table}\n`);
  else fs.writeFileSync(PAGE, withTable(fs.readFileSync(PAGE, 'utf8'), table));
  process.exitCode = sums.some(({ found }) => found > 0) ? 1 : 0;
}
