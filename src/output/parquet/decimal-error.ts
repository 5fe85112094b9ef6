/**
 * DECIMAL(38, 18) is the widest that readers know (DuckDB, Arrow, Spark), its digits divided between both sides of the
 * point. A file names one scale for a whole column, before the rows to come are known.
 */
export const DECIMAL_PRECISION = 38;
export const DECIMAL_SCALE = 18;
export const INTEGER_DIGITS = DECIMAL_PRECISION - DECIMAL_SCALE;

/** A price or quantity has more digits than the file's DECIMAL columns: convert the archive again, as text. */
export class DoesNotFitDecimalError extends Error {
  override name = 'DoesNotFitDecimalError';

  /** @param text the archive's. */
  constructor(readonly text: string) {
    super(
      `${text.slice(0, 100)} does not fit DECIMAL(${DECIMAL_PRECISION}, ${DECIMAL_SCALE}), which has ${INTEGER_DIGITS} digits before the point and ${DECIMAL_SCALE} after it; write decimals as text`,
    );
  }
}
