import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { defaultWorkers, type Limits, readLimits } from '../../src/executors/default-workers.js';
import { tempDir } from '../support/files.js';

/** A folder that has what a machine has in `/proc` and where control groups are mounted. */
function machine(t: TestContext, files: Record<string, string>): string {
  const root = tempDir(t);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  return root;
}

const NONE_V1 = '9223372036854771712\n';
const V2_MOUNT =
  '29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
const SLICE = 'sys/fs/cgroup/user.slice';

/** Trees as real machines have them. */
const MACHINES: Record<string, { files: Record<string, string>; expected: Limits }> = {
  'version 2, no limit': {
    files: {
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/user.slice/user-1000.slice/session-2.scope\n',
      [`${SLICE}/cpu.max`]: 'max 100000\n',
      [`${SLICE}/user-1000.slice/session-2.scope/memory.max`]: 'max\n',
    },
    expected: {},
  },
  'version 2, limits in groups above the own one: the smallest counts': {
    files: {
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/user.slice/user-1000.slice/job.service\n',
      [`${SLICE}/cpu.max`]: '400000 100000\n',
      [`${SLICE}/user-1000.slice/cpu.max`]: '150000 100000\n',
      [`${SLICE}/user-1000.slice/job.service/cpu.max`]: 'max 100000\n',
      [`${SLICE}/memory.max`]: '2147483648\n',
      [`${SLICE}/user-1000.slice/memory.max`]: 'max\n',
      [`${SLICE}/user-1000.slice/job.service/memory.max`]: '4294967296\n',
    },
    expected: { cpus: 1.5, memory: { bytes: 2 ** 31, file: '/sys/fs/cgroup/user.slice/memory.max' } },
  },
  'version 2 in a container, whose own group is the root that it sees': {
    files: {
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/cpu.max': '50000 100000\n',
      'sys/fs/cgroup/memory.max': '268435456\n',
    },
    expected: { cpus: 0.5, memory: { bytes: 2 ** 28, file: '/sys/fs/cgroup/memory.max' } },
  },
  'version 2, a group that cannot be seen from here': {
    files: {
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/../../elsewhere\n',
      'sys/fs/cgroup/cpu.max': '200000 100000\n',
    },
    expected: { cpus: 2 },
  },
  'version 1 in a container: /proc names the group on the host, the mount begins with it': {
    files: {
      'proc/self/mountinfo':
        '1 0 0:1 /docker/4f1c /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:11 - cgroup cgroup rw,cpu,cpuacct\n' +
        '2 0 0:2 /docker/4f1c /sys/fs/cgroup/memory ro,nosuid master:12 - cgroup cgroup rw,memory\n',
      'proc/self/cgroup': '5:memory:/docker/4f1c\n4:cpu,cpuacct:/docker/4f1c\n1:name=systemd:/docker/4f1c\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '250000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '536870912\n',
    },
    expected: { cpus: 2.5, memory: { bytes: 2 ** 29, file: '/sys/fs/cgroup/memory/memory.limit_in_bytes' } },
  },
  'version 1, no limit': {
    files: {
      'proc/self/mountinfo':
        '1 0 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n2 0 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
      'proc/self/cgroup': '2:memory:/\n1:cpu:/\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NONE_V1,
    },
    expected: {
      memory: { bytes: Number(NONE_V1), file: '/sys/fs/cgroup/memory/memory.limit_in_bytes' },
    },
  },
  'both versions beside each other (hybrid), in folders with a space': {
    files: {
      'proc/self/mountinfo':
        '1 0 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n' +
        '2 0 0:2 / /sys/fs/cgroup/with\\040space rw - cgroup cgroup rw,memory\n' +
        '3 0 0:3 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n' +
        '4 0 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
      'proc/self/cgroup': '4:memory:/jobs/a\n1:cpu:/\n0::/jobs\n',
      'sys/fs/cgroup/with space/jobs/memory.limit_in_bytes': '300000000\n',
      'sys/fs/cgroup/with space/jobs/a/memory.limit_in_bytes': NONE_V1,
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/unified/jobs/cpu.max': '300000 100000\n',
    },
    expected: { cpus: 3, memory: { bytes: 300e6, file: '/sys/fs/cgroup/with space/jobs/memory.limit_in_bytes' } },
  },
  'no control groups, as on other systems': { files: {}, expected: {} },
  'files that hold nothing of sense': {
    files: {
      'proc/self/mountinfo': `${V2_MOUNT}x\n - \n`,
      'proc/self/cgroup': '\nx\n0::/a\n',
      'sys/fs/cgroup/a/cpu.max': 'much\n',
      'sys/fs/cgroup/a/memory.max': '\n',
    },
    expected: {},
  },
};

for (const [name, { files, expected }] of Object.entries(MACHINES)) {
  test(`limits are read: ${name}`, (t) => assert.deepEqual(readLimits(machine(t, files)), expected));
}

const MB = 1e6;

for (const { cores, limits, workers, from } of [
  { cores: 8, limits: {}, workers: 8, from: undefined },
  { cores: 8, limits: { cpus: 2 }, workers: 2, from: undefined },
  { cores: 8, limits: { cpus: 1.5 }, workers: 2, from: undefined },
  { cores: 8, limits: { cpus: 0.25 }, workers: 1, from: undefined },
  { cores: 2, limits: { cpus: 16 }, workers: 2, from: undefined },
  { cores: 8, limits: { memory: { bytes: Number(NONE_V1), file: 'f' } }, workers: 8, from: undefined },
  { cores: 8, limits: { memory: { bytes: 350 * MB, file: 'f' } }, workers: 4, from: 8 },
  { cores: 8, limits: { memory: { bytes: 64 * MB, file: 'f' } }, workers: 1, from: 8 },
  { cores: 8, limits: { cpus: 4, memory: { bytes: 350 * MB, file: 'f' } }, workers: 4, from: undefined },
  { cores: 8, limits: { cpus: 6, memory: { bytes: 350 * MB, file: 'f' } }, workers: 4, from: 6 },
]) {
  test(`${cores} cores, ${JSON.stringify(limits)}: ${workers} workers`, () => {
    const chosen = defaultWorkers(limits, cores);
    assert.deepEqual({ workers: chosen.workers, from: chosen.heldBack?.from }, { workers, from });
  });
}
