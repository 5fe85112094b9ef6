import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { tempDir } from './files.js';
import { freePort } from './free-port.js';

/** Why no queue can be tried here; `false`: it can. */
export const NO_REDIS =
  spawnSync('redis-server', ['--version']).status !== 0 &&
  'NOT TRIED: there is no redis-server here (apt-get install redis-server)';

/** A real Redis server of a test's own, which keeps what it acknowledges. */
export interface TestRedis {
  /** For `--queue`. */
  url: string;
  /** Of the authority that has signed its certificate, when it has one. */
  caFile: string;
  /** Ends it as a machine that loses power would, and starts it again with what is on its disk. */
  restart(): Promise<void>;
  /** Ends it as a machine that loses power would. */
  stop(): void;
  /** Runs a command of Redis, and returns its answer. */
  command(...words: string[]): string;
}

/** Starts a server that is gone when the test ends. */
export async function startRedis(
  t: TestContext,
  { password, isEncrypted = false }: { password?: string; isEncrypted?: boolean } = {},
): Promise<TestRedis> {
  const dir = tempDir(t);
  const port = await freePort();
  const options = ['--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
  if (password !== undefined) options.push('--requirepass', password);
  if (isEncrypted) options.push(...makeCertificate(dir), '--tls-port', String(port), '--port', '0');
  const start = () => launchRedis(dir, port, options);
  let server = await start();
  t.after(() => server.kill('SIGKILL'));
  return {
    url: `${isEncrypted ? 'rediss' : 'redis'}://127.0.0.1:${port}/0`,
    caFile: path.join(dir, 'ca.crt'),
    async restart() {
      server.kill('SIGKILL');
      await once(server, 'exit');
      await setTimeout(1000); // long enough for everybody to notice
      server = await start();
    },
    stop() {
      server.kill('SIGKILL');
    },
    command(...words) {
      const { stdout } = spawnSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' });
      return stdout.trimEnd();
    },
  };
}

/** Makes an authority in a folder, and a certificate of it for this machine. Returns the options of a server that has it. */
function makeCertificate(dir: string): string[] {
  const [key, certificate, ca] = [path.join(dir, 'server.key'), path.join(dir, 'server.crt'), path.join(dir, 'ca.crt')];
  const caKey = path.join(dir, 'ca.key');
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl(...make, '-keyout', caKey, '-out', ca, '-subj', '/CN=authority of a test');
  const signed = [
    '-CA',
    ca,
    '-CAkey',
    caKey,
    '-addext',
    'basicConstraints=CA:FALSE',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  openssl(...make, ...signed, '-keyout', key, '-out', certificate, '-subj', '/CN=127.0.0.1');
  const files = ['--tls-key-file', key, '--tls-cert-file', certificate, '--tls-ca-cert-file', ca];
  return [...files, '--tls-auth-clients', 'no'];
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
}

/** Starts a server with an append-only file in a folder, and waits until it answers. */
export async function launchRedis(dir: string, port: number, more: readonly string[] = []): Promise<ChildProcess> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes'];
  const server = spawn('redis-server', [...options, ...more], { stdio: 'ignore' });
  for (let look = 0; look < 500; look++) {
    if (await canConnect(port)) return server;
    await setTimeout(20);
  }
  server.kill();
  throw new Error('redis-server does not answer');
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy()).once('connect', () => socket.end());
  });
}
