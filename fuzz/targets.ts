import type { Target, TargetContext } from './target.js';

/** The targets by name; each loads what it needs when it is run. */
export const TARGETS: Record<string, (context: TargetContext) => Promise<Target>> = {
  archives: async (context) => (await import('./targets/archives.js')).createTarget(context),
  lines: async () => (await import('./targets/lines.js')).createTarget(),
  inflate: async () => (await import('./targets/inflate.js')).createTarget(),
  deflaters: async (context) => (await import('./targets/deflaters.js')).createTarget(context),
  zip: async () => (await import('./targets/zip.js')).createTarget(),
  gzip: async () => (await import('./targets/gzip.js')).createTarget(),
  parquet: async (context) => (await import('./targets/parquet.js')).createTarget(context),
  records: async (context) => (await import('./targets/records.js')).createTarget(context),
  'http-ranges': async (context) => (await import('./targets/http-ranges.js')).createTarget(context),
};
