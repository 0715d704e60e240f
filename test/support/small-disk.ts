/** A disk that is soon full: a small file system in a name space of its own, which most systems allow without rights. */
import { spawnSync } from 'node:child_process';

/**
 * Runs Node while 12 MB are mounted at a folder, which is made.
 * @returns undefined where no file system can be mounted
 */
export function runOnSmallDisk(
  folder: string,
  args: readonly string[],
): { readonly stdout: string; readonly stderr: string } | undefined {
  const script = `mkdir -p "$0" && mount -t tmpfs -o size=12m tmpfs "$0" || exit 99; exec "$@"`;
  const command = ['-rm', 'sh', '-c', script, folder, process.execPath, ...args];
  const { status, stdout, stderr } = spawnSync('unshare', command, { encoding: 'utf8', timeout: 120_000 });
  return status === null || status === 99 || /unshare/.test(stderr) ? undefined : { stdout, stderr };
}
