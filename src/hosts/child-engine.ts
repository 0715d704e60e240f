/**
 * An engine in a supervised child process: the host for servers. The process holds all of it, queue, threads and stores that have an address, so that
 * states of these never cross the pipe. A native crash, a kill or running out of memory takes the process and the requests that it had begun; the
 * others, and all later ones, go to a new one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Variables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import { deadlineOf, expectTimeLeft } from '../engine/deadline.js';
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
import { closedError } from '../engine/queue.js';
import { checkRequestOptions } from '../engine/validation.js';
import type { CompiledModel } from '../model/compiled.js';
import { type Asked, ChildSession, Unstarted } from './child-session.js';
import { entry } from './entry.js';
import { widened } from './half-states.js';
import { errorOf, type FromProcess, type StartProcess, type ToProcess } from './messages.js';
import type { HostOptions } from './options.js';
import { RuntimeLines } from './runtime-lines.js';

/** The milliseconds after which a child that was asked to end and does not is killed. */
const CLOSE_MS = 60_000;
/** The number of starts of a child that ends before it answers. Something else may have killed it. */
const START_TRIES = 3;
/** The number of processes that may end with a request waiting in them before the request is thought to be the reason. */
const REQUEST_TRIES = 3;

export interface ChildOptions extends HostOptions {
  /** The variables of the process; this process's by default. */
  readonly environment?: Variables;
  /** Called with each line that driver and runtime write. Without it they are kept for an error's message alone. On the CPU nothing is hidden. */
  readonly onRuntimeLine?: (line: string) => void;
  /** Called once, when states have to be sent through the pipe. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * Starts the first child and waits until it answers.
 * @throws DkvError DEVICE_UNAVAILABLE, ENGINE_FAILED
 */
export async function startChildEngine(model: CompiledModel, options: ChildOptions): Promise<Engine> {
  const { onNotice, environment = process.env, onRuntimeLine, ...own } = options;
  const plan: Plan = { start: { model, options: own }, environment, onRuntimeLine };
  return new ChildEngine(plan, await startChild(plan), onNotice);
}

/** How a child is started, the first one and those that take its place. */
interface Plan {
  readonly start: StartProcess;
  readonly environment: Variables;
  readonly onRuntimeLine: ((line: string) => void) | undefined;
}

/** A running child and its requests. */
interface Running {
  readonly process: ChildProcess;
  readonly session: ChildSession;
  readonly info: EngineInfo;
  readonly ended: Promise<void>;
}

class ChildEngine implements Engine {
  readonly info: EngineInfo;
  readonly #plan: Plan;
  #onNotice: ((notice: string) => void) | undefined;
  #running: Promise<Running>;
  #closed = false;

  constructor(plan: Plan, first: Running, onNotice: ((notice: string) => void) | undefined) {
    this.#plan = plan;
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
    return this.#onChild((session) => session.load());
  }

  async close(): Promise<void> {
    this.#closed = true;
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
    return this.#onChild((session) => {
      expectTimeLeft(deadline);
      return session.request({ ...asked, deadline });
    });
  }

  /** Asks on a child, and on another one if the first ends before it begins. */
  async #onChild<Result>(ask: (session: ChildSession) => Promise<Result>): Promise<Result> {
    for (let sent = 0; ; ) {
      const { session, process } = await this.#current();
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

  /** The child that takes requests now. @throws DkvError ENGINE_CLOSED, ENGINE_FAILED */
  async #current(): Promise<Running> {
    if (this.#closed) throw closedError();
    const current = this.#running;
    const dead = await current.then(({ session }) => session.ended).catch(() => true);
    // Several requests may find the same dead child: the first of them replaces it.
    if (dead && this.#running === current) this.#running = startChild(this.#plan);
    return this.#running;
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

/** The last lines of a child that ended, as the end of a message. */
const wrote = (lines = '') => (lines === '' ? '' : ` It wrote: ${lines}`);

/** The error of a child that ended before it said anything. */
class EarlyEnd extends DkvError {
  constructor(how: string, said = '') {
    super(
      'ENGINE_FAILED',
      `The engine's process did not start (${how}), ${START_TRIES} times. If something else ended it, or memory was short, try again.${wrote(said)}`,
    );
  }
}

async function startChild(plan: Plan): Promise<Running> {
  for (let tries = START_TRIES; ; tries--) {
    try {
      return await startOnce(plan);
    } catch (error) {
      if (!(error instanceof EarlyEnd) || tries === 1) throw error;
    }
  }
}

async function startOnce({ start, environment, onRuntimeLine }: Plan): Promise<Running> {
  const { device } = start.options;
  const child = fork(entry('hosts/child'), {
    env: environment as NodeJS.ProcessEnv,
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', device === 'cpu' ? 'inherit' : 'pipe', 'ipc'],
    // What this program was started with (a script to evaluate, say) is not for the child.
    execArgv: [],
  });
  const lines =
    child.stderr && new RuntimeLines(child.stderr, onRuntimeLine, (line) => process.stderr.write(`${line}\n`));
  // Whoever waits for nothing else is not kept by it.
  (child.stderr as Socket | null)?.unref();
  // A child that is going away takes no more messages; its end says so to who waits.
  const send = (message: ToProcess | StartProcess) => child.connected && child.send(message, () => undefined);
  const session = new ChildSession({
    send,
    ref: () => {
      child.ref();
      child.channel?.ref();
    },
    unref: () => {
      child.unref();
      child.channel?.unref();
    },
  });
  // What it said last may arrive after the news of its end.
  const silent = new Promise<void>((resolve) => child.once('disconnect', resolve));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', async (code, signal) => {
      await silent;
      const how = signal ? `was killed by ${signal}` : `ended with status ${code}`;
      session.end(
        new DkvError(
          'ENGINE_FAILED',
          `The engine's process ${how} while it worked on this request. The next request starts a new process.${wrote(lines?.last)}`,
        ),
      );
      resolve();
    });
  });
  const info = await new Promise<EngineInfo>((resolve, reject) => {
    child.on('message', (message: FromProcess) => {
      if (message.type === 'ready') resolve(message.info);
      else if (message.type === 'failed') reject(errorOf(message.error));
      else session.receive(message);
    });
    child.once('error', (error) =>
      reject(new DkvError('ENGINE_FAILED', `The engine's process did not start: ${error.message}`)),
    );
    void ended.then(() => reject(new EarlyEnd(child.signalCode ?? `status ${child.exitCode}`, lines?.last)));
    send(start);
  });
  child.unref();
  child.channel?.unref();
  return { process: child, session, info, ended };
}
