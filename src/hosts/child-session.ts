/** The requests to one child process, from its start to its end: numbers them, keeps who waits for which, and tells them how it went. */
import { setImmediate } from 'node:timers/promises';
import { onAbort } from '../base/aborts.js';
import { DkvError } from '../base/errors.js';
import { type Deadline, msLeft } from '../engine/deadline.js';
import type {
  EncodeItem,
  EngineLoad,
  GenerateItem,
  GenerateOptions,
  LogitsItem,
  ProbeLayers,
  ScoreItem,
  StatesSource,
} from '../engine/engine.js';
import { cancelledError, closedError, LONGEST_TIMER_MS, thrown } from '../engine/queue.js';
import { answersTo } from '../engine/states-reader.js';
import { checkNamedStates } from '../engine/validation.js';
import {
  type Answers,
  answersOf,
  errorOf,
  type Failure,
  type FromProcess,
  failureOf,
  type SentItem,
  type SentRequest,
  type ToProcess,
} from './messages.js';
import { addressToSend } from './open-stores.js';

/** The way to the process. */
export interface Channel {
  send(message: ToProcess): void;
  /** Keeps this program running on the channel's account, or no longer does. */
  ref(): void;
  unref(): void;
}

/** The milliseconds after its deadline at which a request is given up, if the process, which watches deadlines itself, has said nothing of it. */
const DEADLINE_GRACE_MS = 100;

/** A request to an engine in another process. */
export interface Asked {
  readonly method: SentRequest['method'];
  readonly items: readonly (EncodeItem | ScoreItem | LogitsItem | GenerateItem)[];
  readonly layers?: ProbeLayers;
  readonly asHalves?: boolean;
  readonly options: GenerateOptions;
  readonly deadline: Deadline | undefined;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** True once the request's turn has come. */
  started: boolean;
  readonly options: GenerateOptions;
}

/** The fate of a request that still waited when its process ended: nothing was done, so it may be sent elsewhere. */
export class Unstarted extends Error {
  /** True unless the process was gone before it was told of the request. */
  readonly wasSent: boolean;

  constructor(wasSent: boolean) {
    super();
    this.wasSent = wasSent;
  }
}

export class ChildSession {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  readonly #sources = new Sources();
  #nextId = 0;
  #isClosing = false;
  #ended: DkvError | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  async request(asked: Asked): Promise<unknown> {
    const { signal, priority, tokenisingMs, dropLate } = asked.options;
    if (signal?.aborted) throw cancelledError();
    const used = new Set<StatesSource>();
    const items = asked.items.map((item, i) => this.#toSend(item, used, `item ${i}`));
    try {
      const { deadline } = asked;
      const message = (id: number): SentRequest => ({
        type: 'request',
        id,
        method: asked.method,
        items,
        ...(asked.layers && { layers: asked.layers }),
        ...(asked.options.onTokens && { tellsTokens: true }),
        options: {
          ...(priority !== undefined && { priority }),
          ...(deadline && { deadline, ...(dropLate && { dropLate }) }),
          ...(tokenisingMs !== undefined && { tokenisingMs }),
          ...(asked.asHalves && { asHalves: true }),
        },
      });
      return await this.#ask(message, asked.options, deadline);
    } finally {
      for (const source of used) this.#sources.release(source);
    }
  }

