/** What the host may call. Each stage has its own file. */
export { prepareFormats } from './formats';
export { bestOf, clear, collect, isMarked, place, poolSlot, remove, settle, settledLevels } from './ladder';
export { LADDER_TICKS, MEMORY_BYTES, ROW, TEMPLATE, TEMPLATE_BYTES } from './layout';
export { writeCells, writeRow } from './rows';
export {
  addText,
  applyMessage,
  breaks,
  countLine,
  cursor,
  dropText,
  getLatestTs,
  getPreviousTs,
  getPreviousU,
  lineBytes,
  lines,
  makeRoom,
  messages,
  messageTs,
  outOfOrder,
  passLine,
  run,
  setPrevious,
  setTemplate,
  textEnd,
  updates,
} from './scan';
