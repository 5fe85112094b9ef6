/** What an archive is said to hold, compared with what its messages say of themselves. */
import type { BadLine, Message } from './message.js';

/** What an archive holds by its name. */
export interface ExpectedContents {
  /** Such as `BTCUSDT`. */
  symbol: string;
  /** Levels a side. */
  depth: number;
}

/**
 * Compares a message with what the archive is said to hold. What a message does not tell, no topic or no symbol, is not
 * compared.
 *
 * @param expected `undefined`: nothing is.
 * @param isFirst whether no message came before.
 * @returns why the line is none of this archive's; `undefined` when it may be.
 * @throws RangeError for the first message: then the archive as a whole is not what its name says.
 */
export function checkContents(
  { topic, symbol }: Message,
  expected: ExpectedContents | undefined,
  isFirst: boolean,
): BadLine | undefined {
  if (!expected) return undefined;
  const expectedTopic = `orderbook.${expected.depth}.${expected.symbol}`;
  const isOther = (topic ?? expectedTopic) !== expectedTopic || (symbol ?? expected.symbol) !== expected.symbol;
  if (!isOther) return undefined;
  const [says, found] = [show(expectedTopic, expected.symbol), show(topic, symbol)];
  if (isFirst)
    throw new RangeError(`its name says ${says}, its first message ${found}: give it the name of what it holds`);
  return { reason: `a message of ${found} in an archive of ${says}`, isJson: true };
}

/** At most so much of a forged name is shown. */
const SHOWN = 60;

/** The topic, which has symbol and depth; the symbol too when it is another or there is no topic. */
function show(topic: string | undefined, symbol: string | undefined): string {
  const isTold = topic !== undefined && (symbol === undefined || topic.endsWith(`.${symbol}`));
  return [topic, isTold ? undefined : symbol]
    .filter((name) => name !== undefined)
    .map((name) => (name.length <= SHOWN ? name : `${name.slice(0, SHOWN - 1)}…`))
    .join(' with symbol ');
}
