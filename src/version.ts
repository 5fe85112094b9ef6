import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The version in package.json, two folders above this file once compiled. */
export const VERSION = (require('../../package.json') as { version: string }).version;
