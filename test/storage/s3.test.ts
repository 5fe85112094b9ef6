import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { s3Storage } from '../../src/storage/s3/storage.js';
import { BUCKET, NO_MOTO, type S3Server, startMoto, startS3rver, talkTo } from '../support/s3-servers.js';
import { testStorage } from './conformance.js';

const makePlace = async () => `s3://${BUCKET}/with space and ümlaut/${randomUUID()}`;

describe('s3rver', () => {
  let server: S3Server;
  before(async () => {
    server = await startS3rver();
    talkTo(server);
  });
  after(() => server.close());
  testStorage('a bucket of s3rver', s3Storage, makePlace, { hasFolders: false });
});

describe('moto', { skip: NO_MOTO }, () => {
  let server: S3Server;
  before(async () => {
    server = await startMoto();
    talkTo(server);
  });
  after(() => server.close());
  testStorage('a bucket of moto', s3Storage, makePlace, { hasFolders: false });
});
