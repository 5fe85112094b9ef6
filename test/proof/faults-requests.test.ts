/**
 * Every request that a command makes fails in turn: to a publisher of archives, and to S3. No request is made twice, so that
 * each fault is met. Whatever fails: an error names the cause, what is visible is whole and known, and the next run makes
 * the rest.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { ArchiveServer } from '../support/archive-server.js';
import { checkAfterFault } from '../support/faults-check.js';
import { runHere, runUndisturbed } from '../support/faults-commands.js';
import { bury, hiddenBelow } from '../support/faults-ledger.js';
import { downloading, type Prepared, placeIn, prepare, publishDays, WRITING } from '../support/faults-scenarios.js';
import { type Fault, type FaultyProxy, s3Error, startFaultyProxy } from '../support/faulty-proxy.js';
import { tempDir } from '../support/files.js';
import { logProof } from '../support/proof-log.js';
import { BUCKET, flagsFor, NO_MOTO, readObjects, type S3Server, startMoto, talkTo } from '../support/s3-servers.js';

const IS_LONG = process.env['CI_LONG'] === '1';
/** After so many problems of one kind it is known. */
const MOST_TOLD = 3;

interface RequestFault {
  name: string;
  fault: Fault;
  /** What an error says of it. */
  cause: RegExp;
}

const CUT = /closed|reset|hang up|terminated|ended after|aborted|EPIPE/i;

/** The first two are always tried; of S3 the first. */
const OF_A_PUBLISHER: RequestFault[] = [
  { name: 'connection reset', fault: { reset: true }, cause: CUT },
  { name: 'answer cut short', fault: { cutAfterBytes: 100, followedBy: 'reset' }, cause: CUT },
  { name: 'status 503', fault: { answer: 503 }, cause: /503/ },
  { name: 'status 403', fault: { answer: 403 }, cause: /403/ },
  { name: 'answer lost', fault: { loseAnswer: true }, cause: CUT },
  { name: 'answer in pieces', fault: { pieceBytes: 100, pauseMs: 1 }, cause: /nothing is wrong with it/ },
];

const OF_S3: RequestFault[] = [
  { name: 'answer lost', fault: { loseAnswer: true }, cause: CUT },
  { name: 'connection reset', fault: { reset: true }, cause: CUT },
  { name: 'status 500', fault: s3Error(500, 'InternalError'), cause: /InternalError|500/ },
  { name: 'status 503', fault: s3Error(503, 'SlowDown'), cause: /SlowDown|503/ },
  { name: 'status 403', fault: s3Error(403, 'AccessDenied'), cause: /access denied/ },
];

/** Tries a fault at the first request, the second … until a run makes no more of them. */
async function disturbEach(
  command: string,
  proxy: FaultyProxy,
  { name, fault }: RequestFault,
  experiment: (tried: string) => Promise<void>,
): Promise<string[]> {
  const problems: string[] = [];
  let count = 0;
  for (let nth = 0; problems.length < MOST_TOLD; nth++) {
    let isHit = false;
    proxy.asked.length = 0;
    proxy.fault = (asked) => {
      if (asked.count !== nth) return undefined;
      isHit = true;
      return fault;
    };
    try {
      await experiment(`${command}: ${name} at request ${nth + 1}`);
    } catch (error) {
      problems.push((error as Error).message);
    }
    proxy.fault = () => undefined;
    if (!isHit) break;
    count++;
  }
  assert.ok(count > 0, 'no request was disturbed');
  logProof({ proof: 'faults', command, call: `request: ${name}`, count, found: problems.length });
  return problems;
}

const publisher = new ArchiveServer();
let mirror: FaultyProxy;
let s3: S3Server;
let gate: FaultyProxy;

before(async () => {
  await publisher.listen();
  mirror = await startFaultyProxy(publisher.url);
  if (NO_MOTO) return;
  s3 = await startMoto();
  gate = await startFaultyProxy(s3.endpoint);
  process.env['AWS_MAX_ATTEMPTS'] = '1';
  talkTo(gate);
});

after(async () => {
  await mirror.close();
  await publisher.close();
  if (NO_MOTO) return;
  await gate.close();
  await s3.close();
});

for (const which of [0, 1]) {
  test(`download, ${['as it is', 'converted and removed'][which]}: each request fails in turn`, async (t) => {
    const root = tempDir(t);
    await publishDays(publisher, path.join(root, 'published'));
    const scenario = downloading(publisher, mirror.endpoint)[which];
    assert.ok(scenario);
    const ready = await prepare(scenario, root);
    const folder = placeIn(root);
    const problems: string[] = [];
    for (const fault of OF_A_PUBLISHER.slice(0, IS_LONG ? undefined : 2)) {
      const tryOne = (tried: string) => fetchDisturbed(ready, folder, fault, tried);
      problems.push(...(await disturbEach(scenario.name, mirror, fault, tryOne)));
    }
    assert.ok(problems.length === 0, problems.join('\n\n'));
  });
}

