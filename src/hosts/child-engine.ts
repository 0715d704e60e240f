/**
 * An engine in a supervised child process: the host for servers. A native crash, a kill or running out of memory takes the child and
 * the request that it worked on; those behind it in the queue, and all later ones, go to a new child.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { DkvError } from '../base/errors.js';
import type { Engine, EngineInfo } from '../engine/engine.js';
import type { ExecutorOptions } from '../engine/executor.js';
import type { CompiledModel } from '../model/compiled.js';
import type { FromEngine, Start } from './messages.js';
import { asError, closedError, entry, RemoteEngine, Session } from './remote-engine.js';

/** A child that does not end by itself so long after it was asked to is killed. */
const CLOSE_MS = 60_000;

/**
 * Starts the first child and waits until it answers.
 * @throws DkvError DEVICE_UNAVAILABLE, ENGINE_FAILED
 */
export async function startChildEngine(model: CompiledModel, options: ExecutorOptions): Promise<Engine> {
  // States go through a pipe, not through shared memory.
  const start: Start = { model, options: { ...options, sharedMemory: false } };
  const first = await startChild(start);
  return new ChildEngine(start, first);
}

/** A running child and its requests. */
interface Running {
  readonly process: ChildProcess;
  readonly session: Session;
  readonly info: EngineInfo;
  readonly ended: Promise<void>;
}

class ChildEngine extends RemoteEngine {
  readonly info: EngineInfo;
  readonly #start: Start;
  #running: Promise<Running>;
  #closed = false;

  constructor(start: Start, first: Running) {
    super();
    this.#start = start;
    this.info = first.info;
    this.#running = Promise.resolve(first);
  }

  protected async session(): Promise<Session> {
    if (this.#closed) throw closedError();
    const current = this.#running;
    const dead = await current.then(({ session }) => session.ended).catch(() => true);
    // Several requests may find the same dead child: the first of them replaces it.
    if (dead && this.#running === current) this.#running = startChild(this.#start);
    return (await this.#running).session;
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
}

async function startChild(start: Start): Promise<Running> {
  const child = fork(entry('child'), {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // What this program was started with (a script to evaluate, say) is not for the child.
    execArgv: [],
  });
  const session = new Session({
    // A child that is going away takes no more messages; its end says so to who waits.
    send: (message) => child.connected && child.send(message, () => undefined),
    ref: () => {
      child.ref();
      child.channel?.ref();
    },
    unref: () => {
      child.unref();
      child.channel?.unref();
    },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      const how = signal ? `was killed by ${signal}` : `ended with status ${code}`;
      session.end(
        new DkvError(
          'ENGINE_FAILED',
          `The engine's process ${how} while it worked on this request. The next request starts a new process.`,
        ),
      );
      resolve();
    });
  });
  const info = await new Promise<EngineInfo>((resolve, reject) => {
    child.on('message', (message: FromEngine) => {
      if (message.type === 'ready') resolve(message.info);
      else if (message.type === 'failed') reject(asError(message.error));
      else session.receive(message);
    });
    child.once('error', (error) =>
      reject(new DkvError('ENGINE_FAILED', `The engine's process did not start: ${error.message}`)),
    );
    child.once('exit', (code, signal) =>
      reject(new DkvError('ENGINE_FAILED', `The engine's process did not start (${signal ?? `status ${code}`}).`)),
    );
    child.send(start);
  });
  child.unref();
  child.channel?.unref();
  return { process: child, session, info, ended };
}
