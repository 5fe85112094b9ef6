/** What the host may call. Each stage has its own file. */
export { prepareFormats } from './formats';
export { bestOf, clear, collect, isMarked, place, poolSlot, remove, settle, settledLevels } from './ladder';
export { HEAD, HEAD_BYTES, LADDER_TICKS, MEMORY_BYTES, ROW } from './layout';
export { writeRow } from './rows';
export {
  addText,
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
  setHeads,
  setPrevious,
  textEnd,
  updates,
} from './scan';
