/** What becomes of requests that fail: made again where that helps, told in words where it does not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import zlib from 'node:zlib';
import * as sdk from '@aws-sdk/client-s3';
import { pieces } from '../../src/storage/pieces.js';
import { S3Error } from '../../src/storage/s3/error.js';
import { readRange } from '../../src/storage/s3/range.js';
import { s3Storage } from '../../src/storage/s3/storage.js';
import { newRunId } from '../../src/storage/staging.js';
import { StorageError } from '../../src/storage/storage.js';
import { collect } from '../support/collect.js';
import { type Asked, type Fault, type FaultyProxy, s3Error, startFaultyProxy } from '../support/faulty-proxy.js';
import {
  BUCKET,
  client,
  listUploads,
  NO_MOTO,
  putObject,
  readObjects,
  type S3Server,
  startMoto,
  talkTo,
} from '../support/s3-servers.js';

const MB = 1024 * 1024;

describe('requests to S3 that fail', { skip: NO_MOTO }, () => {
  let server: S3Server;
  let proxy: FaultyProxy;
  const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-s3-faults-'));
  before(async () => {
    process.env['TMPDIR'] = temp; // where the storage keeps what is on its way
    server = await startMoto();
    proxy = await startFaultyProxy(server.endpoint);
    talkTo(proxy);
  });
  beforeEach(() => {
    proxy.fault = () => undefined;
    proxy.asked.length = 0;
  });
  after(async () => {
    await proxy.close();
    await server.close();
    fs.rmSync(temp, { recursive: true });
  });

  const inBucket = (key: string) => `s3://${BUCKET}/${key}`;
  const isGet = ({ method, url }: Asked) => method === 'GET' && !url.includes('list-type');
  const first = (times: number, isMeant: (asked: Asked) => boolean, fault: Fault) => {
    let met = 0;
    return (asked: Asked) => (isMeant(asked) && met++ < times ? fault : undefined);
  };

  async function read(key: string): Promise<Buffer> {
    const source = await s3Storage.open(inBucket(key));
    try {
      const copies: Buffer[] = [];
      for await (const piece of pieces(source, 0, source.sizeBytes, () => {})) copies.push(Buffer.from(piece));
      return Buffer.concat(copies);
    } finally {
      await source.close();
    }
  }

  async function write(key: string, bytes: Buffer, runId = newRunId()): Promise<void> {
    const file = s3Storage.stage(inBucket(key), { runId });
    try {
      file.write(bytes);
      file.flush();
      await file.publish('{"note":1}');
    } finally {
      file.discard();
    }
  }

  /** Bytes that look alike nowhere. */
  function bytesOf(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0, state = 1; at < length; at++) {
      state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
      bytes[at] = state >> 16;
    }
    return bytes;
  }

  const readFaults: [string, Fault][] = [
    ['503', s3Error(503, 'SlowDown')],
    ['500', s3Error(500, 'InternalError')],
    ['a reset', { reset: true }],
    ['a body that breaks off', { cutAfterBytes: 700_000, followedBy: 'reset' }],
    ['a slow body', { pieceBytes: 50_000, pauseMs: 5 }],
  ];
  for (const [what, fault] of readFaults) {
    test(`reading goes on after ${what}, with the same bytes`, async () => {
      const bytes = bytesOf(5 * MB + 17);
      await putObject(server, 'read/archive', bytes);
      proxy.fault = first(4, isGet, fault);
      assert.ok(bytes.equals(await read('read/archive')));
    });
  }

  test('a body that comes to a halt is asked for again, from where it ended', async () => {
    const bytes = bytesOf(MB);
    await putObject(server, 'read/halts', bytes);
    const { version } = await versionOf('read/halts');
    proxy.fault = first(1, isGet, { cutAfterBytes: 300_000, followedBy: 'silence' });
    const buffer = Buffer.alloc(MB);
    const { signal } = new AbortController();
    await readRange({ bucket: BUCKET, key: 'read/halts' }, version, 0, buffer, { signal, silenceMs: 200 });
    assert.ok(bytes.equals(buffer));
    assert.match(String(proxy.asked.filter(isGet).at(-1)?.headers.range), /^bytes=300000-1048575$/);
  });

  async function versionOf(key: string) {
    const entry = await s3Storage.look(inBucket(key));
    assert.ok(entry?.kind === 'file');
    return { version: { sizeBytes: entry.sizeBytes, etag: entry.etag } };
  }

  test('an object that is replaced while it is read is an error, and not a mixture', async () => {
    await putObject(server, 'read/replaced', bytesOf(20 * MB));
    const source = await s3Storage.open(inBucket('read/replaced'));
    const buffer = Buffer.alloc(MB);
    await source.read(buffer, 0);
    await putObject(server, 'read/replaced', bytesOf(20 * MB + 1));
    const isReplaced = (error: Error) => {
      assert.ok(error instanceof S3Error, 'which is no fault of the object');
      assert.equal(error.fault, 'failed');
      assert.match(error.message, /read\/replaced.* was replaced while it was being read/);
      return true;
    };
    await assert.rejects(collect(pieces(source, 12 * MB, 20 * MB, () => {})), isReplaced);
    await source.close();
  });

  test('a server that does not know If-Match is seen through', async () => {
    await putObject(server, 'read/ignored', bytesOf(100));
    const source = await s3Storage.open(inBucket('read/ignored'));
    await putObject(server, 'read/ignored', bytesOf(101));
    proxy.fault = ({ headers }) => {
      delete headers['if-match'];
      return undefined;
    };
    await assert.rejects(source.read(Buffer.alloc(10), 0), /was replaced while it was being read/);
    await source.close();
  });

  test('an upload goes on after 503, resets and lost answers, and is whole', async () => {
    const bytes = bytesOf(20 * MB + 3);
    let count = 0;
    const faults = [s3Error(503, 'SlowDown'), { reset: true }, { loseAnswer: true }] as Fault[];
    proxy.fault = ({ method }) => (method === 'PUT' || method === 'POST' ? faults[count++ % 5] : undefined);
    await write('written/in-parts', bytes);
    const [object] = (await readObjects(server, 'written/in-parts')).values();
    assert.ok(bytes.equals(Buffer.from(object ?? '', 'latin1')));
    assert.deepEqual(await listUploads(server), [], 'also none of which only the answer was lost');
  });

  test('the answer to the last request of an upload may be lost', async () => {
    proxy.fault = first(1, ({ method, url }) => method === 'POST' && url.includes('uploadId'), { loseAnswer: true });
    await write('written/completed', bytesOf(9 * MB));
    assert.deepEqual(
      await s3Storage.readNote(inBucket('written/completed')).then((found) => found?.note),
      '{"note":1}',
    );
  });

  test('also on a server that knows no upload any more when it is asked again', async () => {
    const isComplete = ({ method, url }: Asked) => method === 'POST' && url.includes('uploadId');
    let count = 0;
    proxy.fault = (asked) => {
      if (!isComplete(asked)) return undefined;
      return count++ === 0 ? { loseAnswer: true } : s3Error(404, 'NoSuchUpload');
    };
    await write('written/completed-once', bytesOf(9 * MB));
    const [object] = (await readObjects(server, 'written/completed-once')).values();
    assert.ok(bytesOf(9 * MB).equals(Buffer.from(object ?? '', 'latin1')));
    assert.equal(count, 2);
  });

  test('an upload that somebody else ends is begun anew', async () => {
    proxy.fault = first(1, ({ url }) => url.includes('partNumber=2'), s3Error(404, 'NoSuchUpload'));
    await write('written/ended', bytesOf(17 * MB));
    const [object] = (await readObjects(server, 'written/ended')).values();
    assert.ok(bytesOf(17 * MB).equals(Buffer.from(object ?? '', 'latin1')));
    assert.deepEqual(await listUploads(server), []);
  });

  test('of uploads of one object only those are ended that this one has begun', async () => {
    const from = client(server);
    const place = { Bucket: BUCKET, Key: 'written/twice' };
    const { UploadId } = await from.send(new sdk.CreateMultipartUploadCommand(place));
    // moto tells the same time of all: here that one is older than what is tried now, since another machine is at it.
    const nowMs = Date.now();
    const withTimes = (body: string) =>
      body.replace(/<UploadId>(.*?)<\/UploadId>([\s\S]*?)<Initiated>.*?<\/Initiated>/g, (_, id, between) => {
        const begun = new Date(nowMs - (id === UploadId ? 60_000 : 0)).toISOString();
        return `<UploadId>${id}</UploadId>${between}<Initiated>${begun}</Initiated>`;
      });
    const isCreate = ({ method, url }: Asked) => method === 'POST' && !url.includes('uploadId');
    const lost = first(1, isCreate, { loseAnswer: true });
    proxy.fault = (asked) => {
      const isListing = asked.method === 'GET' && asked.url.includes('uploads');
      return isListing ? { rewrite: withTimes } : lost(asked);
    };
    await write('written/twice', bytesOf(9 * MB));
    assert.deepEqual(await listUploads(server), ['written/twice'], 'its twin is ended, and no other');
    await from.send(new sdk.AbortMultipartUploadCommand({ ...place, UploadId }));
  });

  test('what is damaged on its way is sent again: the server compares checksums', async () => {
    const damaged = new Set(['written/checked', 'partNumber=2']);
    proxy.fault = ({ method, url }) => {
      const which = [...damaged].find((part) => url.includes(part));
      if (method !== 'PUT' || which === undefined || !damaged.delete(which)) return undefined;
      return s3Error(400, 'BadDigest');
    };
    for (const [key, length] of [
      ['written/checked', 1000],
      ['written/checked-parts', 17 * MB],
    ] as const) {
      await write(key, bytesOf(length));
      const [object] = (await readObjects(server, key)).values();
      assert.ok(bytesOf(length).equals(Buffer.from(object ?? '', 'latin1')));
    }
    assert.equal(damaged.size, 0);
  });

  test('every body that is sent has its CRC-32 beside it', async () => {
    await write('written/small', bytesOf(1000));
    await write('written/large', bytesOf(17 * MB));
    await s3Storage.appendLine(inBucket('written/log.jsonl'), '{}');
    const sent = proxy.asked.filter(({ method }) => method === 'PUT');
    assert.equal(sent.length, 1 + 3 + 1);
    for (const { headers, body } of sent) {
      const expected = Buffer.alloc(4);
      expected.writeUInt32BE(zlib.crc32(body));
      assert.equal(headers['x-amz-checksum-crc32'], expected.toString('base64'));
    }
    const last = proxy.asked.find(({ method, url }) => method === 'POST' && url.includes('uploadId'));
    const whole = Buffer.alloc(4);
    whole.writeUInt32BE(zlib.crc32(bytesOf(17 * MB)));
    assert.equal(last?.headers['x-amz-checksum-crc32'], whole.toString('base64'), 'and the whole object its own');
  });

  test('an upload that fails leaves no object, no upload and no file', async () => {
    proxy.fault = ({ method, url }) =>
      method === 'PUT' && url.includes('partNumber=2') ? s3Error(403, 'AccessDenied') : undefined;
    await assert.rejects(write('failed/large', bytesOf(20 * MB)), /failed\/large: access denied/);
    proxy.fault = () => undefined;
    assert.equal(await s3Storage.look(inBucket('failed/large')), undefined);
    assert.deepEqual(await listUploads(server), []);
    assert.deepEqual(leftHere(), []);
  });

  test('an upload that could not be ended is, by the next run', async () => {
    const runId = newRunId();
    proxy.fault = ({ method, url }) =>
      method === 'DELETE' || url.includes('partNumber=2') ? s3Error(403, 'AccessDenied') : undefined;
    await assert.rejects(write('left/large', bytesOf(20 * MB), runId), /access denied/);
    assert.deepEqual(await listUploads(server), ['left/large']);
    proxy.fault = () => undefined;
    assert.equal(await s3Storage.sweep([inBucket('left')]), 0, 'its run may still go on');
    assert.equal(await s3Storage.sweep([inBucket('elsewhere')], runId), 0);
    assert.equal(await s3Storage.sweep([inBucket('left')], runId), 1);
    assert.deepEqual(await listUploads(server), []);
    assert.deepEqual(leftHere(), []);
  });

  test('what else bears the name of a note of an upload is neither waited for nor read', async () => {
    const names = ['.0123abcd.a.csv.x.upload', 'of-another-program.upload', '.0123abcd.b.csv.x.upload'];
    const [pipe = '', large = '', forged = ''] = names.map((name) => path.join(temp, name));
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    fs.writeFileSync(large, '');
    fs.truncateSync(large, 8e9); // more than a string may have
    fs.writeFileSync(forged, '');
    fs.truncateSync(forged, 8e9);
    try {
      assert.equal(await s3Storage.sweep([inBucket('sweep')]), 0);
    } finally {
      for (const file of [pipe, large, forged]) fs.rmSync(file);
    }
  });

  test('bytes of a download lie where this user alone can write', async () => {
    const partial = await s3Storage.resume(inBucket('private/a.zip'), newRunId());
    assert.ok(partial);
    const folder = path.dirname(path.dirname(partial.path));
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    partial.discard();
    assert.deepEqual(leftHere(), []);
    fs.mkdirSync(folder);
    fs.chmodSync(folder, 0o777);
    await assert.rejects(s3Storage.resume(inBucket('private/a.zip'), newRunId()), /not a folder of this user alone/);
    fs.rmdirSync(folder);
  });

  const leftHere = () => fs.readdirSync(temp);

  const REFUSALS: [string, Fault, RegExp, S3Error['fault']][] = [
    [
      'no such bucket',
      s3Error(404, 'NoSuchBucket'),
      /^No such bucket: archives-of-tests \(http:.*\)\. Check its name, and --s3-endpoint$/,
      'refused',
    ],
    [
      'no permission',
      s3Error(403, 'AccessDenied'),
      /refused\/a.*: access denied\. Give these credentials s3:ListBucket/,
      'refused',
    ],
    [
      'another region',
      s3Error(301, 'PermanentRedirect', '<Region>eu-west-1</Region>'),
      /is in the region eu-west-1: add --s3-region eu-west-1$/,
      'refused',
    ],
    [
      'another region, said by the signature',
      s3Error(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>'),
      /add --s3-region eu-west-1$/,
      'refused',
    ],
    [
      'a wrong key',
      s3Error(403, 'InvalidAccessKeyId', '<AWSAccessKeyId>S3RVER</AWSAccessKeyId>'),
      /does not accept the credentials \(InvalidAccessKeyId\)/,
      'refused',
    ],
    [
      'a wrong secret',
      s3Error(403, 'SignatureDoesNotMatch', '<AWSAccessKeyId>S3RVER</AWSAccessKeyId>'),
      /does not accept the credentials \(SignatureDoesNotMatch\)/,
      'refused',
    ],
    ['an expired token', s3Error(400, 'ExpiredToken'), /whether they have expired/, 'refused'],
    ['a wrong clock', s3Error(403, 'RequestTimeTooSkewed'), /clock of this machine/, 'refused'],
  ];
  for (const [what, fault, message, kind] of REFUSALS) {
    test(`${what} is told at once, in words`, async () => {
      proxy.fault = () => fault;
      await assert.rejects(
        s3Storage.look(inBucket('refused/a')).then(() => collect(s3Storage.list(inBucket('refused/a')))),
        (error: Error) => {
          assert.match(error.message, message);
          if (error instanceof S3Error) assert.equal(error.fault, kind);
          else assert.ok(error instanceof StorageError);
          assert.ok(!/S3RVER/.test(`${error.stack} ${JSON.stringify(error)}`), 'no credentials');
          return true;
        },
      );
      assert.ok(proxy.asked.length <= 2, 'what is refused is not asked for again and again');
    });
  }

  test('an answer to HEAD, which has no body, does not hide what is wrong', async () => {
    await putObject(server, 'refused/head', 'x');
    proxy.fault = ({ method }) => (method === 'HEAD' ? { answer: 400 } : s3Error(400, 'ExpiredToken'));
    await assert.rejects(s3Storage.open(inBucket('refused/head')), (error: S3Error) => {
      assert.match(error.message, /does not accept the credentials \(ExpiredToken\)/);
      assert.equal(error.fault, 'refused');
      return true;
    });
  });

  const LISTINGS: [string, string, RegExp][] = [
    ['that has more and does not say where', '<Name>b</Name><IsTruncated>true</IsTruncated>', /ends in the middle/],
    [
      'that has the same page again',
      '<Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken>',
      /does not go on/,
    ],
    [
      'with a name that is not encoded',
      '<Name>b</Name><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Contents><Key>l/100%</Key></Contents>',
      /not encoded as it says: l\/100%$/,
    ],
    ['that is none', '', /is none, but something else/],
  ];
  for (const [what, content, message] of LISTINGS) {
    test(`a listing ${what} is an error, and nothing is taken for missing`, async () => {
      proxy.fault = () => ({ answer: 200, body: `<ListBucketResult>${content}</ListBucketResult>` });
      await assert.rejects(collect(s3Storage.list(inBucket('l'))), message);
    });
  }

  test('an answer that is cut off is asked for again, and told in words', async () => {
    await putObject(server, 'cut/a', 'x');
    const cut: Fault = { answer: 200, body: '<ListBucketResult><Name>b</Na' };
    proxy.fault = first(1, () => true, cut);
    assert.equal((await collect(s3Storage.list(inBucket('cut')))).length, 1);
    proxy.fault = () => cut;
    await assert.rejects(
      collect(s3Storage.list(inBucket('cut'))),
      /an answer of status 200 to ListObjectsV2 that is cut off, or not one/,
    );
  });

  test('a secret of a profile is not told either, when the server repeats it', async (t) => {
    const credentials = path.join(temp, 'credentials');
    fs.writeFileSync(credentials, '[p]\naws_access_key_id=OFAPROFILE\naws_secret_access_key=hidden\n');
    const before = { ...process.env };
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
    Object.assign(process.env, { AWS_PROFILE: 'p', AWS_SHARED_CREDENTIALS_FILE: credentials });
    talkTo(proxy, { region: 'us-east-2' }); // another connection
    t.after(() => {
      for (const name of ['AWS_PROFILE', 'AWS_SHARED_CREDENTIALS_FILE']) delete process.env[name];
      Object.assign(process.env, before);
      talkTo(proxy);
    });
    proxy.fault = () => s3Error(400, 'InvalidRequest', '<Message>Credential=OFAPROFILE/1</Message>');
    await assert.rejects(collect(s3Storage.list(inBucket('a'))), (error: Error) => {
      assert.match(error.message, /ListObjectsV2 failed: InvalidRequest .*Credential=…\/1/);
      return true;
    });
    assert.match(String(proxy.asked[0]?.headers.authorization), /OFAPROFILE/);
  });

  test('nobody at the endpoint is told with the endpoint', async (t) => {
    const before = process.env['AWS_MAX_ATTEMPTS'];
    process.env['AWS_MAX_ATTEMPTS'] = '2';
    talkTo({ endpoint: 'http://127.0.0.1:1' });
    t.after(() => {
      if (before === undefined) delete process.env['AWS_MAX_ATTEMPTS'];
      talkTo(proxy);
    });
    await assert.rejects(s3Storage.look(inBucket('a')), (error: S3Error) => {
      assert.match(error.message, /http:\/\/127\.0\.0\.1:1 cannot be reached, or breaks off \(ECONNREFUSED\)/);
      assert.equal(error.fault, 'failed');
      return true;
    });
  });

  test('a server that asks to slow down for good is told so', async (t) => {
    process.env['AWS_MAX_ATTEMPTS'] = '2';
    talkTo(proxy, { region: 'us-east-2' }); // another connection
    t.after(() => {
      delete process.env['AWS_MAX_ATTEMPTS'];
      talkTo(proxy);
    });
    await putObject(server, 'read/throttled', bytesOf(20 * MB));
    const isThrottled = (error: S3Error) => {
      assert.match(error.message, /asks to slow down \(SlowDown\), also after 2 tries/);
      assert.equal(error.fault, 'throttled');
      return true;
    };
    proxy.fault = () => s3Error(503, 'SlowDown');
    await assert.rejects(s3Storage.look(inBucket('a')), isThrottled);
    proxy.asked.length = 0;
    proxy.fault = (asked) => (isGet(asked) ? s3Error(503, 'SlowDown') : undefined);
    const { signal } = new AbortController();
    const { version } = await versionOf('read/throttled');
    const place = { bucket: BUCKET, key: 'read/throttled' };
    await assert.rejects(readRange(place, version, 0, Buffer.alloc(MB), { signal }), isThrottled);
    assert.equal(proxy.asked.filter(isGet).length, 2, 'no more often than AWS_MAX_ATTEMPTS says');
  });
});
