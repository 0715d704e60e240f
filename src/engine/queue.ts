/**
 * One queue in front of runners: requests of any number of callers, whose items share batches. It checks what is asked, has named states
 * read, chooses the next batch whenever a runner is free, and gives each caller what belongs to it.
 */
import { onAbort } from '../base/aborts.js';
import { DkvError } from '../base/errors.js';
import { type Choice, costOf, type ItemSize, nextBatch, type Waiting } from './batching.js';
import { type Deadline, deadlineOf, deadlinePassed, expectTimeLeft, msLeft } from './deadline.js';
import {
  allRows,
  type EncodeItem,
  type Engine,
  type EngineInfo,
  type EngineLoad,
  type Generated,
  type GenerateItem,
  type GenerateOptions,
  ItemsFailedError,
  type LogitsItem,
  type Priority,
  type Probed,
  type ProbeLayers,
  type ScoreItem,
  type States,
} from './engine.js';
import { encodeSize, generateKind, MemoryIds, promptSize, scoreSize } from './item-sizes.js';
import { Pace } from './pace.js';
import { PhaseMeter } from './phases.js';
import { ReadyItems } from './ready-items.js';
import { type Done, isFed, type Runner, type WithMemory, type Work } from './runner.js';
import { type Held, StatesReader } from './states-reader.js';
import { asTold, ToldTokens, tellingOf, toldOf } from './told-tokens.js';
import {
  checkEncodeItems,
  checkGenerateItems,
  checkLogitsItems,
  checkProbeLayers,
  checkRequestOptions,
  checkScoreItems,
  statesProblem,
} from './validation.js';

export interface QueueOptions {
  /** The milliseconds that a free runner waits for company, where company is expected; 3 by default. A lone caller never waits. */
  readonly waitMs?: number | undefined;
  /**
   * The milliseconds that a batch may take where one item takes less, as far as can be told from earlier batches; no bound by default. 50 is good
   * for serving.
   */
  readonly batchMs?: number | undefined;
  /**
   * The number of items that may wait; a million by default. A request that finds others waiting and would exceed it is refused with ENGINE_BUSY.
   */
  readonly queueItems?: number | undefined;
  /** The bytes that attention may take of a batch's memory; `ATTENTION_BYTES` by default, which is for a CPU. */
  readonly attentionBytes?: number | undefined;
}

/** Options that a host adds to a request's own. */
export interface QueuedRequestOptions extends GenerateOptions {
  /** Called when the first batch with items of the request begins. */
  readonly onStarted?: () => void;
  /** True where `encode` gives HalfStates for all of its items that have a result. */
  readonly asHalves?: boolean | undefined;
  /** The deadline, in place of `deadlineMs`, for time that counts from when the host was asked. */
  readonly deadline?: Deadline | undefined;
}

type Method = Work['method'];
type Item = EncodeItem | ScoreItem | LogitsItem | GenerateItem;

/** A request from its arrival to its end. */
interface Request {
  readonly method: Method;
  readonly layers: ProbeLayers | undefined;
  /** The items, with states in place of their names as soon as the states are there. */
  readonly items: (EncodeItem | WithMemory<ScoreItem> | WithMemory<LogitsItem> | WithMemory<GenerateItem>)[];
  readonly options: QueuedRequestOptions;
  readonly priority: Priority;
  readonly deadline: Deadline | undefined;
  readonly ready: ReadyItems;
  /** The states that items which are not answered yet hold, by item. */
  readonly held: Map<number, Held>;
  readonly results: unknown[];
  readonly errors: Map<number, DkvError>;
  readonly meter: PhaseMeter;
  readonly told: ToldTokens;
  /** The places of items whose states are being read. */
  readonly unread: Set<number>;
  /** The number of batches under way with items of this request. */
  batches: number;
  answered: number;
  since: number;
  isStarted: boolean;
  isAlone: boolean;
  isSettled: boolean;
  settle(outcome: unknown[] | Error): void;
}

