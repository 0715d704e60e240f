/** Who holds a lease or a turn: a process of a machine. */
import { readlinkSync } from 'node:fs';
import os from 'node:os';
import { isAlive } from '../../base/lock.js';

export interface Holder {
  /** The number of the process. */
  readonly process: number;
  /** The name of its machine, with the space that its processes are numbered in. */
  readonly host: string;
}

/** Containers may have a machine's name and their own numbers of processes. */
const HERE = `${os.hostname()}${numberingOf()}`;

function numberingOf(): string {
  try {
    return ` ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

export function thisProcess(): Holder {
  return { process: process.pid, host: HERE };
}

/** Tells whether a holder was a process of this machine that has ended. Of other machines only their time tells. */
export function isDeadHere(holder: Holder): boolean {
  return holder.host === HERE && holder.process !== process.pid && !isAlive(holder.process);
}
