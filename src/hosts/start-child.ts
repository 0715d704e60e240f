/** Starts a process that holds an engine, and hears it until its end. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Variables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import type { EngineInfo } from '../engine/engine.js';
import { ChildSession } from './child-session.js';
import { entry } from './entry.js';
import { errorOf, type FromProcess, type StartProcess, type ToProcess } from './messages.js';
import { RuntimeLines } from './runtime-lines.js';

/** The number of starts of a child that ends before it answers. Something else may have killed it. */
const START_TRIES = 3;

/** How a child is started, the first one and those that take its place. */
export interface Plan {
  readonly start: StartProcess;
  readonly environment: Variables;
  readonly onRuntimeLine: ((line: string) => void) | undefined;
}

/** A running child and its requests. */
export interface Running {
  readonly process: ChildProcess;
  readonly session: ChildSession;
  readonly info: EngineInfo;
  readonly ended: Promise<void>;
  /** The moment when it could take requests, by `performance.now`. */
  readonly readyAt: number;
  /** The moment of its end. */
  endedAt: number | undefined;
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

/** @throws DkvError DEVICE_UNAVAILABLE, ENGINE_FAILED */
export async function startChild(plan: Plan): Promise<Running> {
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
  let running: Running | undefined;
  // What it said last may arrive after the news of its end.
  const silent = new Promise<void>((resolve) => child.once('disconnect', resolve));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', async (code, signal) => {
      await silent;
      if (running) running.endedAt = performance.now();
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
  running = { process: child, session, info, ended, readyAt: performance.now(), endedAt: undefined };
  return running;
}
