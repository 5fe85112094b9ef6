/**
 * Where archives are published, beside what is (catalog/coverage.ts): addresses and manners, once. The addresses are those
 * of the links on https://www.bybit.com/data-download; neither they nor the list service are documented.
 */
import type { ArchiveName } from '../catalog/archive-name.js';
import type { MarketName } from '../catalog/market.js';

/** The files lie below this address, as `/orderbook/{market}/{symbol}/{name}`, beside HTML listings of the folders. */
export const BASE_URL = 'https://quote-saver.bycsi.com';

/** What the download page asks for names, sizes and links. It is also at https://api2.bybit.com, without `/x-api`. */
export const LIST_URL = 'https://www.bybit.com/x-api/quote/public/support/download/list-files';

/** The list service wants to be asked from this page. */
export const LIST_REFERER = 'https://www.bybit.com/data-download';

/** The list service answers for so many days at a time, both ends included. */
export const LIST_MAX_DAYS = 7;

/** What the list service calls the markets: linear and inverse are one. */
export const LIST_BIZ_TYPES: Readonly<Record<MarketName, string>> = {
  linear: 'contract',
  inverse: 'contract',
  spot: 'spot',
};

/** Links elsewhere are not followed. */
const PUBLISHER_HOSTS = ['bycsi.com', 'bybit.com'];

/** More than 3 to 5 connections at a time are slowed down or cut. */
export const DEFAULT_CONNECTIONS = 3;
export const MAX_CONNECTIONS = 5;

/** What the publisher calls an archive. */
export function archiveFileName({ date, pair, sourceDepth }: ArchiveName): string {
  return `${date}_${pair}_ob${sourceDepth}.data.zip`;
}

/** The address of an archive, below that of the publisher or of a mirror. */
export function archiveUrl(baseUrl: string, market: MarketName, archive: ArchiveName): string {
  const path = ['orderbook', market, archive.pair, archiveFileName(archive)].map(encodeURIComponent).join('/');
  return `${baseUrl.replace(/\/+$/, '')}/${path}`;
}

/** Whether a link leads to the publisher, and nobody can listen in. */
export function isOfPublisher(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, hostname } = new URL(link);
  return protocol === 'https:' && PUBLISHER_HOSTS.some((host) => hostname === host || hostname.endsWith(`.${host}`));
}
