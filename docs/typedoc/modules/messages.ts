/**
 * Messages of an archive, a book to apply them to, and the bytes that they are read from.
 *
 * @module messages
 */
export {
  ArchiveError,
  type BestLevel,
  type BookChange,
  type Inflater,
  type Market,
  type Message,
  type OnBadLine,
  OrderBook,
  type ReadMessagesOptions,
  type ReadOptions,
  readArchive,
  readMessages,
  type UnreadableLine,
  type Update,
} from '../../../src/index.js';
