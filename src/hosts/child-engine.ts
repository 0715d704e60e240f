/**
 * An engine in a supervised child process: the host for servers. The process holds all of it, queue, threads and stores that have an address, so that
 * states of these never cross the pipe. A native crash, a kill or running out of memory takes the process and the requests that it had begun; the
 * others, and all later ones, go to a new one.
 */
import { onAbort } from '../base/aborts.js';
import type { Variables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import { type Deadline, deadlineOf, deadlinePassed, expectTimeLeft, msLeft } from '../engine/deadline.js';
import type {
  EncodeItem,
  EncodeOptions,
  Engine,
  EngineInfo,
  EngineLoad,
  Generated,
  GenerateItem,
  GenerateOptions,
  LogitsItem,
  Memory,
  NamedStates,
  Probed,
  ProbeLayers,
  RequestOptions,
  ScoreItem,
  States,
} from '../engine/engine.js';
import { cancelledError, closedError, LONGEST_TIMER_MS } from '../engine/queue.js';
import { checkRequestOptions } from '../engine/validation.js';
import type { CompiledModel } from '../model/compiled.js';
import { BackOff, type BackOffTimes } from './back-off.js';
import { type Asked, type ChildSession, Unstarted } from './child-session.js';
import { widened } from './half-states.js';
import type { HostOptions } from './options.js';
import { type Plan, type Running, startChild } from './start-child.js';

/** The milliseconds after which a child that was asked to end and does not is killed. */
const CLOSE_MS = 60_000;
/** The number of processes that may end with a request waiting in them before the request is thought to be the reason. */
const REQUEST_TRIES = 3;

export interface ChildOptions extends HostOptions {
  /** The variables of the process; this process's by default. */
  readonly environment?: Variables;
  /** Called with each line that driver and runtime write. Without it they are kept for an error's message alone. On the CPU nothing is hidden. */
  readonly onRuntimeLine?: (line: string) => void;
  /** How long to wait before a process is started in place of one that ended soon after its start. */
  readonly backOff?: BackOffTimes;
  /** Called once, when states have to be sent through the pipe. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * Starts the first child and waits until it answers.
 * @throws DkvError DEVICE_UNAVAILABLE, ENGINE_FAILED
 */
export async function startChildEngine(model: CompiledModel, options: ChildOptions): Promise<Engine> {
  const { onNotice, environment = process.env, onRuntimeLine, backOff, ...own } = options;
  const plan: Plan = { start: { model, options: own }, environment, onRuntimeLine };
  return new ChildEngine(plan, await startChild(plan), new BackOff(backOff), onNotice);
}

/** How long something waits for a child. */
interface Patience {
  readonly signal?: AbortSignal | undefined;
  readonly deadline?: Deadline | undefined;
  /** False for what does not wait for a start that comes later. */
  readonly isPatient: boolean;
}

class ChildEngine implements Engine {
  readonly info: EngineInfo;
  readonly #plan: Plan;
  #onNotice: ((notice: string) => void) | undefined;
  readonly #backOff: BackOff;
  #restarts = 0;
  #running: Promise<Running>;
  /** The moment when the next child is started, by `performance.now`. It lies behind us unless children have ended soon after their start. */
  #nextStart = 0;
  /** The moment when the last start failed. */
  #failedAt = 0;
  /** The wait for the next start. */
  #pause: NodeJS.Timeout | undefined;
  /** The number of requests that wait for a child. */
  #waiting = 0;
  readonly #closing = new AbortController();

  constructor(plan: Plan, first: Running, backOff: BackOff, onNotice: ((notice: string) => void) | undefined) {
    this.#plan = plan;
    this.#backOff = backOff;
    this.#onNotice = onNotice;
    this.info = first.info;
    this.#running = Promise.resolve(first);
  }

  async encode(items: readonly EncodeItem[], options: EncodeOptions = {}): Promise<States[]> {
    if (options.statesAs === 'float16' && this.info.device !== 'cpu') {
      return widened(() => this.#request({ method: 'encode', items, options, asHalves: true }));
    }
    return (await this.#request({ method: 'encode', items, options })) as States[];
  }

  async score(items: readonly ScoreItem[], options: RequestOptions = {}): Promise<Float32Array[]> {
    this.#tellOfSlowStates(items);
    return (await this.#request({ method: 'score', items, options })) as Float32Array[];
  }

  async scoreTempered(items: readonly ScoreItem[], options: RequestOptions = {}): Promise<Float32Array[]> {
    this.#tellOfSlowStates(items);
    return (await this.#request({ method: 'scoreTempered', items, options })) as Float32Array[];
  }

  async logits(items: readonly LogitsItem[], options: RequestOptions = {}): Promise<Float32Array[]> {
    this.#tellOfSlowStates(items);
    return (await this.#request({ method: 'logits', items, options })) as Float32Array[];
  }

  async generate(items: readonly GenerateItem[], options: GenerateOptions = {}): Promise<Generated[]> {
    this.#tellOfSlowStates(items);
    return (await this.#request({ method: 'generate', items, options })) as Generated[];
  }

  async probe(items: readonly EncodeItem[], layers: ProbeLayers, options: RequestOptions = {}): Promise<Probed[]> {
    return (await this.#request({ method: 'probe', items, layers, options })) as Probed[];
  }

  async load(): Promise<EngineLoad> {
    const load = await this.#onChild((session) => session.load(), { isPatient: false });
    return { ...load, restarts: this.#restarts };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const running = await this.#running.catch(() => undefined);
    if (!running || running.session.ended) return;
    running.session.close();
    const timer = setTimeout(() => running.process.kill('SIGKILL'), CLOSE_MS);
    await running.ended;
    clearTimeout(timer);
  }

  async #request(asked: Omit<Asked, 'deadline'>): Promise<unknown> {
    checkRequestOptions(asked.options);
    const deadline = deadlineOf(asked.options.deadlineMs);
    const ask = (session: ChildSession) => {
      expectTimeLeft(deadline);
      return session.request({ ...asked, deadline });
    };
    return this.#onChild(ask, { signal: asked.options.signal, deadline, isPatient: true });
  }

  /** Asks on a child, and on another one if the first ends before it begins. */
  async #onChild<Result>(ask: (session: ChildSession) => Promise<Result>, until: Patience): Promise<Result> {
    for (let sent = 0; ; ) {
      const { session, process } = await this.#awaited(this.#current(until), until);
      try {
        return await ask(session);
      } catch (error) {
        // What has lost its device computes no more; a new process starts with the device as it is then.
        if (error instanceof DkvError && error.code === 'DEVICE_LOST') process.kill('SIGKILL');
        if (!(error instanceof Unstarted)) throw error;
        if (error.wasSent) sent++;
        if (sent === REQUEST_TRIES) {
          throw new DkvError(
            'ENGINE_FAILED',
            `${sent} processes of the engine ended one after another while this request waited in them, so it is not sent to another. If something else ended them, ask again.`,
          );
        }
      }
    }
  }

  /**
   * The child that takes requests now, or the next one.
   * @throws DkvError ENGINE_CLOSED, ENGINE_FAILED, the latter also where the next start comes too late
   */
  async #current(until: Patience): Promise<Running> {
    if (this.#closing.signal.aborted) throw closedError();
    this.#expectInTime(until);
    const current = this.#running;
    const dead = await current.then(
      ({ readyAt, endedAt }) => endedAt !== undefined && { livedMs: endedAt - readyAt, endedAt },
      () => ({ livedMs: 0, endedAt: this.#failedAt }),
    );
    // Several requests may find the same dead child: the first of them replaces it.
    if (dead && this.#running === current) {
      this.#nextStart = dead.endedAt + this.#backOff.waitAfter(dead.livedMs);
      this.#running = this.#restart();
      this.#restarts++;
      // Whoever waits for it is told; it may be that nobody does.
      this.#running.catch(() => undefined);
    }
    this.#expectInTime(until);
    return this.#running;
  }

  #expectInTime({ deadline, isPatient }: Patience): void {
    const waitMs = this.#nextStart - performance.now();
    if (!isPatient && waitMs > 0) throw this.#startsLater(waitMs, '');
    if (!deadline || waitMs <= Math.max(0, msLeft(deadline))) return;
    throw this.#startsLater(waitMs, ` This request's deadline of ${deadline.ms} ms ends before.`);
  }

  async #restart(): Promise<Running> {
    const waitMs = this.#nextStart - performance.now();
    if (waitMs > 0) {
      let forget = () => {};
      await new Promise<void>((resolve) => {
        this.#pause = setTimeout(resolve, waitMs);
        forget = onAbort(this.#closing.signal, resolve);
      });
      forget();
      clearTimeout(this.#pause);
      this.#pause = undefined;
    }
    if (this.#closing.signal.aborted) throw closedError();
    try {
      return await startChild(this.#plan);
    } catch (error) {
      this.#failedAt = performance.now();
      throw error;
    }
  }

  /** Waits for a child as long as the request that wants one. A wait that no request is behind keeps no program running. */
  async #awaited(child: Promise<Running>, { signal, deadline }: Patience): Promise<Running> {
    const ends: (() => void)[] = [];
    this.#waiting++;
    this.#pause?.ref();
    try {
      return await new Promise<Running>((resolve, reject) => {
        child.then(resolve, reject);
        ends.push(onAbort(signal, () => reject(cancelledError())));
        if (!deadline) return;
        const late = setTimeout(
          () => reject(deadlinePassed(deadline)),
          Math.min(Math.max(0, msLeft(deadline)), LONGEST_TIMER_MS),
        );
        ends.push(() => clearTimeout(late));
      });
    } finally {
      for (const end of ends) end();
      this.#waiting--;
      if (this.#waiting === 0) this.#pause?.unref();
    }
  }

  #startsLater(waitMs: number, why: string): DkvError {
    return new DkvError(
      'ENGINE_FAILED',
      `The engine's process ended soon after its start, ${this.#backOff.endedSoon} times one after another; the next start is in ${Math.ceil(waitMs)} ms.${why} What ended it stands in the errors of the requests that it had begun.`,
    );
  }

  #tellOfSlowStates(items: readonly { readonly memory: Memory | NamedStates }[]): void {
    if (!this.#onNotice || !items.some(({ memory }) => 'source' in memory && memory.source?.address === undefined))
      return;
    this.#onNotice(
      "States of a store that only this process can open go to the engine's process through a pipe, which is slower than if it read them itself. A store with an address (a folder, redis:, s3:) is opened there too.",
    );
    this.#onNotice = undefined;
  }
}
