/**
 * One process at a time: a lock file that its holder keeps fresh. Works between processes of one machine and, by its age, between
 * machines that share a folder.
 */
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DkvError } from './errors.js';
import { fileError, makeFolder } from './files.js';

/** A holder touches its file this often ... */
const REFRESH_MS = 2000;
/** ... and is taken for dead when it has not done so for this long. */
const STALE_MS = 30_000;
const POLL_MS = 200;

export interface LockOptions {
  readonly signal?: AbortSignal;
  /**
   * Called once when another process holds the lock.
   * @param holder the holder's description of itself
   */
  readonly onWait?: (holder: string) => void;
  /** Makes the error to throw at once, without waiting, when another process holds the lock. */
  readonly refuse?: (holder: string) => DkvError;
  /** The advice to give if the lock's folder cannot be made or written to, such as which variable names another folder. */
  readonly advice?: string;
}

/** Runs `work` while holding the lock; waits for whoever holds it. @throws DkvError CANCELLED while waiting, FILES_UNUSABLE */
export async function withLock<T>(file: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  await makeFolder(path.dirname(file), options.advice);
  let waited = false;
  while (!(await tryCreate(file, options.advice))) {
    if (options.signal?.aborted) throw new DkvError('CANCELLED', `Stopped while waiting for ${file}.`);
    if (await isAbandoned(file)) {
      await removeAbandoned(file);
      continue;
    }
    const holder = await readFile(file, 'utf8').catch(() => 'another process');
    if (options.refuse) throw options.refuse(holder);
    if (!waited) options.onWait?.(holder);
    waited = true;
    await sleep(POLL_MS);
  }
  const refresh = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, REFRESH_MS);
  try {
    return await work();
  } finally {
    clearInterval(refresh);
    await rm(file, { force: true });
  }
}

/** Tells whether a process of this machine is running. A process of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function tryCreate(file: string, advice?: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`process ${process.pid} on ${os.hostname()}`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError(error, file, advice);
  }
}

/**
 * Removes a lock whose holder is dead. Two processes that find the same dead lock must not remove each other's new one, so only the process that
 * holds the breaker removes anything.
 */
async function removeAbandoned(file: string): Promise<void> {
  const breaker = `${file}.breaker`;
  if (!(await tryCreate(breaker))) {
    if (await isAbandoned(breaker)) await rm(breaker, { force: true });
    await sleep(POLL_MS);
    return;
  }
  try {
    if (await isAbandoned(file)) await rm(file, { force: true });
  } finally {
    await rm(breaker, { force: true });
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  const [text, state] = await Promise.all([readFile(file, 'utf8').catch(() => ''), stat(file).catch(() => undefined)]);
  if (!state) return false;
  const [, pid, host] = /^process (\d+) on (.*)$/.exec(text) ?? [];
  if (host === os.hostname() && !isAlive(Number(pid))) return true;
  return Date.now() - state.mtimeMs > STALE_MS;
}
