/** Tries a device in a process of its own: drivers crash, and CUDA's libraries are found by the environment of a process alone. */
import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { DkvError } from '../base/errors.js';
import type { Device } from '../engine/engine.js';
import { entry } from '../hosts/entry.js';
import { errorOf, type Failure } from '../hosts/messages.js';
import { RuntimeLines } from '../hosts/runtime-lines.js';
import type { Precision } from '../model/graph/layout.js';
import { processEnvironment } from './environment.js';
import type { DeviceSpeed } from './measure.js';

export interface TrialRequest {
  readonly device: Device;
  readonly precision: Precision;
  /** Measure the device; if false, it is only started. */
  readonly measures: boolean;
}

export interface TrialAnswer {
  readonly failure?: Failure;
  readonly speed?: DeviceSpeed;
}

/** The time after which a device that does not answer is given up, since some drivers wait forever. */
const LIMIT_MS = 300_000;

export interface TrialOptions {
  readonly cacheDirectory: string;
  readonly signal?: AbortSignal;
  /** The callback for the runtime's lines; see `loadModel`. */
  readonly onRuntimeLine?: (line: string) => void;
}

/**
 * @returns its speed, where that was asked for
 * @throws DkvError DEVICE_UNAVAILABLE, DEVICE_LOST, MEMORY_SHORT, CANCELLED
 */
export async function tryDevice(request: TrialRequest, options: TrialOptions): Promise<DeviceSpeed | undefined> {
  const { device, precision } = request;
  const { cacheDirectory, signal, onRuntimeLine } = options;
  const { variables } = await processEnvironment(device, precision, cacheDirectory);
  const child = fork(entry('devices/trial-process'), {
    env: variables as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  });
  const lines = new RuntimeLines(child.stderr!, onRuntimeLine, (line) => process.stderr.write(`${line}\n`));
  (child.stderr as Socket).unref();
  const stop = () => child.kill('SIGKILL');
  const timer = setTimeout(stop, LIMIT_MS);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const answer = await new Promise<TrialAnswer>((resolve, reject) => {
      child.once('message', (message) => resolve(message as TrialAnswer));
      child.once('error', reject);
      child.once('close', (code, by) => {
        const how = by ? `was killed by ${by}` : `ended with status ${code}`;
        const said = lines.last === '' ? '' : ` It wrote: ${lines.last}`;
        reject(new DkvError('DEVICE_UNAVAILABLE', `A process that tried device "${device}" ${how}.${said}`));
      });
      child.send(request, () => undefined);
    });
    if (answer.failure) throw errorOf(answer.failure);
    return answer.speed;
  } catch (error) {
    throw signal?.aborted ? new DkvError('CANCELLED', 'Cancelled.') : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    stop();
  }
}
