import { formatS3Path, type S3Place } from './path.js';
import { s3Settings } from './settings.js';

/**
 * Whether it helps to ask again: later and slower of `throttled`, perhaps of `failed` (the network, the server); a
 * request that is `refused` (no such bucket, no permission, another region) will be refused again.
 */
export type S3Fault = 'throttled' | 'failed' | 'refused';

/**
 * A request to S3 that failed, after all retries. It looks as an error of the system does: `code`, `syscall` (the
 * request) and `path`. The message names bucket and key and says what to do; credentials are not in it.
 */
export class S3Error extends Error {
  override name = 'S3Error';
  readonly fault: S3Fault;
  readonly code: string;
  readonly syscall: string;
  readonly path: string;

  constructor(message: string, { fault, code, syscall, path }: Pick<S3Error, 'fault' | 'code' | 'syscall' | 'path'>) {
    super(message);
    this.fault = fault;
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }

  /** No answer came: to ask otherwise does not help. */
  get isUnreachable(): boolean {
    return UNREACHABLE.test(this.code);
  }
}

/** What the SDK throws, as far as it is looked at here. */
interface SdkError {
  name?: string;
  code?: string;
  Code?: string;
  message?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number; attempts?: number };
  $response?: { statusCode?: number; headers?: Record<string, string> };
}

/** The permission that a request needs, where it is not named like it. */
const PERMISSIONS: Record<string, string> = {
  HeadObject: 's3:GetObject',
  ListObjectsV2: 's3:ListBucket',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
};

const THROTTLED = ['SlowDown', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequests'];
const WRONG_REGION = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'];
const NOT_ACCEPTED = [
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
];
const UNREACHABLE = /^(E[A-Z]+|TimeoutError)$/;

/** Of what went wrong on the way: the same request may well succeed. The SDK does not repeat these. */
const OF_THE_WAY = ['BadDigest', 'XAmzContentChecksumMismatch', 'OperationAborted', 'ConditionalRequestConflict'];

/** Whether to make a request again that the SDK has given up: it was damaged on the way, or its answer was. */
export function isOfTheWay(error: unknown): boolean {
  const { code, status } = codeOf(error);
  return OF_THE_WAY.includes(code) || status === 200;
}

/** An answer that the SDK could not make anything of: it is cut off, or of something before the server. */
function isUnreadable(error: unknown): boolean {
  return codeOf(error).status === 200 || /Deserialization error/.test((error as Error | undefined)?.message ?? '');
}

/** Whether the server has answered at all: then the credentials were found. */
export function hasAnswer(error: unknown): boolean {
  return codeOf(error).status !== undefined;
}

function codeOf(error: unknown): { code: string; status: number | undefined } {
  const { name = '', code, Code, $metadata, $response } = (error ?? {}) as SdkError;
  return { code: Code ?? code ?? name, status: $metadata?.httpStatusCode ?? $response?.statusCode };
}

/**
 * Says in words what came of a request. Only words of ours, and the server's code, where the code is known.
 *
 * @param secrets what must not be in it: a server may repeat what it was sent; `undefined`: not known, so nothing of the
 * server's words is told.
 */
export function describeS3Error(
  error: unknown,
  request: string,
  place: S3Place,
  secrets: readonly string[] | undefined,
): S3Error {
  if (error instanceof S3Error) return error;
  const { name = '', $metadata, $response, Region } = (error ?? {}) as SdkError;
  const { attempts = 1 } = $metadata ?? {};
  const { code, status } = codeOf(error);
  const path = formatS3Path(place);
  const {
    endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'],
    region,
    pathStyle,
  } = s3Settings();
  const server = endpoint ?? 'Amazon S3';
  const tell = (fault: S3Fault, message: string, as = code) =>
    new S3Error(message, { fault, code: as || 'Unknown', syscall: request, path });
  const is = (codes: readonly string[]) => codes.includes(code);

  if (code === 'NoSuchBucket') {
    return tell('refused', `No such bucket: ${place.bucket} (${server}). Check its name, and --s3-endpoint`);
  }
  if (WRONG_REGION.includes(code) || status === 301) {
    const right = Region ?? $response?.headers?.['x-amz-bucket-region'];
    const asked = region ? `, and ${region} was asked` : '';
    return right
      ? tell('refused', `The bucket ${place.bucket} is in the region ${right}${asked}: add --s3-region ${right}`)
      : tell('refused', `The bucket ${place.bucket} is in another region${asked}: say which with --s3-region`);
  }
  if (name === 'CredentialsProviderError') {
    return tell(
      'refused',
      `${path}: no credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the ` +
        'machine a role',
    );
  }
  if (is(NOT_ACCEPTED)) {
    return tell(
      'refused',
      `${path}: ${server} does not accept the credentials (${code}). Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ` +
        'or AWS_PROFILE, and whether they have expired',
    );
  }
  if (code === 'RequestTimeTooSkewed') {
    return tell('refused', `${path}: the clock of this machine is more than 15 minutes off (${code}). Set it`);
  }
  if (code === 'InvalidObjectState') {
    return tell('refused', `${path}: it is in an archive storage class (${code}). Restore it, then run again`);
  }
  if (status === 403 || code === 'AccessDenied') {
    const permission = PERMISSIONS[request] ?? `s3:${request}`;
    return tell('refused', `${path}: access denied. Give these credentials ${permission} (docs/scale.md has all)`);
  }
  if (code === 'NoSuchUpload') {
    return tell('failed', `${path}: its upload was ended by somebody else before it was whole. Run again`);
  }
  if (code === 'NotImplemented' || status === 501) {
    return tell(
      'refused',
      `${path}: ${server} does not know ${request} as it is asked for (${code}). A later version of it, or another, is needed`,
    );
  }
  if (code === 'NoSuchKey' || code === 'NotFound' || status === 404) {
    return tell('refused', `No such object: ${path}`, 'ENOENT');
  }
  // An upload that could not be completed is told by the body of an answer, of which the SDK makes a 503.
  if (is(THROTTLED) || status === 429 || (status === 503 && code !== 'InternalError')) {
    return tell(
      'throttled',
      `${path}: ${server} asks to slow down (${code}), also after ${attempts} tries. Run again with fewer --workers`,
    );
  }
  if (UNREACHABLE.test(code)) {
    // Unless told otherwise, the SDK asks a host of the bucket's name: `my-bucket.localhost`.
    const style = code === 'ENOTFOUND' && endpoint !== undefined && !pathStyle ? ', or add --s3-path-style' : '';
    return tell(
      'failed',
      `${path}: ${server} cannot be reached, or breaks off (${code}). Check --s3-endpoint and network${style}`,
    );
  }
  if (isUnreadable(error)) {
    const answer = `an answer of status ${status ?? 'unknown'} to ${request}`;
    return tell('failed', `${path}: ${server} gave ${answer} that is cut off, or not one of S3`);
  }
  const text = secrets === undefined ? '' : ` ${withoutSecrets(String((error as Error)?.message ?? ''), secrets)}`;
  return tell('failed', `${path}: ${request} failed: ${code}${text}`);
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  return hidden.replace(/\b(AKIA|ASIA)[A-Z0-9]{12,}/g, '…').slice(0, 300);
}
