/** Every link on a page to a file of the project, and to a heading in it, leads somewhere. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What is made, installed or downloaded, and text that is not for readers. */
const OTHERS = new Set(['node_modules', 'dist', '.git', 'fixtures']);

function listPages(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : listPages(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });
}

/** Without code, in which a link is no link. */
function prose(page: string): string {
  return page.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

function linksOf(page: string): string[] {
  const patterns = [/\]\(([^)\s]+)(?: "[^"]*")?\)/g, /\b(?:src|srcset|href)="([^"]+)"/g];
  return patterns.flatMap((pattern) => [...prose(page).matchAll(pattern)].map(([, link = '']) => link));
}

/** The anchors of a page's headings, as GitHub makes them, and those that it sets itself. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set([...page.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id));
  for (const [, heading = ''] of prose(page).matchAll(/^#+ (.+)$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

const pages = listPages(ROOT);

test('there are pages', () => {
  assert.ok(pages.includes(path.join(ROOT, 'README.md')) && pages.length > 5);
});

for (const page of pages) {
  test(path.relative(ROOT, page), () => {
    const text = fs.readFileSync(page, 'utf8');
    const dead = linksOf(text).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false; // elsewhere
      const [file = '', anchor] = decodeURI(link).split('#');
      const target = file === '' ? page : path.join(path.dirname(page), file);
      if (!fs.existsSync(target)) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(fs.readFileSync(target, 'utf8')).has(anchor);
    });
    assert.deepEqual(dead, []);
  });
}

/** Paths such as `src/cli.ts` in the words of a page; not one with a NAME to fill in, nor what npm run makes. */
function filesNamedIn(page: string): string[] {
  const paths = [...page.matchAll(/`((?:src|kernel|test|bench|docs|scripts|examples)\/[\w./-]*)`/g)];
  return paths.map(([, file = '']) => file).filter((file) => !/[A-Z]{4}/.test(file));
}

test('every file that a page names is there', () => {
  const dead = pages.flatMap((page) =>
    filesNamedIn(fs.readFileSync(page, 'utf8'))
      .filter((file) => !fs.existsSync(path.join(ROOT, file)))
      .map((file) => `${path.relative(ROOT, page)}: ${file}`),
  );
  assert.deepEqual(dead, []);
});

test('the README is short', () => {
  assert.ok(fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8').split('\n').length <= 151);
});
