/** The book's kernel: all that the host may call. Each stage has a file of its own (docs/kernel.md). */
import { clear } from './ladder';
import { resetScan } from './scan';

/** Brings the kernel back to its first state, for the next archive. */
export function reset(): void {
  clear(0);
  resetScan();
}

export { addRow, clearBatch, getRows, isFull, isMetricsRowDue, isOdd, setBooks } from './batch';
export { prepareFormats } from './formats';
export { clearGrid, getIsNextFilled, getNextBoundary, getSkipped, setGrid, setKnownBreaks } from './grid';
export { getUnheardUpdates, hearBook, setStrays } from './interval';
export {
  ASKS,
  BIDS,
  clear,
  collect,
  isCrossed,
  isMarked,
  mark,
  place,
  poolSlot,
  remove,
  settle,
  settledLevels,
  textAt,
  tickAt,
} from './ladder';
// All of it: the host reads the numbers that both must know, and test/wasm/layout.test.ts checks that they fit.
export * from './layout';
export { setMetrics, writeMetrics, writeMetricsOf } from './metrics';
export { writeCells } from './rows';
export {
  AT_MESSAGE,
  AT_ODD_ROW,
  addText,
  adoptText,
  applyMessage,
  BOOK_UNHEARD,
  countLine,
  cursor,
  dropText,
  FOREIGN_LINE,
  getBreaks,
  getLatestTs,
  getMessages,
  getMessageTs,
  getPreviousTs,
  getPreviousU,
  LOG_FULL,
  lineBytes,
  lines,
  makeRoom,
  NEEDS_ROOM,
  outOfOrder,
  passLine,
  run,
  setPrevious,
  setTemplate,
  textEnd,
  updates,
} from './scan';
export { prepareValues, pricesOf, quantitiesOf, writeValues } from './values';
