import { FLAG } from '../view/book-columns.js';
import { MISSING } from '../view/heatmap.js';

/** The marks that rows and stretches can have, each of which has a strip below the heatmap where there are any. */
export const STRIPS = [
  { bit: FLAG.suspect, count: 'suspect', label: 'suspect', color: [232, 144, 32] },
  { bit: FLAG.crossed, count: 'crossed', label: 'crossed', color: [214, 72, 160] },
  { bit: FLAG.filled, count: 'filled', label: 'filled', color: [96, 142, 200] },
  { bit: MISSING, count: 'missing', label: 'no row', color: [134, 138, 148] },
] as const;
