/** Bybit's markets. Archives of one pair and day have the same file name in all three: only folders tell them apart. */
import type { Market } from '../book/message.js';

/** What the folders of markets are called, by Bybit and here. */
export const MARKETS = ['linear', 'inverse', 'spot'] as const;

/** A market, as a folder is named after it. */
export type MarketName = (typeof MARKETS)[number];

/** What can be asked for: a market, or what lies in no folder of one. */
export const MARKET_CHOICES = [...MARKETS, 'none'] as const;

export type MarketChoice = (typeof MARKET_CHOICES)[number];

/** The market that a folder is named after; `undefined`: none. */
export function parseMarket(folderName: unknown): MarketName | undefined {
  return MARKETS.find((market) => market === folderName);
}

/** The market that the folders of a file's path tell, the last one of them. */
export function marketOfPath(filePath: string): MarketName | undefined {
  const folders = filePath.split(/[/\\]/).slice(0, -1);
  return parseMarket(folders.findLast((name) => parseMarket(name)));
}

/** Whether something of a market, or of none, is among what is asked for; `undefined` asks for all. */
export function isOfMarket(market: MarketName | undefined, wanted: readonly MarketChoice[] | undefined): boolean {
  return wanted?.includes(market ?? 'none') ?? true;
}

/** Whether messages are written as those of another market than a folder tells. Linear and inverse ones are alike. */
export function contradicts(market: MarketName | undefined, messageForm: Market | undefined): boolean {
  if (market === undefined || messageForm === undefined) return false;
  return (market === 'spot') !== (messageForm === 'spot');
}
