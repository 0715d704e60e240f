/**
 * The side of the engine's process: a whole engine, queue and threads, answers the host's messages. This thread runs no graph, so that it hears who has
 * stopped waiting: at once on the CPU, and between two batches' tensors where it makes these for a device.
 */
import { DkvError } from '../base/errors.js';
import type {
  EncodeItem,
  GenerateItem,
  LogitsItem,
  Memory,
  NamedStates,
  ScoreItem,
  States,
  StatesSource,
} from '../engine/engine.js';
import type { QueuedEngine, QueuedRequestOptions } from '../engine/queue.js';
import {
  type Answers,
  errorOf,
  type Failure,
  type FromProcess,
  failureOf,
  resultsOf,
  type SentItem,
  type SentName,
  type SentRequest,
  type StartProcess,
  type ToProcess,
} from './messages.js';
import { OpenStores } from './open-stores.js';
import { sharedCopy, startWorkerEngine } from './worker-engine.js';

/** The way to the host. */
export interface ProcessPort {
  send(message: FromProcess): void;
  onMessage(receive: (message: ToProcess) => void): void;
  /** Closes the way to the host, after which the process ends by itself. */
  close(): void;
}

/** Answers until it is told to close. What goes wrong is answered too, never thrown. */
export async function serveEngine(port: ProcessPort, { model, options }: StartProcess): Promise<void> {
  try {
    const engine = await startWorkerEngine(model, options, options.device !== 'cpu');
    const server = new EngineServer(engine, port);
    port.onMessage((message) => server.receive(message));
    port.send({ type: 'ready', info: engine.info });
  } catch (error) {
    port.send({ type: 'failed', error: failureOf(error) });
    port.close();
  }
}

class EngineServer {
  readonly #engine: QueuedEngine;
  readonly #port: ProcessPort;
  readonly #cancels = new Map<number, AbortController>();
  readonly #sources = new Map<number, StatesSource>();
  readonly #stores = new OpenStores();
  /** Reads that the host makes for us. */
  readonly #reads = new Map<number, (answers: Answers | Failure) => void>();
  #nextRead = 0;

  constructor(engine: QueuedEngine, port: ProcessPort) {
    this.#engine = engine;
    this.#port = port;
  }

  receive(message: ToProcess): void {
    switch (message.type) {
      case 'request':
        void this.#answer(message);
        break;
      case 'cancel':
        this.#cancels.get(message.id)?.abort();
        break;
      case 'source': {
        const { source, address } = message;
        this.#sources.set(source, address === undefined ? this.#hostsSource(source) : this.#stores.at(address));
        break;
      }
      case 'states':
        this.#reads.get(message.id)?.(message.answers);
        this.#reads.delete(message.id);
        break;
      case 'load':
        void this.#engine.load().then(
          (load) => this.#port.send({ type: 'load', id: message.id, load }),
          (error) => this.#port.send({ type: 'error', id: message.id, error: failureOf(error) }),
        );
        break;
      case 'close':
        void this.#close();
    }
  }

  async #answer({ id, method, items, layers, tellsTokens, options }: SentRequest): Promise<void> {
    const cancel = new AbortController();
    this.#cancels.set(id, cancel);
    const own: QueuedRequestOptions = {
      ...options,
      signal: cancel.signal,
      onStarted: () => this.#port.send({ type: 'started', id }),
      onProgress: (done, total) => this.#port.send({ type: 'progress', id, done, total }),
      ...(tellsTokens && { onTokens: (chosen) => this.#port.send({ type: 'tokens', id, chosen }) }),
      onPhases: (times) => this.#port.send({ type: 'phases', id, times }),
    };
    try {
      const copies = new Map<States, States>();
      const received = items.map((item) => this.#received(item, copies));
      const asked: Record<SentRequest['method'], () => Promise<unknown>> = {
        encode: () => this.#engine.encode(received as EncodeItem[], own),
        score: () => this.#engine.score(received as ScoreItem[], own),
        scoreTempered: () => this.#engine.scoreTempered(received as ScoreItem[], own),
        logits: () => this.#engine.logits(received as LogitsItem[], own),
        generate: () => this.#engine.generate(received as GenerateItem[], own),
        probe: () => this.#engine.probe(received as EncodeItem[], layers!, own),
      };
      this.#port.send({ type: 'result', id, value: await asked[method]() });
    } catch (error) {
      this.#port.send({ type: 'error', id, error: failureOf(error) });
    } finally {
      this.#cancels.delete(id);
    }
  }

  /** Copies an item into memory of its own: parts of the pipe's messages would be sent to threads with the whole message. */
  #received(item: SentItem, copies: Map<States, States>): EncodeItem | ScoreItem | LogitsItem | GenerateItem {
    if (!('memory' in item)) {
      const { tokenIds, positions, pairMask } = item;
      return {
        tokenIds: tokenIds.slice(),
        ...(positions && { positions: positions.slice() }),
        ...(pairMask && { pairMask: pairMask.slice() }),
      };
    }
    const said = {
      prompt: item.prompt.slice(),
      ...('target' in item && { target: item.target.slice() }),
      ...('tokens' in item && { tokens: item.tokens.slice() }),
    };
    return { ...item, ...said, memory: this.#memory(item.memory, copies) };
  }

  #memory(memory: Memory | SentName, copies: Map<States, States>): Memory | NamedStates {
    if ('source' in memory) return { ...memory, source: this.#sources.get(memory.source)! };
    return memory.map((range) => {
      const states = copies.get(range.states) ?? sharedCopy(range.states);
      copies.set(range.states, states);
      return { ...range, states };
    });
  }

  #hostsSource(source: number): StatesSource {
    return {
      address: undefined,
      statesOf: async (keys, fingerprints) => {
        const id = this.#nextRead++;
        const answers = await new Promise<Answers | Failure>((resolve) => {
          this.#reads.set(id, resolve);
          this.#port.send({ type: 'read', id, source, keys, fingerprints });
        });
        if ('code' in answers) throw errorOf(answers);
        const found = resultsOf(answers) as (States | DkvError)[];
        return found.map((own) => (own instanceof DkvError ? own : sharedCopy(own)));
      },
    };
  }

  async #close(): Promise<void> {
    await this.#engine.close();
    await this.#stores.close();
    this.#port.close();
  }
}
