/**
 * A server that lists a bucket of as many objects as are wanted, without having them: names, sizes and ETags are computed
 * when they are asked for. It answers ListObjectsV2 and reads records, and nothing else. Servers that hold objects need
 * hours to be given a million.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { BUCKET, type S3Server } from './s3-servers.js';

const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2020, 0, 1);
const PAGE_KEYS = 1000;
const SOURCE_BYTES = 60_000_000;
const OUTPUT_BYTES = 12_000_000;

/** What is in the bucket: an archive of each day of each symbol, as `source/linear/0200/PAIR0000USDT/…`. */
export interface ListedBucket extends Omit<S3Server, 'pid'> {
  /** Requests that were answered. */
  requests: number;
  source: string;
  /** Where each archive has an output with a record. */
  made: string;
}

interface Listed {
  key: string;
  sizeBytes: number;
}

/** Folders by their paths, and what is in them: names of folders end with `/`. */
type Tree = (folder: string) => string[] | undefined;

export async function startListedBucket(symbols: number, days: number): Promise<ListedBucket> {
  const pairs = Array.from({ length: symbols }, (_, index) => `PAIR${String(index).padStart(4, '0')}USDT`);
  const dates = Array.from({ length: days }, (_, index) =>
    new Date(FIRST_DAY_MS + index * DAY_MS).toISOString().slice(0, 10),
  );
  const recordsBytes = recordsOf(pairs[0] ?? '', dates).length;
  const tree: Tree = (folder) => {
    if (folder === '') return ['made/', 'source/'];
    if (folder === 'source/') return ['linear/'];
    if (folder === 'made/') return ['conversions.jsonl/', 'linear/'];
    if (folder === 'made/conversions.jsonl/') return pairs.map((pair) => `${pair}.jsonl`);
    const [, top, pair] = /^(source|made)\/linear\/(?:0200\/(?:(\w+)\/)?)?$/.exec(folder) ?? [];
    if (top === undefined) return undefined;
    if (folder.endsWith('/linear/')) return ['0200/'];
    if (pair === undefined) return pairs.map((name) => `${name}/`);
    const ending = top === 'source' ? '.data.zip' : '_1m.csv';
    return pairs.includes(pair) ? dates.map((date) => `${date}_${pair}_ob200${ending}`) : undefined;
  };
  const sizeOf = (key: string) => {
    if (key.includes('.jsonl')) return recordsBytes;
    return key.startsWith('source/') ? SOURCE_BYTES : OUTPUT_BYTES;
  };

  /** What begins with a prefix; with `delimiter` what is directly in that folder. */
  function* matching(prefix: string, isDelimited: boolean): Generator<Listed | { folder: string }> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for (const name of tree(folder) ?? []) {
      const key = folder + name;
      if (!key.startsWith(prefix)) continue;
      if (!name.endsWith('/')) yield { key, sizeBytes: sizeOf(key) };
      else if (isDelimited) yield { folder: key };
      else yield* matching(key, false);
    }
  }

  const bucket = { requests: 0, source: `s3://${BUCKET}/source`, made: `s3://${BUCKET}/made` };
  const server = http.createServer((request, response) => {
    bucket.requests++;
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const key = decodeURIComponent(pathname).slice(BUCKET.length + 2);
    if (request.method === 'GET' && key === '' && searchParams.get('list-type') === '2') {
      const found = [...matching(searchParams.get('prefix') ?? '', searchParams.get('delimiter') === '/')];
      const start = Number(searchParams.get('continuation-token') ?? 0);
      const end = start + Math.min(Number(searchParams.get('max-keys') ?? PAGE_KEYS), PAGE_KEYS);
      response.setHeader('content-type', 'application/xml').end(describePage(found, start, end));
      return;
    }
    const pair = /^made\/conversions\.jsonl\/(\w+)\.jsonl$/.exec(key)?.[1];
    if (request.method !== 'GET' || pair === undefined) {
      response.writeHead(501).end();
      return;
    }
    const [, from = 0, to = recordsBytes - 1] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const body = Buffer.from(recordsOf(pair, dates)).subarray(Number(from), Number(to) + 1);
    response.writeHead(206, { etag: `"${etagOf(key)}"`, 'content-length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return Object.assign(bucket, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function describePage(all: (Listed | { folder: string })[], start: number, end: number): string {
  const page = all.slice(start, end).map((found) => {
    if ('folder' in found) return `<CommonPrefixes><Prefix>${found.folder}</Prefix></CommonPrefixes>`;
    const { key, sizeBytes } = found;
    return (
      `<Contents><Key>${key}</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified>` +
      `<ETag>&quot;${etagOf(key)}&quot;</ETag><Size>${sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`
    );
  });
  const isTruncated = end < all.length;
  const next = isTruncated ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
  return (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${next}${page.join('')}</ListBucketResult>`
  );
}

function etagOf(key: string): string {
  return createHash('md5').update(key).digest('hex');
}

/** Of each day of a symbol, a line; each symbol has as many bytes. */
function recordsOf(pair: string, dates: string[]): string {
  const lines = dates.map((date) => {
    const source = `source/linear/0200/${pair}/${date}_${pair}_ob200.data.zip`;
    const place = `linear/0200/${pair}/${date}_${pair}_ob200_1m.csv`;
    const shape = {
      ...{
        interval: '1m',
        onGap: 'fill',
        onBadLine: 'fail',
        compat: 'none',
        quality: false,
        formattedTimestamp: false,
      },
      partition: 'none',
    };
    const output = { kind: 'book', depth: 200, format: 'csv', market: 'linear', path: place, shape, formatVersion: 1 };
    return JSON.stringify({
      ...{ archive: `s3://${BUCKET}/${source}`, archiveBytes: SOURCE_BYTES, archiveEtag: etagOf(source) },
      ...{ pair, date, sourceDepth: 200, status: 'done' },
      outputs: [
        { ...output, etag: etagOf(`made/${place}`), sha256: `${etagOf(place)}${etagOf(source)}`, bytes: OUTPUT_BYTES },
      ],
      ...{ rows: 1440, filledRows: 0, suspectRows: 0, badLines: 0, updateIdBreaks: 0, messages: 864_000 },
      ...{ market: 'linear', messageForm: 'contract', seconds: 3.5, version: '0.1.0' },
      finishedAt: '2025-01-01T00:00:00.000Z',
    });
  });
  return `${lines.join('\n')}\n`;
}
