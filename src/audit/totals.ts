import type { AuditEvent } from './audit.js';

/** Of all that was told. */
export interface Totals {
  /** Archives read, or recorded; and those among them without a fault. */
  archives: number;
  sound: number;
  missingDays: number;
  /** Archives and folders that could not be looked at. */
  unusable: number;
  messages: number;
  archiveBytes: number;
}

/** Adds up what is told. */
export class Tally {
  readonly totals: Totals = { archives: 0, sound: 0, missingDays: 0, unusable: 0, messages: 0, archiveBytes: 0 };

  add(event: AuditEvent): void {
    const { totals } = this;
    if (event.kind === 'missing') totals.missingDays += event.missing.dates.length;
    else if (event.kind === 'unusable') totals.unusable++;
    else {
      totals.archives++;
      totals.messages += event.day.messages;
      totals.archiveBytes += event.day.archiveBytes;
      if (event.day.faults.length === 0) totals.sound++;
    }
  }

  get settled(): number {
    return this.totals.archives;
  }

  /** Archives that have a fault. */
  get failed(): number {
    return this.totals.archives - this.totals.sound;
  }

  /** Whether nothing is broken. */
  get isSound(): boolean {
    const { archives, sound, missingDays, unusable } = this.totals;
    return archives === sound && missingDays === 0 && unusable === 0;
  }
}
