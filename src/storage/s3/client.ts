import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { StorageError } from '../storage.js';
import { describeS3Error, hasAnswer, isOfTheWay } from './error.js';
import type { S3Place } from './path.js';
import { receivingHandler } from './receiver.js';
import { type S3Settings, s3Settings } from './settings.js';

type Sdk = typeof import('@aws-sdk/client-s3');
type Client = InstanceType<Sdk['S3Client']>;

/** What requests are made with. */
export interface S3Connection {
  sdk: Sdk;
  client: Client;
  /** One whose requests are for ranges that are received in another thread, see {@link Reception}. */
  receiving: () => Client;
}

const require = createRequire(import.meta.url);

/** Waits of up to some 50 s in all, ever longer: a server that is started anew is back by then. */
const ATTEMPTS = 10;
/** Of a request that was damaged on the way, or its answer. */
const ATTEMPTS_OF_THE_WAY = 3;
const PAUSE_MS = 100;
const CONNECT_LIMIT_MS = 10_000;
/** Nothing at all is heard for so long. */
const SILENCE_LIMIT_MS = 60_000;

let connected: { settings: S3Settings; connection: Promise<S3Connection> } | undefined;

/**
 * Makes a request. The SDK signs it, and makes it again when it is worth it.
 *
 * @param name of the operation, for messages.
 * @throws {@link S3Error}.
 */
export async function request<Answer>(
  name: string,
  place: S3Place,
  make: (connection: S3Connection) => Promise<Answer>,
): Promise<Answer> {
  const connection = await connect();
  for (let attempt = 1; ; attempt++) {
    try {
      return await make(connection);
    } catch (error) {
      if (attempt === ATTEMPTS_OF_THE_WAY || !isOfTheWay(error)) {
        throw describeS3Error(error, name, place, hasAnswer(error) ? await secretsOf(connection) : []);
      }
      await setTimeout(Math.random() * PAUSE_MS * 2 ** attempt);
    }
  }
}

/** What the credentials in use are, wherever they were found; `undefined`: they cannot be had again. */
async function secretsOf({ client }: S3Connection): Promise<string[] | undefined> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
    return [accessKeyId, secretAccessKey, sessionToken].filter((secret) => secret !== undefined);
  } catch {
    return undefined;
  }
}

/** One connection a thread, until the settings change. The SDK is loaded with the first. */
function connect(): Promise<S3Connection> {
  const settings = s3Settings();
  if (connected?.settings !== settings) connected = { settings, connection: open(settings) };
  return connected.connection;
}

async function open({ endpoint, region, pathStyle }: S3Settings): Promise<S3Connection> {
  // It would warn on every start that versions of 2027 need a later Node.js. Which version there is, is npm's concern.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const sdk = loadSdk();
  const config = {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle && { forcePathStyle: true }),
    ...(process.env['AWS_MAX_ATTEMPTS'] === undefined && { maxAttempts: ATTEMPTS }),
    requestHandler: { connectionTimeout: CONNECT_LIMIT_MS, socketTimeout: SILENCE_LIMIT_MS },
  };
  const client = new sdk.S3Client(config);
  try {
    await client.config.region();
    return connection(sdk, config, client);
  } catch {
    // Most servers that are not Amazon's have no regions, and take the name of Amazon's first one.
    if (endpoint !== undefined) return connection(sdk, { ...config, region: 'us-east-1' });
    throw new StorageError('For s3:// paths the region has to be known: set AWS_REGION, or add --s3-region');
  }
}

function connection(sdk: Sdk, config: S3ClientConfig, client = new sdk.S3Client(config)): S3Connection {
  let receiving: Client | undefined;
  return {
    sdk,
    client,
    receiving() {
      receiving ??= new sdk.S3Client({
        ...config,
        credentials: client.config.credentials,
        requestHandler: receivingHandler(CONNECT_LIMIT_MS),
        // The SDK sees none of the bytes. An archive has a CRC-32 of its own, and the server has none of a range.
        responseChecksumValidation: 'WHEN_REQUIRED',
      });
      return receiving;
    },
  };
}

/** Not `import`: that searches the text of this large CommonJS package for its exports first. */
function loadSdk(): Sdk {
  try {
    return require('@aws-sdk/client-s3') as Sdk;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new StorageError(
      'For s3:// paths the AWS SDK is needed, which is installed with: npm install @aws-sdk/client-s3',
    );
  }
}