/** A batch in hand. */
interface Running {
  readonly runner: Runner;
  readonly parts: readonly { readonly request: Request; readonly places: readonly number[] }[];
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const DEFAULT_WAIT_MS = 3;
const DEFAULT_QUEUE_ITEMS = 1_000_000;
/** How old what is known of a kind's speed may be for a request to be dropped by it: if all were, nothing would be learned any more. */
const RECENT_MS = 1000;
/** The longest time of a timer in milliseconds: Node ends longer ones at once. Deadlines beyond it are looked at before batches only. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class QueuedEngine implements Engine {
  readonly info: EngineInfo;
  /** The free runners, each once for every batch that it can take. */
  readonly #free: Runner[];
  readonly #runners: Set<Runner>;
  readonly #waitMs: number;
  readonly #batchMs: number | undefined;
  readonly #queueItems: number;
  readonly #attentionBytes: number | undefined;
  /** The requests in order of arrival. */
  readonly #requests = new Set<Request>();
  readonly #running = new Set<Running>();
  readonly #reader = new StatesReader();
  readonly #memoryIds = new MemoryIds();
  readonly #pace = new Pace();
  readonly #phases = new PhaseMeter();
  /** The number of requests that were there when the last batch ended, by class and kind. */
  readonly #company = new Map<string, number>();
  #freeSince = 0;
  #batches = 0;
  #isDispatching = false;
  #waitTimer: NodeJS.Timeout | undefined;
  /** The reason why nothing is accepted any more. */
  #ended: DkvError | undefined;
  #closing: Promise<void> | undefined;

