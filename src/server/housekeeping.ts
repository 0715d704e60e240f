/**
 * gc and collect on a schedule: each as a process of the command line with low priority, so that the server's thread does nothing of it, and one after the other, so
 * that none meets itself. What they say goes to the log and to the metrics.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import type { FastifyBaseLogger } from 'fastify';
import { withoutSecrets } from '../base/redact.js';
import { entry } from '../hosts/entry.js';
import { catalogueOf, type Location } from './edition.js';
import type { Metrics } from './metrics.js';
import type { ServerSettings } from './settings.js';

/** One thing that is done again and again. */
export interface Chore {
  readonly work: 'gc' | 'collect';
  readonly everyMs: number;
  /** What stands behind `dkv`. */
  readonly args: readonly string[];
}

const HOUR_MS = 3_600_000;
/** What is kept of what a failed command wrote. */
const KEPT = 1000;
/** How long a command that was asked to end may take for it. */
const END_MS = 5000;
/** Of processes, lower than others'. */
const PRIORITY = 10;

/** The chores of a server. A storage in memory has none, since no other process sees it; a catalogue is collected, and stores are garbage collected. */
export function choresOf({ store, housekeeping }: Pick<ServerSettings, 'store' | 'housekeeping'>): readonly Chore[] {
  const { gcHours, collectHours } = housekeeping;
  return locationsOf(store).flatMap((location): Chore[] => {
    const catalogue = catalogueOf(location);
    if (catalogue) {
      if (collectHours === undefined) return [];
      return [
        { work: 'collect', everyMs: collectHours * HOUR_MS, args: ['store', 'collect', catalogue.place, '--json'] },
      ];
    }
    if (gcHours === undefined || location.startsWith('memory:')) return [];
    return [{ work: 'gc', everyMs: gcHours * HOUR_MS, args: ['store', 'gc', location, '--json'] }];
  });
}

function locationsOf(store: Location): readonly string[] {
  return typeof store === 'string' ? [store] : store;
}

export class Housekeeping {
  readonly #metrics: Metrics;
  readonly #log: FastifyBaseLogger;
  readonly #timers: NodeJS.Timeout[];
  /** Those that are due while another one is at work. */
  #waiting = new Set<Chore>();
  #running: ChildProcess | undefined;
  #busy: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(
    chores: readonly Chore[],
    { metrics, log }: { readonly metrics: Metrics; readonly log: FastifyBaseLogger },
  ) {
    this.#metrics = metrics;
    this.#log = log;
    for (const { work } of chores) metrics.set('housekeepingTime', 0, { work });
    this.#timers = chores.map((chore) => setInterval(() => this.#due(chore), chore.everyMs));
    for (const timer of this.#timers) timer.unref();
  }

  /** Ends what is at work, and waits for its end. Stores and catalogues stand that at any point. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    const child = this.#running;
    child?.kill('SIGTERM');
    const timer = setTimeout(() => child?.kill('SIGKILL'), END_MS);
    await this.#busy;
    clearTimeout(timer);
  }

  #due(chore: Chore): void {
    const { work } = chore;
    if (this.#waiting.has(chore)) {
      this.#metrics.count('housekeeping', { work, outcome: 'skipped' });
      this.#log.warn({ work }, 'housekeeping is due again before it has ended');
      return;
    }
    this.#waiting.add(chore);
    this.#busy = this.#busy.then(() => this.#run(chore)).finally(() => this.#waiting.delete(chore));
  }

  async #run({ work, args }: Chore): Promise<void> {
    if (this.#isClosed) return;
    const began = performance.now();
    const child = startDkv(args);
    this.#running = child;
    let [output, complaint] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      output = (output + chunk).slice(-KEPT);
    });
    child.stderr?.on('data', (chunk) => {
      complaint = (complaint + chunk).slice(-KEPT);
    });
    // An error is told by 'error' and not by 'close' where the process could not be started.
    const [status] = await once(child, 'close').catch((error: Error) => [error.message]);
    this.#running = undefined;
    if (this.#isClosed) return;
    const ms = Math.round(performance.now() - began);
    if (status === 0) {
      this.#metrics.count('housekeeping', { work, outcome: 'done' });
      this.#metrics.set('housekeepingTime', Date.now() / 1000, { work });
      this.#log.info({ work, ms, result: resultOf(output) }, 'housekeeping');
    } else {
      this.#metrics.count('housekeeping', { work, outcome: 'failed' });
      this.#log.error({ work, ms, status }, `housekeeping failed: ${withoutSecrets(complaint.trim())}`);
    }
  }
}

function resultOf(output: string): unknown {
  try {
    const { store: _, catalogue: __, ...counts } = JSON.parse(output);
    return counts;
  } catch {
    return undefined;
  }
}

/** The arguments go by a variable, since those of a process can be read by everybody on the machine, and an address may have a password in it. */
const SCRIPT =
  'const { DKV_MAIN, DKV_ARGUMENTS } = process.env; process.argv = [process.execPath, DKV_MAIN, ...JSON.parse(DKV_ARGUMENTS)]; await import(DKV_MAIN);';

function startDkv(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    env: { ...process.env, DKV_MAIN: entry('cli/main').href, DKV_ARGUMENTS: JSON.stringify(args) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    if (child.pid !== undefined) os.setPriority(child.pid, PRIORITY);
  } catch {
    // It has ended already, or the system does not allow it.
  }
  return child;
}
