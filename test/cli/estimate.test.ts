/** What --dry-run says of the size of outputs, beside what is then made. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { CLI } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { complete, makeArchive, readRecords } from '../support/runs.js';

const DEPTH = 50;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-estimate-'));
const source = path.join(root, 'source');

/** Whole days of a market of which every level is there. */
before(async () => {
  for (const [pair, date] of [
    ['AAAUSDT', '2025-01-15'],
    ['AAAUSDT', '2025-01-16'],
    ['BBBUSDT', '2025-01-15'],
  ] as const) {
    const market = { depth: DEPTH, durationMs: 86_400_000, messageIntervalMs: 15_000, seed: Number(date.slice(-2)) };
    await makeArchive(source, { pair, date, depth: DEPTH, market });
  }
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

const FORMATS = ['--format', 'csv,csv.gz,parquet', '--metrics'];

async function dryRun(out: string, args: string[]) {
  const common = ['--source-dir', source, '--output-dir', out, ...FORMATS, ...args, '--dry-run'];
  const { status, stdout, stderr } = await complete([...common, '--json']);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const text = (await complete(common)).stdout;
  return { summary: events.at(-1) ?? {}, plans: events.slice(0, -1), text };
}

/** What an archive's outputs take on the disk. */
function sizes(out: string): Map<string, number> {
  return new Map(
    readRecords(out).map((record) => [
      path.basename(String(record?.['archive'])),
      ((record?.['outputs'] ?? []) as { bytes: number }[]).reduce((sum, { bytes }) => sum + bytes, 0),
    ]),
  );
}

function assertNear(estimated: unknown, actual: number, tolerance: number): void {
  const factor = Number(estimated) / actual;
  assert.ok(factor > 1 - tolerance && factor < 1 + tolerance, `${estimated} for ${actual}`);
}

test('by typical sizes, and then by what is there, the estimate is near what is made', async (t) => {
  const out = path.join(tempDir(t), 'not', 'yet');
  const first = await dryRun(out, []);
  assert.match(
    first.text,
    /\nEstimate: 18 outputs of together [\d.]+ MB \(by typical sizes\)\nFree at .*\/not\/yet: [\d.]+ .B\n$/,
  );
  const { outputs, replacedBytes, freeBytes, fits } = first.summary;
  assert.deepEqual({ outputs, replacedBytes, fits }, { outputs: 18, replacedBytes: 0, fits: true });
  assert.ok(Number(freeBytes) > 0);

  assert.equal(
    (await complete(['--source-dir', source, '--output-dir', out, ...FORMATS, '--from', '2025-01-16'])).status,
    0,
  );
  assertNear(first.plans[1]?.['estimatedBytes'], sizes(out).get('2025-01-16_AAAUSDT_ob50.data.zip') ?? 0, 0.4);

  const second = await dryRun(out, []);
  assert.match(
    second.text,
    /\nEstimate: 12 outputs of together [\d.]+ MB \(by outputs of the same kind that are here\)\n/,
  );
  const partly = await dryRun(out, ['--depths', '10,50', '--quality', '--on-stale', 'remake']);
  assert.match(
    partly.text,
    /, in place of [\d.]+ MB \(6 by outputs of the same kind that are here, \d+ by typical sizes\)\n/,
  );

  assert.equal((await complete(['--source-dir', source, '--output-dir', out, ...FORMATS])).status, 0);
  const made = sizes(out);
  for (const plan of second.plans.filter(({ action }) => action === 'convert')) {
    assertNear(plan['estimatedBytes'], made.get(String(plan['fileName'])) ?? 0, 0.05);
  }
  const nothing = await dryRun(out, []);
  assert.match(nothing.text, /Dry run: 3 archives, 0 to convert, 3 to skip, 0 unusable\n$/);
  assert.equal(nothing.summary['estimatedBytes'], 0);
});

/** A mount name space of its own: the mount is gone with it. Other users than root need one of users as well. */
const UNSHARE = ['unshare', process.getuid?.() === 0 ? '-m' : '-rm'];
const onSmallDisk = (folder: string, command: string[]) => {
  const script = 'mount -t tmpfs -o size=1m tmpfs "$1" || exit 99; shift; exec "$@"';
  const [program = '', ...args] = [...UNSHARE, 'sh', '-c', script, 'sh', folder, ...command];
  return spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
};
const NO_MOUNT =
  onSmallDisk(root, ['true']).status !== 0 && `NOT CHECKED: ${UNSHARE.join(' ')} cannot mount a small tmpfs here`;

test('outputs that will not fit', { skip: NO_MOUNT }, (t) => {
  const disk = tempDir(t);
  const args = [CLI, '--source-dir', source, '--output-dir', path.join(disk, 'out'), '--dry-run'];
  const text = onSmallDisk(disk, [process.execPath, ...args]);
  assert.equal(text.status, 0, text.stderr);
  assert.match(
    text.stdout,
    /\nFree at .*: 1\.0 MB\nIt will not fit, by this estimate: some [\d.]+ MB are missing\.\n$/,
  );
  const { stdout } = onSmallDisk(disk, [process.execPath, ...args, '--json']);
  const { freeBytes, fits } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual({ freeBytes, fits }, { freeBytes: 1 << 20, fits: false });
});
