/** An engine in worker threads of this process: the host for the command line and for use as a library. States are shared memory. */
import { Worker } from 'node:worker_threads';
import { DkvError } from '../base/errors.js';
import { BatchTensors } from '../engine/batch-tensors.js';
import type { Device, EngineInfo, Memory, States } from '../engine/engine.js';
import type { ExecutorOptions } from '../engine/executor.js';
import { disableTelemetry } from '../engine/onnxruntime.js';
import { closedError, QueuedEngine } from '../engine/queue.js';
import {
  type Done,
  type FedMethod,
  isFed,
  type Runner,
  type TellTokens,
  type Work,
  type WorkOf,
} from '../engine/runner.js';
import { checkQueueOptions } from '../engine/validation.js';
import type { CompiledModel } from '../model/compiled.js';
import { entry } from './entry.js';
import { errorOf, type FromRunner, handedOver, resultsOf, type StartRunner, type ToRunner } from './messages.js';
import type { HostOptions } from './options.js';

/**
 * Starts the threads and waits until they answer; with `workers`, so many executors side by side behind one queue. With few threads each they lose
 * less time waiting for each other's threads than one executor does with many, as long as there are batches for all.
 * @param ahead make a batch's tensors in this thread while the batch before it is computed: for devices, which would wait meanwhile, and a thread that has
 * little else to do
 * @throws DkvError INPUT_INVALID, DEVICE_UNAVAILABLE, ENGINE_FAILED; none is left running
 */
export async function startWorkerEngine(
  model: CompiledModel,
  options: HostOptions,
  ahead = false,
): Promise<QueuedEngine> {
  const { workers = 1, waitMs, batchMs, queueItems, attentionBytes, ...own } = options;
  checkQueueOptions(options);
  if (!(Number.isInteger(workers) && workers >= 1)) {
    throw new DkvError('INPUT_INVALID', `workers is ${workers}; expected a whole number of at least 1.`);
  }
  expectAlone(own.device, workers);
  const starting = await Promise.allSettled(
    Array.from({ length: workers }, () => WorkerRunner.start(model, own, ahead)),
  );
  const runners = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = starting.find((one) => one.status === 'rejected');
  if (failed) {
    await Promise.all(runners.map((runner) => runner.close()));
    throw failed.reason;
  }
  return new QueuedEngine(runners, {
    ...(waitMs !== undefined && { waitMs }),
    ...(batchMs !== undefined && { batchMs }),
    ...(queueItems !== undefined && { queueItems }),
    ...(attentionBytes !== undefined && { attentionBytes }),
  });
}

/** Threads of this process that compute on WebGPU. */
let onWebgpu = 0;

/**
 * ONNX Runtime's WebGPU provider has one context in a process, which breaks when two sessions run at the same time: results are lost, or the process is.
 * @throws DkvError INPUT_INVALID where there would be a second
 */
export function expectAlone(device: Device, workers: number): void {
  if (device !== 'webgpu' || (workers === 1 && onWebgpu === 0)) return;
  throw new DkvError(
    'INPUT_INVALID',
    workers > 1
      ? `workers is ${workers}; on "webgpu" one engine computes, because ONNX Runtime's provider cannot run two at the same time in a process. Leave workers out.`
      : 'host is "thread", and another engine of this process computes on "webgpu" already; ONNX Runtime\'s provider cannot run two at the same time. Close it first, or leave host out: then each has a process of its own.',
  );
}

type Batch = Extract<ToRunner, { readonly type: 'run' | 'fed' }>;
type Finished = Extract<FromRunner, { readonly type: 'done' | 'given' }>;
type Unnumbered<Message> = Message extends unknown ? Omit<Message, 'id'> : never;

interface Waiting {
  resolve(done: Finished): void;
  reject(error: DkvError): void;
  readonly onTokens: TellTokens | undefined;
}

class WorkerRunner implements Runner {
  readonly info: EngineInfo;
  readonly #worker: Worker;
  readonly #gone: Promise<void>;
  #ended: DkvError | undefined;
  #isClosing = false;
  /** The maker of tensors in this thread, where tensors are made here. */
  readonly #tensors: BatchTensors | undefined;
  /** The callers that wait for batches under way. */
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;

  static async start(model: CompiledModel, options: ExecutorOptions, ahead: boolean): Promise<WorkerRunner> {
    disableTelemetry();
    const worker = new Worker(entry('hosts/worker'), {
      workerData: { model, options } satisfies StartRunner,
      // What this program was started with (a script to evaluate, say) is not for the thread.
      execArgv: [],
    });
    if (options.device === 'webgpu') {
      onWebgpu++;
      worker.once('exit', () => onWebgpu--);
    }
    const info = await new Promise<EngineInfo>((resolve, reject) => {
      worker.once('message', (message: FromRunner) => {
        if (message.type === 'ready') resolve(message.info);
        else if (message.type === 'unstarted') reject(errorOf(message.error));
      });
      worker.once('error', (error) =>
        reject(new DkvError('ENGINE_FAILED', `The engine did not start: ${error.message}`)),
      );
    });
    const { givenRows = false, sharedMemory = true, target = { device: info.device } } = options;
    const tensors = ahead
      ? new BatchTensors(model, info, { device: target.device, givenRows, sharedMemory })
      : undefined;
    return new WorkerRunner(worker, info, tensors);
  }

