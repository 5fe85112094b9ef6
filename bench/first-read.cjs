// Loaded into a measured process by `--require`, which takes a few milliseconds: notes when the first bytes of an archive
// have been read.
const fs = require('node:fs');

const { openSync, readSync } = fs;
let archive;

fs.openSync = (path, ...rest) => {
  const fd = openSync(path, ...rest);
  if (String(path).endsWith('.zip')) archive ??= fd;
  return fd;
};

fs.readSync = (fd, ...rest) => {
  const count = readSync(fd, ...rest);
  if (fd === archive) {
    fs.readSync = readSync;
    fs.writeFileSync(process.env.BOOKGRID_FIRST_READ, String(Date.now()));
  }
  return count;
};
