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
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(
      `--queue takes no ${url.search}${url.hash}: the database stands after the host, redis://HOST:PORT/DATABASE`,
    );
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
    username: url.username === '' ? undefined : decodeUser(url.username),
    password,
    isEncrypted: url.protocol === 'rediss:',
  };
}

function decodeUser(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError(`--queue has a user that is not encoded as in a URL: write % as %25`);
  }
}

/** The address for people, without secrets. */
export function describeAddress({ host, port, db }: RedisAddress): string {
  return `${host}:${port}, database ${db}`;
}