  /** @param runners at least one, of the same model; the queue closes them */
  constructor(runners: readonly Runner[], { waitMs, batchMs, queueItems, attentionBytes }: QueueOptions = {}) {
    this.info = runners[0]!.info;
    // What bounds a batch's time bounds what others wait for it: nothing stands between them and the batch that is computed.
    this.#free = runners.flatMap((runner) =>
      Array<Runner>(batchMs === undefined ? (runner.depth ?? 1) : 1).fill(runner),
    );
    this.#runners = new Set(runners);
    this.#waitMs = waitMs ?? DEFAULT_WAIT_MS;
    this.#batchMs = batchMs;
    this.#queueItems = queueItems ?? DEFAULT_QUEUE_ITEMS;
    this.#attentionBytes = attentionBytes;
  }

  async encode(items: readonly EncodeItem[], options?: QueuedRequestOptions): Promise<States[]> {
    checkEncodeItems(items, this.info.shape);
    return (await this.#request('encode', items, undefined, options)) as States[];
  }

  async score(items: readonly ScoreItem[], options?: QueuedRequestOptions): Promise<Float32Array[]> {
    checkScoreItems(items, this.info.shape);
    return (await this.#request('score', items, undefined, options)) as Float32Array[];
  }

  async scoreTempered(items: readonly ScoreItem[], options?: QueuedRequestOptions): Promise<Float32Array[]> {
    checkScoreItems(items, this.info.shape);
    return (await this.#request('scoreTempered', items, undefined, options)) as Float32Array[];
  }

  async logits(items: readonly LogitsItem[], options?: QueuedRequestOptions): Promise<Float32Array[]> {
    checkLogitsItems(items, this.info.shape);
    return (await this.#request('logits', items, undefined, options)) as Float32Array[];
  }

  async generate(items: readonly GenerateItem[], options?: QueuedRequestOptions): Promise<Generated[]> {
    checkGenerateItems(items, this.info.shape);
    return (await this.#request('generate', items, undefined, options)) as Generated[];
  }

  async probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: QueuedRequestOptions): Promise<Probed[]> {
    checkEncodeItems(items, this.info.shape);
    checkProbeLayers(layers, this.info.shape);
    return (await this.#request('probe', items, layers, options)) as Probed[];
  }

  async load(): Promise<EngineLoad> {
    if (this.#ended) throw this.#ended;
    const waitingItems = { interactive: 0, bulk: 0 };
    for (const request of this.#requests) waitingItems[request.priority] += waitingOf(request);
    return {
      waitingItems,
      runningBatches: this.#running.size,
      batches: this.#batches,
      restarts: 0,
      phases: this.#phases.times,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end(closedError());
    // Of texts the end may be far.
    for (const { stop, parts } of this.#running) if (parts[0]!.request.method === 'generate') stop.abort();
    await Promise.all([...this.#running].map(({ ended }) => ended));
    await Promise.all([...this.#runners].map((runner) => runner.close()));
  }

  /** Begins nothing any more. Requests of which every item is in a batch are still answered. */
  #end(reason: DkvError): void {
    this.#ended ??= reason;
    this.#reader.close();
    clearTimeout(this.#waitTimer);
    for (const request of [...this.#requests]) if (waitingOf(request) > 0) this.#settle(request, this.#ended);
  }

  async #request(
    method: Method,
    items: readonly Item[],
    layers: ProbeLayers | undefined,
    options: QueuedRequestOptions = {},
  ): Promise<unknown[]> {
    checkRequestOptions(options);
    if (this.#ended) throw this.#ended;
    const { signal, priority = 'interactive', tokenisingMs = 0, deadline = deadlineOf(options.deadlineMs) } = options;
    if (signal?.aborted) throw cancelledError();
    expectTimeLeft(deadline);
    if (items.length === 0) return [];
    this.#expectRoom(items.length);
    const cancelling: (() => void)[] = [];
    try {
      return await new Promise<unknown[]>((resolve, reject) => {
        const request: Request = {
          method,
          layers,
          items: [...items] as Request['items'],
          options,
          priority,
          deadline,
          ready: new ReadyItems(),
          held: new Map(),
          results: new Array(items.length),
          errors: new Map(),
          meter: new PhaseMeter(this.#phases),
          told: new ToldTokens(),
          unread: new Set(),
          batches: 0,
          answered: 0,
          since: performance.now(),
          isStarted: false,
          isAlone: false,
          isSettled: false,
          settle: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
        };
        cancelling.push(onAbort(signal, () => this.#settle(request, cancelledError())));
        if (deadline && deadline.ms <= LONGEST_TIMER_MS) {
          const timer = setTimeout(() => this.#passDeadline(request, deadline), Math.max(0, msLeft(deadline)));
          cancelling.push(() => clearTimeout(timer));
        }
        request.meter.add('tokenising', tokenisingMs);
        this.#requests.add(request);
        this.#admit(request, items);
      });
    } finally {
      for (const stop of cancelling) stop();
    }
  }

  #expectRoom(count: number): void {
    let waiting = 0;
    for (const request of this.#requests) waiting += waitingOf(request);
    if (waiting === 0 || waiting + count <= this.#queueItems) return;
    throw new DkvError(
      'ENGINE_BUSY',
      `${waiting} items wait for the engine, and this request would bring ${count} more; ${this.#queueItems} may wait at a time. Come again later, or with fewer items.`,
    );
  }

  #passDeadline(request: Request, deadline: Deadline): void {
    if (!request.isStarted) {
      this.#settle(request, deadlinePassed(deadline));
      return;
    }
    if (!request.options.dropLate || waitingOf(request) === 0) return;
    const late = [...request.ready.clear(), ...request.unread];
    request.unread.clear();
    for (const place of late) this.#answer(request, place, deadlinePassed(deadline));
    this.#advance(request);
  }

  /** Drops what waits beyond its deadline, and what could not end before it. A timer comes late where something has held this thread. */
  #passDeadlines(): void {
    for (const request of [...this.#requests]) {
      const { deadline } = request;
      if (!deadline) continue;
      const left = msLeft(deadline);
      if (left <= 0) this.#passDeadline(request, deadline);
      else if (this.#isHopeless(request, left)) this.#settle(request, hopelessError(deadline));
    }
  }

  /**
   * Tells whether a request that drops what is late would drop some of it, going by what batches have taken lately. Where more is asked for than can be computed every request
   * gets its turn just before its deadline: begun then, each would be computed in part, for nobody.
   */
  #isHopeless({ options, isStarted, unread, ready, method }: Request, left: number): boolean {
    if (!options.dropLate || isStarted || unread.size > 0 || method === 'generate') return false;
    let needed = 0;
    for (const group of ready.groups()) {
      needed += this.#pace.msOf(group.kind, group.count * costOf(group), RECENT_MS) ?? 0;
    }
    return needed > left;
  }

  /** Admits a request's items: at once, or when the states that they name have been read. */
  #admit(request: Request, items: readonly Item[]): void {
    const wants = [];
    for (const [place, item] of items.entries()) {
      if (!('memory' in item) || !('source' in item.memory)) {
        this.#makeReady(request, place);
        continue;
      }
      const named = item.memory;
      const isAwaited = () => !request.isSettled && request.unread.has(place);
      request.unread.add(place);
      wants.push({
        named,
        owner: request,
        priority: request.priority,
        isGone: () => !isAwaited(),
        take: (held: Held) => {
          request.unread.delete(place);
          request.held.set(place, held);
          request.items[place] = { ...item, memory: [allRows(held.states)] };
          const problem = statesProblem(held.states, this.info.shape, named.key);
          if (problem) this.#answer(request, place, problem);
          else this.#makeReady(request, place);
          this.#advance(request);
        },
        refuse: (error: DkvError) => {
          if (!isAwaited()) return;
          request.unread.delete(place);
          this.#answer(request, place, error);
          this.#advance(request);
        },
        fail: (error: Error) => isAwaited() && this.#settle(request, error),
      });
    }
    this.#advance(request);
    if (wants.length > 0) this.#reader.read(wants);
  }

  #makeReady(request: Request, place: number): void {
    const item = request.items[place]!;
    request.ready.add(place, kindOf(request, item), this.#sizeOf(item));
  }

  #sizeOf(item: Request['items'][number]): ItemSize {
    if (!('memory' in item)) return encodeSize(item);
    return 'target' in item ? scoreSize(item, this.#memoryIds) : promptSize(item, this.#memoryIds);
  }

  #answer(request: Request, place: number, result: unknown): void {
    if (result instanceof DkvError) request.errors.set(place, result);
    else request.results[place] = result;
    request.answered++;
    request.held.get(place)?.release();
    request.held.delete(place);
  }

  /** Says what the request is at, ends it when all is answered, and lets a free runner look at what waits. */
  #advance(request: Request): void {
    if (request.isSettled) return;
    const { results, errors, answered, batches, ready, unread } = request;
    if (answered === results.length) {
      this.#settle(request, errors.size > 0 ? new ItemsFailedError(errors, results) : results);
      return;
    }
    const computing = request.method === 'encode' || request.method === 'probe' ? 'encoding' : 'decoding';
    request.meter.enter(batches > 0 ? computing : ready.count === 0 && unread.size > 0 ? 'reading' : 'waiting');
    this.#dispatchSoon();
  }

  #settle(request: Request, outcome: unknown[] | Error): void {
    if (request.isSettled) return;
    request.isSettled = true;
    this.#requests.delete(request);
    request.meter.enter(undefined);
    for (const held of request.held.values()) held.release();
    request.held.clear();
    for (const { parts, stop } of this.#running) {
      if (parts.every((part) => part.request.isSettled)) stop.abort();
    }
    try {
      request.options.onPhases?.(request.meter.times);
      request.settle(outcome);
    } catch (error) {
      request.settle(thrown(error));
    }
    this.#dispatchSoon();
  }

  /** Chooses batches after waiting messages were heard, so that requests that come together share batches. */
  #dispatchSoon(): void {
    if (this.#isDispatching || this.#free.length === 0) return;
    this.#isDispatching = true;
    setImmediate(() => {
      this.#isDispatching = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    clearTimeout(this.#waitTimer);
    // One that ended while it had nothing to do.
    for (const runner of this.#free.filter(({ ended }) => ended)) {
      this.#free.splice(this.#free.indexOf(runner), 1);
      this.#remove(runner);
    }
    while (this.#free.length > 0 && !this.#ended) {
      this.#passDeadlines();
      const requests = [...this.#requests].filter(({ ready }) => ready.count > 0);
      const choice = nextBatch(requests.map(waitingView), {
        batchTokens: this.info.batchTokens,
        heads: { encoder: this.info.shape.encoder.heads, decoder: this.info.shape.decoder.heads },
        attentionBytes: this.#attentionBytes,
        freeRunners: Math.max(1, new Set(this.#free.filter((runner) => this.#isIdle(runner))).size),
        now: performance.now(),
        freeSince: this.#freeSince,
        waitMs: this.#waitMs,
        mostRows: (kind) =>
          this.#batchMs === undefined ? Number.POSITIVE_INFINITY : this.#pace.rowsWithin(kind, this.#batchMs),
        company: (kind, priority) => this.#company.get(`${priority} ${kind}`) ?? 1,
      });
      if (choice === undefined) return;
      if (typeof choice === 'number') {
        this.#waitTimer = setTimeout(() => this.#dispatch(), Math.min(choice, LONGEST_TIMER_MS));
        return;
      }
      const lead = requests[choice.takes[0]!.request]!;
      const runner =
        this.#free.find((own) => this.#isIdle(own)) ?? this.#free.find((own) => isFed(lead) && this.#goesOn(own));
      if (!runner) return;
      this.#free.splice(this.#free.indexOf(runner), 1);
      this.#run(runner, requests, choice);
    }
  }

  #isIdle(runner: Runner): boolean {
    return ![...this.#running].some((own) => own.runner === runner);
  }

  /**
   * Tells whether each batch that the runner has under way is a single run of a graph. Behind a text that is being written another batch would wait
   * for long.
   */
  #goesOn(runner: Runner): boolean {
    return [...this.#running].every((own) => own.runner !== runner || isFed(own.parts[0]!.request));
  }

  #run(runner: Runner, requests: readonly Request[], choice: Choice): void {
    const parts = choice.takes.map(({ request: at, count }) => {
      const request = requests[at]!;
      return { request, places: request.ready.take(choice, count) };
    });
    const stop = new AbortController();
    const work = workOf(parts, choice);
    const onTokens = tellingOf(parts, (request, error) => this.#settle(request, thrown(error)));
    const ended = runner.run(work, stop.signal, onTokens).then(
      ({ results, computedMs }: Done) => {
        this.#pace.learn(choice.kind, work.items.length * costOf(choice), computedMs);
        this.#leave(running, runner, choice.kind);
        this.#deliver(running, results);
      },
      (error: DkvError) => {
        this.#leave(running, runner, choice.kind);
        this.#fail(running, runner, error);
      },
    );
    const running: Running = { runner, parts, stop, ended };
    this.#running.add(running);
    this.#batches++;
    for (const { request } of parts) {
      request.batches++;
      if (!request.isStarted) request.options.onStarted?.();
      request.isStarted = true;
      this.#advance(request);
    }
  }

  /** Ends a batch, whether it succeeded or failed. */
  #leave(running: Running, runner: Runner, kind: string): void {
    this.#running.delete(running);
    const there = new Set(running.parts.map(({ request }) => request));
    for (const request of there) request.batches--;
    const { priority } = running.parts[0]!.request;
    for (const request of this.#requests) {
      if (request.priority === priority && request.ready.has(kind)) there.add(request);
    }
    this.#company.set(`${priority} ${kind}`, there.size);
    if (runner.ended) {
      this.#remove(runner);
      return;
    }
    if (this.#free.length === 0) this.#freeSince = performance.now();
    this.#free.push(runner);
    this.#dispatchSoon();
  }

  #remove(runner: Runner): void {
    this.#runners.delete(runner);
    if (this.#runners.size === 0) this.#end(runner.ended!);
  }

  #deliver({ parts }: Running, results: readonly unknown[]): void {
    let at = 0;
    for (const { request, places } of parts) {
      const own = results.slice(at, at + places.length);
      at += places.length;
      if (request.isSettled) continue;
      for (const [i, place] of places.entries()) this.#answer(request, place, asTold(request, place, own[i]));
      try {
        request.options.onProgress?.(request.answered, request.results.length);
      } catch (error) {
        this.#settle(request, thrown(error));
      }
      this.#advance(request);
    }
  }

  /**
   * Handles a failed batch. If several requests shared it, it is tried again for each of them alone, because one that asks for too much must not
   * spoil the others.
   */
  #fail({ parts }: Running, runner: Runner, error: DkvError): void {
    const isShared = parts.length > 1 && !runner.ended && !this.#ended;
    for (const { request, places } of parts) {
      if (request.isSettled) continue;
      if (!isShared) {
        this.#settle(request, this.#ended ?? error);
        continue;
      }
      request.isAlone = true;
      for (const place of places) this.#makeReady(request, place);
      this.#advance(request);
    }
  }
}

/** The number of items of which no batch has begun. */
function waitingOf({ ready, unread }: Request): number {
  return ready.count + unread.size;
}

function waitingView({ priority, ready, since, isAlone }: Request): Waiting {
  return { priority, groups: ready.groups(), since, isAlone };
}

function kindOf({ method, layers, options }: Request, item: Request['items'][number]): string {
  if ('maxTokens' in item) return `${method} ${generateKind(item)}`;
  if (layers) return `${method} ${JSON.stringify([layers.hidden, layers.attention])}`;
  return options.asHalves ? `${method} as halves` : method;
}

function workOf(parts: Running['parts'], { rows, memoryRows }: Choice): Work {
  const [{ method, layers, options }] = parts.map(({ request }) => request) as [Request];
  const items = parts.flatMap(({ request, places }) => places.map((place) => request.items[place]!));
  const { asHalves } = options;
  const told = method === 'generate' ? toldOf(parts) : [];
  return {
    ...{ method, items, rows, memoryRows },
    ...(layers && { layers }),
    ...(asHalves && { asHalves }),
    ...(told.length > 0 && { told }),
  } as Work;
}

function hopelessError({ ms }: Deadline): DkvError {
  return new DkvError(
    'DEADLINE_PASSED',
    `The request could not end before its deadline of ${ms} ms when its turn came. Give it more time, or the engine fewer requests.`,
  );
}

/** The error to reject a request with, when a function of the caller's has thrown something. */
export function thrown(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

export function closedError(): DkvError {
  return new DkvError('ENGINE_CLOSED', 'The engine was closed.');
}

export function cancelledError(): DkvError {
  return new DkvError('CANCELLED', 'The request was cancelled.');
}