  async load(): Promise<EngineLoad> {
    return (await this.#ask((id) => ({ type: 'load', id }))) as EngineLoad;
  }

  /** Asks the process to end. Requests that still wait then are rejected with ENGINE_CLOSED. */
  close(): void {
    this.#isClosing = true;
    this.#channel.ref();
    if (!this.#ended) this.#channel.send({ type: 'close' });
  }

  receive(message: FromProcess): void {
    if (message.type === 'ready' || message.type === 'failed') return;
    if (message.type === 'read') {
      void this.#read(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    try {
      this.#tell(waiting, message);
    } catch (error) {
      // One of the caller's functions has thrown it.
      this.#giveUp(message.id, thrown(error));
    }
  }

  #tell(waiting: Waiting, message: Exclude<FromProcess, { type: 'ready' | 'failed' | 'read' }>): void {
    const { options } = waiting;
    if (message.type === 'started') waiting.started = true;
    else if (message.type === 'progress') options.onProgress?.(message.done, message.total);
    else if (message.type === 'tokens') options.onTokens?.(message.chosen);
    else if (message.type === 'phases') options.onPhases?.(message.times);
    else if (message.type === 'load') waiting.resolve(message.load);
    else if (message.type === 'result') waiting.resolve(message.value);
    else waiting.reject(errorOf(message.error));
  }

  /** Ends the session, because the process is gone and nothing more will be answered. */
  end(reason: DkvError): void {
    this.#ended ??= this.#isClosing ? closedError() : reason;
    for (const { started, reject } of this.#waiting.values()) {
      reject(started || this.#isClosing ? this.#ended : new Unstarted(true));
    }
  }

  async #ask(message: (id: number) => ToProcess, options: GenerateOptions = {}, deadline?: Deadline): Promise<unknown> {
    if (this.#isClosing) throw closedError();
    if (this.#ended) throw new Unstarted(false);
    const id = this.#nextId++;
    const watching: (() => void)[] = [];
    this.#channel.ref();
    try {
      return await new Promise((resolve, reject) => {
        const waiting: Waiting = { resolve, reject, started: false, options };
        this.#waiting.set(id, waiting);
        this.#channel.send(message(id));
        // The process may not answer: neither waits for it.
        watching.push(onAbort(options.signal, () => this.#giveUp(id, cancelledError())));
        if (!deadline) return;
        const timer = setTimeout(
          async () => {
            // What held this thread has held the process's word that it began, too: it is heard before.
            await setImmediate();
            if (waiting.started || !this.#waiting.has(id)) return;
            const message = `The request's deadline of ${deadline.ms} ms passed ${DEADLINE_GRACE_MS} ms ago, and the engine's process has neither begun it nor said so. Give it more time, or the engine fewer requests.`;
            this.#giveUp(id, new DkvError('DEADLINE_PASSED', message));
          },
          Math.min(msLeft(deadline) + DEADLINE_GRACE_MS, LONGEST_TIMER_MS),
        );
        watching.push(() => clearTimeout(timer));
      });
    } finally {
      for (const stop of watching) stop();
      this.#waiting.delete(id);
      if (this.#waiting.size === 0 && !this.#isClosing) this.#channel.unref();
    }
  }

  /** Gives up a request. What the process says of it later is ignored. */
  #giveUp(id: number, error: Error): void {
    this.#waiting.get(id)?.reject(error);
    if (!this.#ended) this.#channel.send({ type: 'cancel', id });
  }

  #toSend(item: EncodeItem | ScoreItem | LogitsItem | GenerateItem, used: Set<StatesSource>, where: string): SentItem {
    if (!('memory' in item) || !('source' in item.memory)) return item as SentItem;
    checkNamedStates(item.memory, where);
    const { source, key, fingerprints } = item.memory;
    let id = this.#sources.idOf(source);
    if (id === undefined) {
      id = this.#sources.number(source);
      this.#channel.send({ type: 'source', source: id, address: addressToSend(source.address) });
    }
    if (!used.has(source)) this.#sources.use(id, source);
    used.add(source);
    return { ...item, memory: { source: id, key, fingerprints } };
  }

  /** States that only this process can find. */
  async #read({ id, source, keys, fingerprints }: Extract<FromProcess, { type: 'read' }>): Promise<void> {
    const answers = async (): Promise<Answers | Failure> => {
      try {
        const own = this.#sources.at(source);
        // Nobody waits for them any more.
        if (!own) return failureOf(cancelledError());
        return answersOf(answersTo(keys, await own.statesOf(keys, fingerprints)));
      } catch (error) {
        return failureOf(error);
      }
    };
    this.#channel.send({ type: 'states', id, answers: await answers() });
  }
}

/** The sources that the process was told of, by number. Those of requests under way can be asked for states. */
class Sources {
  readonly #ids = new WeakMap<StatesSource, number>();
  readonly #inUse = new Map<number, { readonly source: StatesSource; users: number }>();
  #next = 0;

  idOf(source: StatesSource): number | undefined {
    return this.#ids.get(source);
  }

  number(source: StatesSource): number {
    const id = this.#next++;
    this.#ids.set(source, id);
    return id;
  }

  at(id: number): StatesSource | undefined {
    return this.#inUse.get(id)?.source;
  }

  use(id: number, source: StatesSource): void {
    const own = this.#inUse.get(id) ?? { source, users: 0 };
    own.users++;
    this.#inUse.set(id, own);
  }

  release(source: StatesSource): void {
    const id = this.#ids.get(source)!;
    const own = this.#inUse.get(id)!;
    own.users--;
    if (own.users === 0) this.#inUse.delete(id);
  }
}
