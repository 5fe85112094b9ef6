/** Where a Redis or Valkey server is, as `redis://host:6379/0`. */
import { UsageError } from '../../base/usage-error.js';

/** What a client needs to connect. Holds a password: it is never printed. */
export interface RedisAddress {
  host: string;
  port: number;
  db: number;
  username: string | undefined;
  password: string | undefined;
  /** `rediss://`: the connection is encrypted, and the server's certificate checked. */
  isEncrypted: boolean;
}

export const PASSWORD_VARIABLE = 'BOOKGRID_REDIS_PASSWORD';

/**
 * Reads an address.
 *
 * @param password of the environment, so that it stands in no command line that others of the machine can see.
 * @throws {@link UsageError} that says what would be right.
 */
export function parseRedisAddress(text: string, password: string | undefined): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const database = url?.pathname.replace(/^\//, '') || '0';
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '' || !/^\d{1,5}$/.test(database)) {
    throw new UsageError(`--queue takes redis://HOST:PORT/DATABASE or rediss://…, such as redis://10.0.0.5/0`);
  }
  if (url.password !== '') {
    throw new UsageError(
      `--queue must not hold a password, since command lines can be seen by all: set ${PASSWORD_VARIABLE} instead`,
    );
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'), // of an IPv6 address
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(database),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password,
    isEncrypted: url.protocol === 'rediss:',
  };
}

/** The address for people, without secrets. */
export function describeAddress({ host, port, db }: RedisAddress): string {
  return `${host}:${port}, database ${db}`;
}
