import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Where `.ci/image` has built the image of deploy/. */
const FOLDER = process.env['BOOKGRID_IMAGE'];

export const NO_IMAGE =
  FOLDER === undefined &&
  'NOT TRIED: the image of deploy/ was not built (as root: BOOKGRID_IMAGE=$(.ci/image EMPTY_FOLDER), which needs buildah and debootstrap)';

/** What the image says of itself. */
export interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  WorkingDir: string;
}

export function imageConfig(): ImageConfig {
  return JSON.parse(fs.readFileSync(path.join(FOLDER ?? '', 'image.json'), 'utf8')).OCIv1.config;
}

/**
 * What a container engine does, by the kernel's own means: name spaces of mounts and processes of its own, files that cannot be
 * written but for the folders that are mounted, user 1000 without any right.
 */
const CONTAINER = `
set -e
root=$1 work_dir=$2
shift 2
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --bind "$2" "$root$1"
  shift 2
done
shift
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
exec chroot "$root" setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \\
  sh -c 'cd "$0" && exec "$@"' "$work_dir" "$@"
`;

/**
 * Starts the image as a container, of which the entry point is the first process.
 *
 * @param mounts folders of this machine by their place in the container.
 */
export function startContainer(
  args: readonly string[],
  { mounts, env }: { mounts: Record<string, string>; env: Record<string, string> },
): ChildProcessWithoutNullStreams {
  const { Entrypoint, Env, WorkingDir } = imageConfig();
  const own = Object.fromEntries(Env.map((entry) => entry.split(/=(.*)/s)));
  const places = Object.entries(mounts).flat();
  const words = [path.join(FOLDER ?? '', 'root'), WorkingDir, ...places, '--', ...Entrypoint, ...args];
  const unshare = ['--mount', '--pid', '--fork', '--kill-child', '--', 'sh', '-c', CONTAINER, 'container', ...words];
  return spawn('unshare', unshare, { env: { ...own, ...env } });
}
