/** The kernel for audits, compiled with AUDIT: all that the book's kernel has, and what it observes. */
export * from './index';
export { levelsOf } from './ladder';
export {
  clearFacts,
  FACT_ABSENT_DELETES,
  FACT_ASK_LEVELS,
  FACT_BID_LEVELS,
  FACT_CTS,
  FACT_IS_CROSSED,
  FACT_TS,
  FACT_UPDATE_ID,
  FACT_UPDATES,
  factCount,
  forgetSteps,
  getPriceStep,
  QUANTITY_FORMS,
  QUANTITY_STEPS,
} from './observe';
