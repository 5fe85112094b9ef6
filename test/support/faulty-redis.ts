/** Stands before a Redis server, and does to commands what networks and full servers do. */
import { once } from 'node:events';
import net from 'node:net';

/** What becomes of a command. */
export type RedisFault =
  /** Its connection ends, and the server does not hear of it. */
  | 'command lost'
  /** The server carries it out, and its connection ends before the answer. */
  | 'answer lost'
  /** It is refused, as a server whose memory is full refuses to write. */
  | 'refused';

export interface FaultyRedis {
  port: number;
  /** Decides for each command, of any connection; nothing: it passes. */
  fault: (isWrite: boolean) => RedisFault | undefined;
  close(): Promise<void>;
}

/** How Redis words it. */
export const REFUSAL = "OOM command not allowed when used memory > 'maxmemory'";

export async function startFaultyRedis(upstreamPort: number): Promise<FaultyRedis> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => pass(client));
  const proxy: FaultyRedis = { port: 0, fault: () => undefined, close };

  function pass(client: net.Socket): void {
    const upstream = net.connect(upstreamPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', () => {}); // what a fault has cut
      socket.once('close', () => sockets.delete(socket));
    }
    let isCut = false;
    let received: Buffer = Buffer.alloc(0);
    client.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let length = commandLength(received); length > 0 && !isCut; length = commandLength(received)) {
        const command = received.subarray(0, length);
        received = received.subarray(length);
        const fault = proxy.fault(WRITES.test(command.toString('latin1', 0, 40)));
        if (fault === undefined) upstream.write(command);
        else if (fault === 'refused') upstream.write(REFUSED);
        else {
          isCut = true;
          if (fault === 'answer lost') upstream.write(command);
          // The server does all that it has been told before it hears of the end; until then nobody else is answered.
          upstream.end().once('close', () => client.resetAndDestroy());
          upstream.resume();
        }
      }
    });
    upstream.on('data', (chunk) => isCut || client.write(chunk));
    client.once('close', () => upstream.end());
    upstream.once('close', () => isCut || client.destroy());
  }

  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.port = (server.address() as net.AddressInfo).port;
  return proxy;
}

/** The commands of those that are sent here which may write. */
const WRITES = /^\*\d+\r\n\$\d+\r\n(set|sadd|hset|eval|evalsha)\r\n/i;

/** What is sent in place of a refused command: the server itself answers by an error, when its turn is. */
const REFUSED = toCommand('EVAL', `return redis.error_reply("${REFUSAL}")`, '0');

function toCommand(...words: string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

/** The bytes of the first command: an array of strings (RESP2); 0: it has not come whole. */
function commandLength(bytes: Buffer): number {
  let at = 0;
  const numberAfter = (mark: string): number | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const text = bytes.toString('latin1', at, end);
    if (!text.startsWith(mark)) throw new Error(`this is no command of Redis: ${text}`);
    at = end + 2;
    return Number(text.slice(1));
  };
  const words = numberAfter('*');
  if (words === undefined) return 0;
  for (let word = 0; word < words; word++) {
    const length = numberAfter('$');
    if (length === undefined) return 0;
    at += length + 2;
  }
  return at <= bytes.length ? at : 0;
}
