/** Resolves when a signal says that all is to end, which it may have said already. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What a promise gives; `undefined` when a signal comes first, after which nobody waits for it any more. */
export async function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  const stop = new AbortController();
  const ended = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true, signal: stop.signal });
  });
  try {
    return await Promise.race([value, ended]);
  } finally {
    stop.abort();
    value.catch(() => {}); // of what comes too late nobody hears
  }
}
