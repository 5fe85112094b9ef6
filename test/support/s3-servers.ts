/** Servers that speak the protocol of S3, on this machine. None of them is ours. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as sdk from '@aws-sdk/client-s3';
import { type S3Settings, useS3 } from '../../src/storage/s3/settings.js';
import { freePort } from './free-port.js';

// The SDK would warn on every start of a test that its versions of 2027 need a later Node.js.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

export interface S3Server {
  endpoint: string;
  /** Of its process. */
  pid: number;
  close(): Promise<void>;
}

export const BUCKET = 'archives-of-tests';

/** The only key that s3rver knows. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

/** Settings and environment for programs that talk to a server. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ...CREDENTIALS, AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };
}

/** What the command line is told. */
export function flagsFor({ endpoint }: Pick<S3Server, 'endpoint'>): string[] {
  return ['--s3-endpoint', endpoint, '--s3-path-style'];
}

/** Lets the storage of this process talk to a server. */
export function talkTo({ endpoint }: Pick<S3Server, 'endpoint'>, more: S3Settings = {}): void {
  Object.assign(process.env, environment());
  useS3({ endpoint, pathStyle: true, ...more });
}

/**
 * s3rver streams objects from files. It does not compare checksums, does not know If-Match, cannot end or list uploads in
 * parts, and does not list folders in which there are only folders. Listings of several pages need ciphers of old.
 */
export async function startS3rver(): Promise<S3Server> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-s3rver-'));
  const program = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
  const port = await freePort();
  const where = ['--directory', directory, '--address', '127.0.0.1', '--port', String(port), '--silent'];
  const options = ['--openssl-legacy-provider', '--no-warnings', program, ...where, '--configure-bucket', BUCKET];
  return startServer(process.execPath, options, port, () => fs.rmSync(directory, { recursive: true, force: true }));
}

const MOTO = 'import sys; from moto.server import main; main(sys.argv[1:])';

/** Why moto cannot be asked; `false`: it can. */
export const NO_MOTO =
  spawnSync('python3', ['-c', 'import moto.server']).status !== 0 &&
  'NOT CHECKED: moto is not here, a server in Python that knows If-Match and uploads: pip install moto[server]';

/** moto keeps objects in memory, and knows If-Match and the ending and listing of uploads. It does not compare checksums. */
export async function startMoto(): Promise<S3Server> {
  const port = await freePort();
  const server = await startServer('python3', ['-c', MOTO, '-H', '127.0.0.1', '-p', String(port)], port);
  await client(server).send(new sdk.CreateBucketCommand({ Bucket: BUCKET }));
  return server;
}

async function startServer(program: string, args: string[], port: number, after = () => {}): Promise<S3Server> {
  const child = spawn(program, args, { stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(endpoint, child);
  return {
    endpoint,
    pid: child.pid ?? 0,
    async close() {
      process.off('exit', kill);
      kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      after();
    },
  };
}

/** A client of the tests' own, to see what is there by another way than the program's. */
export function client({ endpoint }: Pick<S3Server, 'endpoint'>): sdk.S3Client {
  const credentials = {
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
  };
  return new sdk.S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
}

/** All keys below a prefix, and their bytes as text of one character a byte. */
export async function readObjects(server: Pick<S3Server, 'endpoint'>, prefix = ''): Promise<Map<string, string>> {
  const from = client(server);
  const objects = new Map<string, string>();
  for (const key of await listKeys(server, prefix)) {
    const { Body } = await from.send(new sdk.GetObjectCommand({ Bucket: BUCKET, Key: key }));
    objects.set(key, Buffer.from((await Body?.transformToByteArray()) ?? []).toString('latin1'));
  }
  return objects;
}

export async function listKeys(server: Pick<S3Server, 'endpoint'>, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of sdk.paginateListObjectsV2({ client: client(server) }, { Bucket: BUCKET, Prefix: prefix })) {
    for (const { Key = '' } of page.Contents ?? []) keys.push(Key);
  }
  return keys.sort();
}

export async function putObject(
  server: Pick<S3Server, 'endpoint'>,
  key: string,
  bytes: string | Buffer,
): Promise<void> {
  await client(server).send(new sdk.PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes }));
}

/** Uploads all files of a folder. */
export async function putFolder(server: Pick<S3Server, 'endpoint'>, folder: string, prefix: string): Promise<void> {
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name);
    if (fs.statSync(file).isFile()) await putObject(server, `${prefix}/${name}`, fs.readFileSync(file));
  }
}

/** Uploads in parts that have not ended. */
export async function listUploads(server: Pick<S3Server, 'endpoint'>): Promise<string[]> {
  const { Uploads = [] } = await client(server).send(new sdk.ListMultipartUploadsCommand({ Bucket: BUCKET }));
  return Uploads.map(({ Key = '' }) => Key);
}

async function answering(endpoint: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await fetch(endpoint);
      return;
    } catch (error) {
      if (attempt > 600 || child.exitCode !== null) throw new Error(`no server at ${endpoint}`, { cause: error });
      await setTimeout(100);
    }
  }
}
