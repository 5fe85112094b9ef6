/**
 * A project that uses the package, to be compiled in an empty folder by .ci/run: what it names must be exported, with
 * types that need nothing else installed.
 */
import {
  type ArchiveError,
  type Conversion,
  type Executor,
  findArchives,
  type Levels,
  type Message,
  OrderBook,
  type PlanEntry,
  type PlanOptions,
  plan,
  type RunHooks,
  readMessages,
  run,
  type SnapshotRow,
  snapshots,
  takeInventory,
  convertArchive as toFiles,
  workerThreadsExecutor,
} from 'bookgrid';

export async function spreads(archive: string, signal: AbortSignal): Promise<Float64Array> {
  const spreads: number[] = [];
  const rows: AsyncIterable<SnapshotRow> = snapshots(archive, { intervalMs: 60_000, depths: [1], signal });
  for await (const row of rows) {
    const { bidPrices, askPrices }: Levels = row.levels(1);
    spreads.push((askPrices[0] ?? Number.NaN) - (bidPrices[0] ?? Number.NaN));
  }
  return Float64Array.from(spreads);
}

export async function lastBook(archive: string): Promise<readonly (readonly [string, string])[]> {
  const book = new OrderBook();
  let last: Message | undefined;
  const onBadLine = (line: { lineNumber: number; reason: string }) => line.reason.length;
  for await (const message of readMessages(archive, { onBadLine })) {
    book.apply(message);
    last = message;
  }
  return last ? book.text(10).bids : [];
}

export async function convertAll(source: string, options: PlanOptions, signal: AbortSignal): Promise<Conversion[]> {
  const entries: PlanEntry[] = plan(await takeInventory(await findArchives(source), options.outputDir), options);
  const executor: Executor = workerThreadsExecutor({ slots: 2 });
  const hooks: RunHooks = { signal };
  await run(entries, executor, hooks);
  return Promise.all(entries.map((entry) => toFiles(entry.path, options)));
}

export function lineOf(error: ArchiveError): number {
  return error.lineNumber ?? 0;
}