  private constructor(worker: Worker, info: EngineInfo, tensors: BatchTensors | undefined) {
    this.info = info;
    this.#tensors = tensors;
    this.#worker = worker;
    worker.on('message', (message: FromRunner) => this.#receive(message));
    worker.on('error', (error) =>
      this.#end(new DkvError('ENGINE_FAILED', `The engine's thread failed: ${error.message}`)),
    );
    this.#gone = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#end(this.#isClosing ? closedError() : new DkvError('ENGINE_FAILED', "The engine's thread ended."));
        resolve();
      });
    });
    // An idle engine does not keep the program alive; a batch does.
    worker.unref();
  }

  get ended(): DkvError | undefined {
    return this.#ended;
  }

  get depth(): number {
    return this.#tensors ? 2 : 1;
  }

  async run(work: Work, signal: AbortSignal, onTokens?: TellTokens): Promise<Done> {
    if (this.#ended) throw this.#ended;
    if (this.#tensors && isFed(work)) return this.#runFed(this.#tensors, work, signal);
    const run = { type: 'run', work: withSharedStates(work) } as const;
    const { answers, computedMs } = await this.#ask<'done'>(run, [], signal, onTokens);
    return { results: resultsOf(answers), computedMs };
  }

  /** Runs a batch whose tensors are made here. Making and reading them counts as computing, since the callers wait for it too. */
  async #runFed(tensors: BatchTensors, work: WorkOf<FedMethod>, signal: AbortSignal): Promise<Done> {
    const making = performance.now();
    const batch = tensors.of(work);
    const madeMs = performance.now() - making;
    const { feeds, memory } = handedOver(batch.feeds);
    const fed = { method: work.method, feeds, outputs: batch.outputs };
    const { done } = await this.#ask<'given'>({ type: 'fed', fed }, memory, signal);
    const reading = performance.now();
    const results = batch.results(done.outputs);
    return { results, computedMs: madeMs + done.computedMs + performance.now() - reading };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#worker.ref();
    this.#send({ type: 'close' });
    await this.#gone;
    this.#tensors?.close();
  }

  async #ask<Type extends Finished['type']>(
    batch: Unnumbered<Batch>,
    memory: readonly ArrayBuffer[],
    signal: AbortSignal,
    onTokens?: TellTokens,
  ): Promise<Extract<Finished, { readonly type: Type }>> {
    const id = this.#nextId++;
    const stop = () => this.#send({ type: 'stop', id });
    signal.addEventListener('abort', stop, { once: true });
    this.#worker.ref();
    try {
      const finished = await new Promise<Finished>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, onTokens });
        this.#send({ ...batch, id }, memory);
      });
      return finished as Extract<Finished, { readonly type: Type }>;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0 && !this.#isClosing) this.#worker.unref();
    }
  }

  #send(message: ToRunner, memory: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, memory);
  }

  #receive(message: FromRunner): void {
    if (message.type === 'ready' || message.type === 'unstarted') return;
    const waiting = this.#waiting.get(message.id);
    if (message.type === 'tokens') waiting?.onTokens?.(message.chosen);
    else if (message.type === 'failed') waiting?.reject(errorOf(message.error));
    else waiting?.resolve(message);
  }

  #end(reason: DkvError): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
  }
}

/** A message copies what is not shared, and with a part of a buffer all of it. States that several items read are copied once. */
function withSharedStates(work: Work): Work {
  const copies = new Map<States, States>();
  if (work.method === 'score') return { ...work, items: work.items.map((item) => withSharedMemory(item, copies)) };
  if (work.method === 'scoreTempered') {
    return { ...work, items: work.items.map((item) => withSharedMemory(item, copies)) };
  }
  if (work.method === 'logits') return { ...work, items: work.items.map((item) => withSharedMemory(item, copies)) };
  if (work.method === 'generate') return { ...work, items: work.items.map((item) => withSharedMemory(item, copies)) };
  return work;
}

function withSharedMemory<Item extends { readonly memory: Memory }>(item: Item, copies: Map<States, States>): Item {
  if (item.memory.every(({ states }) => isShared(states))) return item;
  const sharedOf = (states: States): States => {
    if (isShared(states)) return states;
    const known = copies.get(states);
    if (known) return known;
    const copy = sharedCopy(states);
    copies.set(states, copy);
    return copy;
  };
  return { ...item, memory: item.memory.map((range) => ({ ...range, states: sharedOf(range.states) })) };
}

function isShared({ data }: States): boolean {
  return data.buffer instanceof SharedArrayBuffer;
}

/** Copies states into memory that threads share. */
export function sharedCopy({ rows, width, data }: States): States {
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return { rows, width, data: copy };
}
