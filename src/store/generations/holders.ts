/** Who holds a lease or a turn: a process of a machine. */
import os from 'node:os';
import { isAlive } from '../../base/lock.js';

export interface Holder {
  /** The number of the process. */
  readonly process: number;
  /** The name of its machine. */
  readonly host: string;
}

export function thisProcess(): Holder {
  return { process: process.pid, host: os.hostname() };
}

/** Tells whether a holder was a process of this machine that has ended. Of other machines only their time tells. */
export function isDeadHere(holder: Holder): boolean {
  return holder.host === os.hostname() && holder.process !== process.pid && !isAlive(holder.process);
}
