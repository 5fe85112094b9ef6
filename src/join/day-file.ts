/** One day's output of `bookgrid convert`. */
export interface DayFile {
  path: string;
  /** UTC day, `YYYY-MM-DD`; its rows are in (date 00:00, next day 00:00]. */
  date: string;
}

/** What helps when a day's file is not as it was made. */
export const REMAKE = 'Make it again with bookgrid convert --overwrite';
