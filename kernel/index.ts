/** What the host may call. Each stage has its own file. */
import { clear } from './ladder';
import { resetScan } from './scan';

/** Makes the kernel as it was at the beginning, for the next archive. */
export function reset(): void {
  clear(0);
  resetScan();
}

export { prepareFormats } from './formats';
export { bestOf, clear, collect, isCrossed, isMarked, place, poolSlot, remove, settle, settledLevels } from './ladder';
export {
  LADDER_TICKS,
  LOG,
  LOG_ENTRY_BYTES,
  MEMORY_BYTES,
  ROW,
  SLOT_BYTES,
  TEMPLATE,
  TEMPLATE_BYTES,
  VALUES,
  VALUES_BYTES,
} from './layout';
export { writeCells, writeRow } from './rows';
export {
  AT_MESSAGE,
  addText,
  adoptText,
  applyMessage,
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
  outOfOrder,
  passLine,
  run,
  setPrevious,
  setTemplate,
  textEnd,
  updates,
} from './scan';
export { clearLog, logCount, prepareValues, setLogging, writeValues } from './values';
