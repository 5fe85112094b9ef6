// One setup of a checkout at a time: two first runs at once must not install over each other.
import fs from 'node:fs';
import process from 'node:process';

/** Waits until nobody else holds the lock, says so if that takes a while, and returns how to give it back. */
export function takeLock(file) {
  for (let announced = false; ; announced = true) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      const release = () => fs.rmSync(file, { force: true });
      process.once('exit', release);
      return release;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(file)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!announced) process.stderr.write('bookgrid: another process is setting this checkout up; waiting …\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function isStale(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return false; // just released
  const pid = Number(fs.existsSync(file) && fs.readFileSync(file, 'utf8'));
  // Without a number its owner is about to write it, or the disk was full when it tried.
  return pid ? !isAlive(pid) : Date.now() - stat.mtimeMs > 5000;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
