/** What every storage must do, whatever it is: the suite that each implementation passes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { openStorage } from '../../src/storage/open-storage.js';
import { joinPath } from '../../src/storage/paths.js';
import { pieces } from '../../src/storage/pieces.js';
import { newRunId } from '../../src/storage/staging.js';
import { type Entry, type Storage, StorageError } from '../../src/storage/storage.js';
import { versionIn } from '../../src/storage/version.js';
import { collect } from '../support/collect.js';

/** An empty place of a storage, as a path that it understands. */
export type MakePlace = (t: TestContext) => Promise<string>;

async function names(storage: Storage, folder: string): Promise<string[]> {
  return (await entries(storage, folder)).map(({ name, kind }) => (kind === 'folder' ? `${name}/` : name));
}

async function entries(storage: Storage, folder: string): Promise<Entry[]> {
  return collect(storage.list(folder));
}

async function put(storage: Storage, path: string, text: string): Promise<void> {
  const file = storage.stage(path, { runId: newRunId() });
  file.write(Buffer.from(text));
  file.flush();
  await file.publish();
}

async function read(storage: Storage, path: string): Promise<string> {
  const source = await storage.open(path);
  try {
    let text = '';
    for await (const piece of pieces(source, 0, source.sizeBytes, () => {})) text += piece.toString();
    return text;
  } finally {
    await source.close();
  }
}

async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

async function logText(storage: Storage, path: string): Promise<string> {
  return Buffer.concat(await collect(storage.readLog(path))).toString();
}

/**
 * Tests an implementation; `makePlace` gives each test a place of its own.
 *
 * @param hasFolders folders are there by themselves, also when nothing is in them.
 */
