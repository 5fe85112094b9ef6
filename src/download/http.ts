/** The HTTP client: undici, with the manners that all requests of a run have in common. */
import process from 'node:process';
import { Agent, type Dispatcher, EnvHttpProxyAgent, interceptors } from 'undici';
import { VERSION } from '../base/version.js';

/** Some hosts refuse clients that do not say who they are, or say that they are a library. */
export const USER_AGENT = `bookgrid/${VERSION}`;

const MAX_REDIRECTIONS = 5;
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * Opens connections as needed, at most so many to a host, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY
 * name, and follows redirections.
 *
 * @param timeoutMs how long a request may go without a byte.
 */
export function openHttp({ connections, timeoutMs }: { connections: number; timeoutMs: number }): Dispatcher {
  const options = {
    connections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: Math.min(timeoutMs, CONNECT_TIMEOUT_MS) },
  };
  const agent = isProxied() ? openProxied(options) : new Agent(options);
  return agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTIONS }));
}

function isProxied(): boolean {
  return ['https_proxy', 'http_proxy'].some((name) => process.env[name] || process.env[name.toUpperCase()]);
}

/** Without undici's warning, on standard error, that the interface of this class may still change: the version is locked. */
function openProxied(options: Agent.Options): EnvHttpProxyAgent {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return new EnvHttpProxyAgent(options);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** What a failed request says of itself, and whether the host could not be reached at all. */
export function describeRequestError(error: unknown): { message: string; isUnreachable: boolean } {
  const { code = '', message, cause } = error as NodeJS.ErrnoException;
  const inner = cause as NodeJS.ErrnoException | undefined;
  // A proxy that refuses the tunnel has no code of its own.
  const isRefused = code === 'UND_ERR_ABORTED' && message.startsWith('Proxy response');
  const isUnreachable = isRefused || UNREACHABLE.includes(code) || UNREACHABLE.includes(inner?.code ?? '');
  return { message: inner?.message ? `${message}: ${inner.message}` : message || code, isUnreachable };
}

const UNREACHABLE = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_TLS',
];
