/** Where S3 is. The rest (credentials, profiles, the region of an account) the AWS SDK finds as all programs with it do. */
import { UsageError } from '../../base/usage-error.js';

/** Plain JSON without secrets, so that a job can carry it to another machine. */
export interface S3Settings {
  /** Of a server that is not Amazon's: `http://127.0.0.1:9000`. Default: what the SDK finds (`AWS_ENDPOINT_URL_S3`). */
  endpoint?: string | undefined;
  /** Of the bucket. Default: what the SDK finds (`AWS_REGION`, the profile). */
  region?: string | undefined;
  /** Names the bucket in the path, not in the host: for servers that have no host name a bucket. */
  pathStyle?: boolean | undefined;
}

let current: S3Settings = {};

/** The settings in force, without what is not set. */
export function s3Settings(): S3Settings {
  return current;
}

/**
 * Says where S3 is, for all `s3://` paths of this thread from now on.
 *
 * @throws {@link UsageError} when the endpoint is no URL, or holds what is not to be in one, such as a password, and for an
 * empty region.
 */
export function useS3({ endpoint, region, pathStyle }: S3Settings): void {
  if (endpoint !== undefined) requireEndpoint(endpoint);
  if (region === '') throw new UsageError('The region of S3 is empty: name one, or leave it out');
  const settings = {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle && { pathStyle }),
  };
  // Each job says it again, and what is the same keeps its connections.
  if (JSON.stringify(settings) !== JSON.stringify(current)) current = settings;
}

function requireEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.username || url?.password) {
    throw new UsageError(
      'The endpoint of S3 must not hold a user name or password, which would get into job descriptions. Give credentials ' +
        'as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a profile.',
    );
  }
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`${endpoint} is no endpoint of S3; expected a URL such as https://s3.example.com`);
  }
}