export function testStorage(
  what: string,
  storage: Storage,
  makePlace: MakePlace,
  { hasFolders }: { hasFolders: boolean },
): void {
  /** Of a folder that has been made, and may be empty. */
  const namesIn = async (folder: string) =>
    hasFolders || (await storage.look(folder)) !== undefined ? names(storage, folder) : [];

  describe(`${what} is a storage`, () => {
    test('a file is seen by nobody until it is published, and then whole', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, '0200', 'AAAUSDT', 'a.csv');
      const file = storage.stage(path, { runId: newRunId() });
      file.write(Buffer.from('first,'));
      file.write(Buffer.from('second'));
      assert.equal(await storage.look(path), undefined);
      const version = file.flush();
      assert.equal(await storage.look(path), undefined);
      const published = await file.publish();
      assert.equal(version.sizeBytes, 12);
      assert.equal(await read(storage, path), 'first,second');
      const entry = await storage.look(path);
      assert.ok(entry?.kind === 'file');
      assert.equal(entry.sizeBytes, 12);
      assert.deepEqual(versionIn(entry), published, 'it is known by what publish said');
      if (version.mtimeMs !== undefined) assert.equal(entry.mtimeMs, version.mtimeMs, 'and by what flush said');
      file.discard();
      assert.equal(await read(storage, path), 'first,second', 'to discard what is published does nothing');
    });

    test('what was written is known by its SHA-256, however it was cut into pieces', async (t) => {
      const place = await makePlace(t);
      const bytes = Buffer.alloc(3_000_000);
      for (let at = 0; at < bytes.length; at++) bytes[at] = (at * at) % 251;
      const expected = createHash('sha256').update(bytes).digest('hex');
      for (const pieceBytes of [bytes.length, 65_537, 1_000_000]) {
        const path = joinPath(place, `${pieceBytes}`);
        const file = storage.stage(path, { runId: newRunId() });
        const piece = Buffer.alloc(pieceBytes);
        for (let start = 0; start < bytes.length; start += pieceBytes) {
          const length = bytes.copy(piece, 0, start);
          file.write(piece.subarray(0, length));
          piece.fill(0); // its memory is the writer's again
        }
        assert.equal(file.flush().sha256, expected);
        await file.publish();
        const source = await storage.open(path);
        const read = Buffer.concat(await collect(copies(pieces(source, 0, source.sizeBytes, () => {}))));
        await source.close();
        assert.equal(createHash('sha256').update(read).digest('hex'), expected, 'as is what can be read');
      }
      const empty = storage.stage(joinPath(place, 'empty'), { runId: newRunId() });
      // FIPS 180-4's hash of nothing
      assert.equal(empty.flush().sha256, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
      empty.discard();
    });

    test('a file replaces another in one step; one that is discarded replaces nothing', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a.csv');
      await put(storage, path, 'old');
      const discarded = storage.stage(path, { runId: newRunId() });
      discarded.write(Buffer.from('never'));
      discarded.flush();
      discarded.discard();
      assert.equal(await read(storage, path), 'old');
      await put(storage, path, 'new and longer');
      assert.equal(await read(storage, path), 'new and longer');
      assert.deepEqual(await names(storage, place), ['a.csv']);
    });

    test('what is not flushed cannot be published', async (t) => {
      const place = await makePlace(t);
      const file = storage.stage(joinPath(place, 'a.csv'), { runId: newRunId() });
      await put(storage, joinPath(place, 'b.csv'), '');
      await assert.rejects(file.publish(), /flushed/);
      file.discard();
      assert.deepEqual(await names(storage, place), ['b.csv']);
    });

    test('a folder is listed in the order of characters, without hidden names, sizes said', async (t) => {
      const place = await makePlace(t);
      for (const name of ['b', 'B', 'a.csv', 'ä', 'a b', '10', '9', 'sub/c']) {
        await put(storage, joinPath(place, ...name.split('/')), name);
      }
      const unfinished = storage.stage(joinPath(place, 'unfinished.csv'), { runId: newRunId() });
      assert.deepEqual(await names(storage, place), ['10', '9', 'B', 'a b', 'a.csv', 'b', 'sub/', 'ä']);
      for (const entry of await entries(storage, place)) {
        assert.equal(entry.path, joinPath(place, entry.name));
        if (entry.kind === 'file') assert.equal(entry.sizeBytes, Buffer.byteLength(entry.name));
        assert.deepEqual(await storage.look(entry.path), entry, 'what is looked at alone is what was listed');
      }
      unfinished.discard();
    });

    test('many files: all are listed once', async (t) => {
      const place = await makePlace(t);
      const expected = Array.from({ length: 300 }, (_, index) => `file-${String(index).padStart(4, '0')}`);
      for (const name of expected) await put(storage, joinPath(place, name), '');
      assert.deepEqual(await names(storage, place), expected);
    });

    test('what is not there: no entry, no log, no folder', async (t) => {
      const place = await makePlace(t);
      const nowhere = joinPath(place, 'nowhere');
      assert.equal(await storage.look(nowhere), undefined);
      assert.equal(await storage.look(joinPath(nowhere, 'further')), undefined);
      assert.equal(await logText(storage, nowhere), '');
      assert.equal(await storage.sweep([nowhere]), 0);
      await assert.rejects(entries(storage, nowhere), (error: Error) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.message, /^No such folder: .*nowhere$/);
        return true;
      });
      await assert.rejects(storage.open(nowhere), { code: 'ENOENT' });
    });

    test('a folder is no file', async (t) => {
      const place = await makePlace(t);
      await put(storage, joinPath(place, 'folder', 'a.csv'), 'a');
      const folder = joinPath(place, 'folder');
      assert.equal((await storage.look(folder))?.kind, 'folder');
      await assert.rejects(storage.open(folder), StorageError);
    });

    test('any range can be read, and only what there is', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a');
      await put(storage, path, '0123456789');
      const source = await storage.open(path);
      for (let start = 0; start <= 10; start++) {
        for (let length = 1; length <= 12 - start; length++) {
          const buffer = Buffer.alloc(length);
          const count = await source.read(buffer, start);
          assert.equal(buffer.toString('latin1', 0, count), '0123456789'.slice(start, start + length));
        }
      }
      await assert.rejects(collect(pieces(source, 0, 11, () => {})), StorageError);
      await source.close();
    });

    test('a line may be made durable later, and is when the log settles', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'log.jsonl');
      await storage.appendSoon(path, 'first');
      await storage.appendLine(path, 'second');
      assert.equal(await logText(storage, path), 'first\nsecond\n');
      await storage.appendSoon(path, 'third');
      await storage.settleLogs();
      await storage.settleLogs();
      assert.equal(await logText(storage, path), 'first\nsecond\nthird\n');
    });

    test('a note appears with its file, and goes with it', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a.csv');
      assert.equal(await storage.readNote(path), undefined);
      await put(storage, path, 'without');
      assert.equal(await storage.readNote(path), undefined);
      if (storage.maxNoteBytes === 0) return;
      const note = JSON.stringify({ text: '"\\ , ;=%'.padEnd(storage.maxNoteBytes - 20, 'x') });
      const file = storage.stage(path, { runId: newRunId() });
      file.write(Buffer.from('with'));
      file.flush();
      const version = await file.publish(note);
      assert.deepEqual(await storage.readNote(path), { note, version });
      await put(storage, path, 'without');
      assert.equal(await storage.readNote(path), undefined);
    });

    test('lines are appended whole and in order, also by several at a time', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'log.jsonl');
      await storage.appendLine(path, 'first');
      await storage.appendLine(path, 'second');
      assert.equal(await logText(storage, path), 'first\nsecond\n');
      await Promise.all(Array.from({ length: 20 }, (_, index) => storage.appendLine(path, `${index}`.repeat(100))));
      const lines = (await logText(storage, path)).split('\n').slice(2, -1);
      assert.deepEqual(lines.sort(), Array.from({ length: 20 }, (_, index) => `${index}`.repeat(100)).sort());
    });

    test('a run sweeps what it left itself when it has ended, and nothing of another that lives', async (t) => {
      const place = await makePlace(t);
      const [ended, living] = [newRunId(), newRunId()];
      assert.notEqual(ended, living);
      const stage = (runId: string) => storage.stage(joinPath(place, 'a.csv'), { runId });
      const [left, other] = [stage(ended), stage(living)];
      for (const file of [left, other]) file.write(Buffer.from('half'));
      assert.equal(await storage.sweep([place]), 0);
      assert.equal(await storage.sweep([place], ended), 1);
      other.flush();
      await other.publish();
      assert.equal(await read(storage, joinPath(place, 'a.csv')), 'half');
      left.discard();
    });

    test('a partial file is gone on with, by whoever asks next, and seen by nobody before it is published', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'sub', 'a.zip');
      const first = await storage.resume(path, newRunId());
      assert.ok(first);
      assert.deepEqual([first.sizeBytes, first.note], [0, undefined]);
      first.begin('of these');
      first.write(Buffer.from('01234'));
      assert.equal(await storage.resume(path, newRunId()), undefined, 'a live run is at it');
      first.keep();

      const second = await storage.resume(path, newRunId());
      assert.ok(second);
      assert.deepEqual([second.sizeBytes, second.note], [5, 'of these']);
      second.write(Buffer.from('567'));
      assert.equal(second.sizeBytes, 8);
      assert.equal(await read(openStorage(second.path), second.path), '01234567', 'its bytes can be read by its path');
      assert.match(second.path, /a\.zip$/);
      assert.equal(await storage.look(path), undefined);
      assert.deepEqual(await namesIn(joinPath(place, 'sub')), []);
      const version = await second.publish();
      assert.equal(await read(storage, path), '01234567');
      const entry = await storage.look(path);
      assert.ok(entry?.kind === 'file');
      assert.deepEqual(versionIn(entry), version);
      second.keep();
      second.discard();
      assert.equal(await read(storage, path), '01234567', 'what is published stays');
    });

    test('a partial file that begins anew has nothing of before; one that is discarded leaves nothing', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a.zip');
      const first = await storage.resume(path, newRunId());
      first?.begin('old');
      first?.write(Buffer.from('old bytes'));
      first?.begin('new');
      assert.deepEqual([first?.sizeBytes, first?.note], [0, 'new']);
      first?.write(Buffer.from('new'));
      first?.keep();
      const second = await storage.resume(path, newRunId());
      assert.deepEqual([second?.sizeBytes, second?.note], [3, 'new']);
      second?.discard();
      const third = await storage.resume(path, newRunId());
      assert.deepEqual([third?.sizeBytes, third?.note], [0, undefined]);
      third?.discard();
    });

    test('a partial file is swept when its file is there, and not before', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a.zip');
      const partial = await storage.resume(path, newRunId());
      partial?.begin('x');
      partial?.write(Buffer.from('half'));
      partial?.keep();
      assert.equal(await storage.sweep([place]), 0);
      await put(storage, path, '-');
      assert.equal(await storage.sweep([place]), 0, 'a damaged one, which it is to replace');
      await put(storage, path, 'whole');
      assert.equal(await storage.sweep([place]), 1);
      assert.equal(await storage.sweep([place]), 0);
      assert.equal(await read(storage, path), 'whole');
    });

    test('staged in a folder above its own, a file has none of its own until it is whole', async (t) => {
      const place = await makePlace(t);
      const stagingDir = joinPath(place, 'symbol=A');
      const [path, runId] = [joinPath(stagingDir, 'date=1', 'deep', 'a.csv'), newRunId()];
      for (const isFlushed of [false, true]) {
        const file = storage.stage(path, { runId, stagingDir });
        file.write(Buffer.from('a'));
        assert.deepEqual(await namesIn(stagingDir), []);
        if (isFlushed) file.flush();
        file.discard();
        assert.deepEqual(await namesIn(stagingDir), []);
      }
      const file = storage.stage(path, { runId, stagingDir });
      file.flush();
      // Another one of the same folder is given up meanwhile.
      const other = storage.stage(joinPath(stagingDir, 'date=1', 'deep', 'b.csv'), { runId, stagingDir });
      other.flush();
      other.discard();
      await file.publish();
      file.discard();
      assert.equal(await read(storage, path), '');
      assert.equal(await storage.sweep([stagingDir], runId), 0);
    });

    test('a file that is removed takes the folders with it that it leaves empty, those below the top', async (t) => {
      const place = await makePlace(t);
      const paths = ['a/b/1', 'a/b/2', 'a/3', 'c/d/4'].map((name) => joinPath(place, ...name.split('/')));
      for (const path of paths) await put(storage, path, '');
      const [first = '', second = '', third = '', fourth = ''] = paths;
      await storage.remove(first, place);
      assert.deepEqual(await names(storage, joinPath(place, 'a')), ['3', 'b/']);
      await storage.remove(second, place);
      assert.deepEqual(await names(storage, joinPath(place, 'a')), ['3']);
      await storage.remove(third, place);
      await storage.remove(fourth, joinPath(place, 'c'));
      assert.deepEqual(await namesIn(place), hasFolders ? ['c/'] : [], 'the top itself stays');
      if (hasFolders) await assert.rejects(storage.remove(first, place), { code: 'ENOENT' });
    });

    test('a staged file can be begun anew, and stays staged', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a.csv');
      const file = storage.stage(path, { runId: newRunId() });
      file.write(Buffer.from('much that is not to be seen'));
      file.restart();
      assert.equal((await storage.writersOf(path, { runId: newRunId() })).length, 1);
      file.write(Buffer.from('right'));
      file.write(Buffer.from(' and whole'));
      const { sizeBytes, sha256 } = file.flush();
      await file.publish();
      assert.equal(await read(storage, path), 'right and whole');
      assert.equal(sizeBytes, 15);
      assert.equal(sha256, createHash('sha256').update('right and whole').digest('hex'));
    });

    test('other runs that have a file staged are seen, until it is published or discarded', async (t) => {
      const place = await makePlace(t);
      const path = joinPath(place, 'a.csv');
      const [own, other, third] = ['1', '2', '3'].map((number) => number + newRunId()) as [string, string, string];
      const writers = async (file = path) =>
        (await storage.writersOf(file, { runId: own })).map(({ runId }) => runId).sort();
      assert.deepEqual(await writers(), []);
      const stage = (runId: string, file = path) => storage.stage(file, { runId });
      const [mine, theirs] = [stage(own), stage(other)];
      assert.deepEqual(await writers(), [other], 'the own run is no other');
      const [{ host, pid, sizeBytes } = { host: '', pid: 0, sizeBytes: -1 }] = await storage.writersOf(path, {
        runId: own,
      });
      assert.deepEqual({ pid, sizeBytes }, { pid: process.pid, sizeBytes: 0 });
      assert.notEqual(host, '');
      theirs.write(Buffer.from('half'));
      const thirds = stage(third);
      assert.deepEqual(await writers(), [other, third]);
      // Names that begin alike are names of other files.
      const alike = [joinPath(place, 'a.csv.gz'), joinPath(place, 'ba.csv'), joinPath(place, 'more', 'a.csv')];
      for (const file of alike) assert.deepEqual(await writers(file), [], file);
      const gz = stage(other, joinPath(place, 'a.csv.gz'));
      theirs.flush();
      await theirs.publish();
      thirds.discard();
      assert.deepEqual(await writers(), []);
      for (const file of [mine, gz]) file.discard();
    });

    test('in a folder for unfinished files, files of one name and several folders are told apart', async (t) => {
      const place = await makePlace(t);
      const tempDir = joinPath(place, 'temp');
      const [here, there] = ['here', 'there'].map((folder) => joinPath(place, folder, 'a.csv')) as [string, string];
      const [own, other] = [newRunId(), newRunId()];
      const staged = [here, there].map((file) => storage.stage(file, { runId: own, tempDir }));
      staged[0]?.discard();
      assert.deepEqual(await storage.writersOf(here, { runId: other, tempDir }), []);
      assert.equal((await storage.writersOf(there, { runId: other, tempDir })).length, 1);
      assert.deepEqual(await storage.writersOf(there, { runId: other }), [], 'staged elsewhere');
      staged[1]?.discard();
    });

    test('the room that is left is told, also of a folder that is not there yet', async (t) => {
      const place = await makePlace(t);
      for (const folder of [place, joinPath(place, 'not', 'there')]) {
        const freeBytes = await storage.freeBytes(folder);
        assert.ok(freeBytes === undefined || (Number.isInteger(freeBytes) && freeBytes >= 0), `${freeBytes}`);
      }
    });

    test('a folder is made where it has to be written to', async (t) => {
      const place = await makePlace(t);
      const folder = joinPath(place, 'new', 'folder');
      await storage.requireWritable(folder);
      await storage.requireWritable(folder);
      await put(storage, joinPath(folder, 'a'), 'a');
      assert.deepEqual(await names(storage, folder), ['a']);
    });
  });
}
