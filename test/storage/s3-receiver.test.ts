/** The thread that receives ranges beside the one that converts them: what it does, and what is left of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pieces } from '../../src/storage/pieces.js';
import { receivingHandler, useReceiver, withReception } from '../../src/storage/s3/receiver.js';
import { s3Storage } from '../../src/storage/s3/storage.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { tempDir } from '../support/files.js';
import { freePort } from '../support/free-port.js';
import { BUCKET, putObject, startS3rver, talkTo } from '../support/s3-servers.js';

const MB = 1024 * 1024;

/** Serves a folder from a process of its own, so that it answers also while this one computes. */
async function serveFolder(t: TestContext, folder: string): Promise<number> {
  const port = await freePort();
  const args = ['-m', 'http.server', '--bind', '127.0.0.1', '--directory', folder, String(port)];
  const child = spawn('python3', args, { stdio: 'ignore' });
  t.after(() => child.kill());
  for (;;) {
    const isThere = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (isThere) return port;
    assert.equal(child.exitCode, null, 'python3 -m http.server has ended');
    await setTimeout(50);
  }
}

/** Sends a request as the SDK does. */
function ask(port: number, name: string, into: Uint8Array, abortSignal = new AbortController().signal) {
  const reception = { into, silenceMs: 10_000, filledBytes: 0 };
  const handler = receivingHandler(5000) as {
    handle: (
      request: object,
      options: object,
    ) => Promise<{ response: { statusCode: number; body: AsyncIterable<Uint8Array> } }>;
  };
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'GET', path: `/${name}`, headers: {} };
  return { reception, answer: handler.handle(request, withReception({ abortSignal }, reception)) };
}

const NO_TASKS = !fs.existsSync('/proc/self/task') && 'threads are counted in /proc/self/task';
const threads = () => fs.readdirSync('/proc/self/task').length;

/** Waits until as many threads are there as before. Fails by the limit of the test when that never happens. */
async function untilThreads(count: number): Promise<void> {
  while (threads() > count) await setTimeout(50);
}

test('the thread ends when nobody needs it, also after an archive that was left in the middle', {
  skip: NO_TASKS,
  timeout: 60_000,
}, async (t) => {
  const server = await startS3rver();
  t.after(() => server.close());
  talkTo(server);
  const file = Buffer.alloc(40 * MB, 'levels');
  await putObject(server, 'left', file);
  const isThere = await s3Storage.look(`s3://${BUCKET}/left`);
  assert.equal(isThere?.kind, 'file');
  await fs.promises.stat('.'); // starts libuv's threads
  const before = threads();
  const source = await s3Storage.open(`s3://${BUCKET}/left`);
  for await (const piece of pieces(source, 0, source.sizeBytes, () => {})) {
    assert.ok(piece.equals(file.subarray(0, piece.length)));
    break;
  }
  assert.ok(threads() > before, 'one receives');
  await source.close();
  await untilThreads(before);
  // Another is started when it is needed again.
  const again = await s3Storage.open(`s3://${BUCKET}/left`);
  let sizeBytes = 0;
  for await (const piece of pieces(again, 0, again.sizeBytes, () => {})) {
    assert.ok(piece.equals(file.subarray(sizeBytes, sizeBytes + piece.length)));
    sizeBytes += piece.length;
  }
  assert.equal(sizeBytes, file.length);
  await again.close();
  await untilThreads(before);
});

test('bytes come in while this thread computes, and no turn of its event loop passes', async (t) => {
  const dir = tempDir(t);
  const bytes = Buffer.alloc(3 * MB, 'order book');
  fs.writeFileSync(path.join(dir, 'bytes'), bytes);
  const port = await serveFolder(t, dir);
  t.after(useReceiver());
  const into = new Uint8Array(new SharedArrayBuffer(bytes.length));
  const { reception, answer } = ask(port, 'bytes', into);
  const view = new Int8Array(into.buffer);
  const deadlineMs = Date.now() + 30_000;
  while (Atomics.load(view, bytes.length - 1) === 0 && Date.now() < deadlineMs);
  assert.ok(bytes.equals(into));
  assert.equal(reception.filledBytes, 0, 'nobody has been told yet');
  assert.equal((await answer).response.statusCode, 200);
  assert.equal(reception.filledBytes, bytes.length);
});

test('an answer that is none is handed on with what it says', async (t) => {
  const port = await serveFolder(t, tempDir(t));
  t.after(useReceiver());
  const { response } = await ask(port, 'nowhere', new Uint8Array(new SharedArrayBuffer(10))).answer;
  assert.equal(response.statusCode, 404);
  let text = '';
  for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  assert.match(text, /File not found/);
});

test('more bytes than were asked for are not written behind their place', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(path.join(dir, 'long'), Buffer.alloc(300_000, 'x'));
  const port = await serveFolder(t, dir);
  t.after(useReceiver());
  const memory = new SharedArrayBuffer(200_000);
  const { reception, answer } = ask(port, 'long', new Uint8Array(memory, 0, 100_000));
  await answer;
  assert.match(String((reception as { brokenOff?: Error }).brokenOff), /more bytes came than were asked for/);
  assert.ok(new Uint8Array(memory, 100_000).every((byte) => byte === 0));
});

test('the errors of the system keep their codes', async (t) => {
  t.after(useReceiver());
  const port = await freePort();
  await assert.rejects(ask(port, '', new Uint8Array(new SharedArrayBuffer(10))).answer, { code: 'ECONNREFUSED' });
});

test('a reading that is given up breaks off its requests', { timeout: 60_000 }, async (t) => {
  const server = await startS3rver();
  t.after(() => server.close());
  const proxy = await startFaultyProxy(server.endpoint);
  t.after(() => proxy.close());
  talkTo(proxy);
  await putObject(server, 'slow', Buffer.alloc(20 * MB, 'levels'));
  const source = await s3Storage.open(`s3://${BUCKET}/slow`);
  proxy.fault = ({ headers }) => (headers.range ? { cutAfterBytes: 0, followedBy: 'silence' } : undefined);
  const reading = source.read(Buffer.alloc(10), 0);
  reading.catch(() => {});
  while (!proxy.asked.some(({ headers }) => headers.range)) await setTimeout(20);
  await source.close();
  await assert.rejects(reading, /the reading has ended/);
});
