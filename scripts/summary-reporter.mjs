// Reports a test run (node:test's custom reporters) as a person wants to read it: what failed, with all that its file
// printed, how many there were, and what was skipped and why. The last line is the counts alone, which a CI reads.
// While the tests run, a terminal shows one line of how far they are.
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Lines of a file's own output that are shown beside its failures. */
const SHOWN_LINES = 200;

export default async function* summaryReporter(events) {
  const startMs = performance.now();
  const progress = new Progress();
  const failures = [];
  const skipped = new Map();
  const printed = new Map();
  const files = new Set();
  let passed = 0;
  let skips = 0;
  /** The names of the test that is reported and of those around it; a test's start is reported before its parts. */
  const names = [];

  for await (const { type, data } of events) {
    const file = data.entryFile ?? data.file;
    switch (type) {
      case 'test:start':
        names.length = data.nesting;
        names[data.nesting] = data.name;
        break;
      case 'test:complete':
        if (isTest(data)) progress.count(data.details.passed, file);
        break;
      case 'test:stdout':
      case 'test:stderr':
        printed.set(file, (printed.get(file) ?? '') + data.message);
        break;
      case 'test:diagnostic':
        if (file) printed.set(file, `${printed.get(file) ?? ''}${data.message}\n`);
        break;
      case 'test:pass':
      case 'test:fail': {
        if (file) files.add(file);
        const isFailure = type === 'test:fail' && data.todo === undefined;
        const reason = skipReason(data);
        const title = isFile(data)
          ? nameOf(file)
          : [nameOf(file), ...names.slice(0, data.nesting), data.name].join(' › ');
        if (isFailure && !hasFailedParts(data)) failures.push({ file, title, error: data.details.error });
        if (isFailure || !isTest(data)) break;
        if (reason === undefined) passed++;
        else {
          skips++;
          skipped.set(reason, [...(skipped.get(reason) ?? []), title]);
        }
      }
    }
  }

  progress.clear();
  yield* failures.map(({ title, error }) => `${paint('FAILED', 31)} ${title}\n${indent(describe(error))}\n\n`);
  for (const file of new Set(failures.map((failure) => failure.file))) {
    const text = printed.get(file)?.trimEnd();
    if (text) yield `printed by ${nameOf(file)}:\n${indent(lastLines(text))}\n\n`;
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  yield `${passed + failures.length + skips} tests in ${files.size} files, ${seconds} s\n`;
  for (const [reason, titles] of skipped) yield `${paint('skipped', 33)}: ${reason}\n${indent(titles.join('\n'))}\n`;
  yield `\n${passed} passed, ${failures.length} failed, ${skips} skipped\n`;
}

/** The line that tells how far the tests are, on a terminal only. */
class Progress {
  #passed = 0;
  #failed = 0;

  count(hasPassed, file) {
    if (hasPassed) this.#passed++;
    else this.#failed++;
    const text = `${this.#passed} passed, ${this.#failed} failed · ${nameOf(file)}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`);
  }

  clear() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

/** Whether it is a test of its own: not a suite, and not a file, which node:test reports when nothing else is to report. */
function isTest(data) {
  return data.details.type !== 'suite' && !isFile(data);
}

function isFile(data) {
  return data.nesting === 0 && path.resolve(data.name) === data.file;
}

/** Whether it failed because tests in it did, which are reported themselves. */
function hasFailedParts(data) {
  return data.details.error?.failureType === 'subtestsFailed';
}

/** Why a test was not run or does not count; `undefined` for one that does. */
function skipReason({ skip, todo }) {
  if (skip !== undefined) return typeof skip === 'string' ? skip : 'no reason given';
  if (todo !== undefined) return `to do: ${typeof todo === 'string' ? todo : 'no reason given'}`;
  return undefined;
}

/** Where a file's source is, from the checkout's root. */
function nameOf(file) {
  if (!file) return '';
  return path.relative(root, file).replace(/^dist[/\\](.*)\.js$/, '$1.ts');
}

/** A row of a thousand columns tells nobody anything. */
const LINE_LENGTH = 400;

/** An error with its causes, and the part of its stack that is not Node's own. */
function describe(error) {
  if (!(error instanceof Error)) return String(error);
  // node:test wraps what was thrown. A file that ends badly by itself has only its exit status to tell.
  if (error.code === 'ERR_TEST_FAILURE' && error.cause instanceof Error) return describe(error.cause);
  if (error.code === 'ERR_TEST_FAILURE') {
    const ending = error.signal
      ? `, ended by ${error.signal}`
      : error.exitCode
        ? `, exit status ${error.exitCode}`
        : '';
    return `${error.cause ?? error.message}${ending}`;
  }
  const lines = (error.stack ?? String(error))
    .split('\n')
    .filter((line) => !/^ +at .*node:/.test(line))
    .map((line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}… (${line.length} characters)` : line));
  return [lines.join('\n'), ...(error.cause === undefined ? [] : [`because of ${describe(error.cause)}`])].join('\n');
}

function lastLines(text) {
  const lines = text.split('\n');
  if (lines.length <= SHOWN_LINES) return text;
  return [`(${lines.length - SHOWN_LINES} lines before these)`, ...lines.slice(-SHOWN_LINES)].join('\n');
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '  ');
}

function paint(text, colour) {
  return process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[${colour}m${text}\x1b[39m` : text;
}