async function fetchDisturbed(ready: Prepared, folder: string, { cause }: RequestFault, tried: string): Promise<void> {
  fs.rmSync(folder, { recursive: true, force: true });
  ready.copyTo(folder);
  const result = await runUndisturbed(ready.argv(folder), folder);
  mirror.fault = () => undefined;
  await checkAfterFault(ready, { folder, tried, result, cause: cause.exec(result.stdout + result.stderr)?.[0] });
}

/** A command that writes into a bucket, below a prefix. */
interface IntoS3 {
  command: string;
  begin: (root: string) => Promise<void>;
  argv: (root: string, prefix: string) => string[];
  /** Reads all that was written, and tells in its last line of JSON how much of it is not as it should be. */
  verify: (prefix: string) => string[];
  /** How many files it writes, records apart. */
  files: number;
}

const at = (prefix: string) => `s3://${BUCKET}/${prefix}`;

const INTO_S3: IntoS3[] = [
  {
    command: 'convert (S3)',
    begin: async (root) => WRITING[0]?.begin(root),
    argv: (root, prefix) => [
      ...['convert', '--source-dir', path.join(root, 'source'), '--output-dir', at(prefix)],
      ...['--workers', '1', '--symbols', 'PLAIN,GZIP'],
    ],
    verify: (prefix) => ['verify', '--output-dir', at(prefix)],
    files: 2,
  },
  {
    command: 'download (S3)',
    begin: (root) => publishDays(publisher, path.join(root, 'published')),
    argv: (_, prefix) => [
      ...['download', '--source-dir', at(prefix), '--base-url', publisher.url, '--list-url', 'none'],
      ...['--symbols', 'DAYSUSDT', '--from', '2025-08-16', '--to', '2025-08-17', '--connections', '1', '--tries', '1'],
    ],
    verify: (prefix) => ['download', '--check', '--source-dir', at(prefix)],
    files: 2,
  },
];

for (const into of INTO_S3) {
  test(`${into.command}: each request fails in turn`, { skip: NO_MOTO }, async (t) => {
    const root = tempDir(t);
    const { TMPDIR } = process.env;
    process.env['TMPDIR'] = path.join(root, 'tmp'); // where the storage keeps what is on its way
    fs.mkdirSync(path.join(root, 'tmp'));
    try {
      await disturbInto(into, root);
    } finally {
      if (TMPDIR === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = TMPDIR;
    }
  });
}

async function disturbInto({ command, begin, argv, verify, files }: IntoS3, root: string): Promise<void> {
  await begin(root);
  const name = command.replace(/\W+/g, '-');
  const run = async (line: string[]) => {
    const result = await runHere([...line, ...flagsFor(gate)]);
    return { ...result, printed: result.stdout + result.stderr };
  };
  const check = (prefix: string) => run([...verify(prefix), '--json']);

  const unbroken = await run(argv(root, `${name}/unbroken`));
  assert.equal(unbroken.status, 0, unbroken.printed);
  const golden = await outputsAt(`${name}/unbroken`);
  assert.equal(golden.size, files);

  let runs = 0;
  const problems: string[] = [];
  for (const fault of OF_S3.slice(0, IS_LONG ? undefined : 1)) {
    const tryOne = async (tried: string) => {
      const prefix = `${name}/run${runs++}`;
      const { status, printed } = await run(argv(root, prefix));
      gate.fault = () => undefined;
      const what = `${tried}\n${printed}`;
      const made = await outputsAt(prefix);
      if (status === 0) assert.deepEqual(made, golden, what);
      else assert.match(printed, fault.cause, what);
      for (const [file, text] of made) assert.ok(golden.get(file) === text, `${what}: ${file} is whole`);
      const checked = await check(prefix);
      if (checked.status !== 2) {
        const { damaged, foreign = 0 } = JSON.parse(checked.stdout.trimEnd().split('\n').at(-1) ?? '');
        assert.deepEqual({ damaged, foreign }, { damaged: 0, foreign: 0 }, `${what}\n${checked.printed}`);
      }
      bury(path.join(root, 'tmp'));
      const next = await run(argv(root, prefix));
      assert.equal(next.status, 0, `the next run: ${next.printed}\nafter ${what}`);
      assert.deepEqual(await outputsAt(prefix), golden, `after the next run: ${what}`);
      const last = await check(prefix);
      assert.equal(last.status, 0, `${what}\n${last.printed}`);
      assert.deepEqual(hiddenBelow(path.join(root, 'tmp')), [], what);
    };
    problems.push(...(await disturbEach(command, gate, fault, tryOne)));
  }
  assert.ok(problems.length === 0, problems.join('\n\n'));
}

/** The objects below a prefix that are no records, without it. */
async function outputsAt(prefix: string): Promise<Map<string, string>> {
  const objects = [...(await readObjects(s3, `${prefix}/`))];
  const outputs = objects.filter(([key]) => !key.startsWith(`${prefix}/conversions.jsonl`));
  return new Map(outputs.map(([key, text]) => [key.slice(prefix.length + 1), text]));
}
