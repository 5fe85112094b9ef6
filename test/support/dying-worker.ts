/** A worker thread that some archives kill, by the pair in their name. With the others it does its work. */
import { parentPort, workerData } from 'node:worker_threads';
import { runJob } from '../../src/convert/recorded-job.js';
import type { WorkerMessage, WorkerTask } from '../../src/executors/worker.js';

/** How a worker can die, and what its archive's error says then. */
export const DEATHS: Record<string, RegExp> = {
  EXIT0: /its worker died: it ended with exit code 0/,
  EXIT7: /its worker died: it ended with exit code 7/,
  THROW: /its worker died: thrown by a timer/,
  REJECT: /its worker died: a promise nobody awaits/,
  THROWTEXT: /its worker died: a text, not an error/,
  MEMORY: /its worker died: .*memory/,
};

parentPort?.on('message', async (task: WorkerTask) => {
  if (task === 'end') return parentPort?.close();
  const { id, job } = task;
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  switch (job.archive.pair) {
    case 'EXIT0':
    case 'EXIT7':
      return process.exit(Number(job.archive.pair.slice(4)));
    case 'THROW':
      setImmediate(() => {
        throw new Error('thrown by a timer');
      });
      return;
    case 'REJECT':
      void Promise.reject(new Error('a promise nobody awaits'));
      return;
    case 'THROWTEXT':
      throw 'a text, not an error';
    case 'MEMORY': {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length + 0.5));
    }
  }
  const onRead = (readBytes: number) => {
    // By now its outputs have been begun.
    if (job.archive.pair === 'MIDDLE') process.exit(1);
    post({ id, readBytes });
  };
  post({ id, result: await runJob(job, { onRead, runId: workerData.runId }) });
});
