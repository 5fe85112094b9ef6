import type { ContentCheck } from './content-check.js';
import type { GridCheck } from './grid-check.js';

/** What days go through while they are joined. */
export interface JoinChecks {
  /** Sees every label. */
  grid: GridCheck;
  /** Sees every byte. */
  content: ContentCheck;
  /** Called now and then, to let others have their turn. */
  pause: () => Promise<void>;
}
