// Loaded into a measured process by `--require`, which takes a few milliseconds: notes when the first bytes of an archive
// have been read. With one worker archives are read in the background.
const fs = require('node:fs');

const { open } = fs.promises;

fs.promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest);
  if (!String(path).endsWith('.zip')) return handle;
  fs.promises.open = open;
  const { read } = handle;
  handle.read = async (...how) => {
    const answer = await read.apply(handle, how);
    handle.read = read;
    fs.writeFileSync(process.env.BOOKGRID_FIRST_READ, String(Date.now()));
    return answer;
  };
  return handle;
};
