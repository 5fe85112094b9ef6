import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** A mount name space of its own: the mount is gone with it. Other users than root need one of users as well. */
export const UNSHARE = ['unshare', process.getuid?.() === 0 ? '-m' : '-rm'];

/** Why a full disk cannot be tried here; `false`: it can. */
export const NO_MOUNT =
  !canMount() && `NOT CHECKED: a full disk, since ${UNSHARE.join(' ')} cannot mount a small tmpfs here`;

function canMount(): boolean {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-mount-'));
  const mount = ['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder];
  const { status } = spawnSync(UNSHARE[0] ?? '', [...UNSHARE.slice(1), ...mount]);
  fs.rmdirSync(folder);
  return status === 0;
}
