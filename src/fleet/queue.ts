/**
 * The chunks of a plan in a queue of BullMQ, on Redis or Valkey. The queue holds numbers of chunks and nothing else: what is done is said by the catalogue, so that a
 * queue that is lost is filled again by whoever finds it empty. This file is loaded by those who use a queue alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { DkvError, messageOf } from '../base/errors.js';
import { inParallel } from '../base/parallel.js';
import { parseAddress, type RedisAddress, redisConnection } from '../store/backends/address.js';

/**
 * A worker holds a chunk for so long without saying that it goes on, which it does twice meanwhile, on the thread that packs. Packing held this thread for half a
 * second at a time, and once for two seconds on a busy machine (docs/fleet.md).
 */
const LOCK_MS = 30_000;
/** How often somebody looks for chunks whose workers have died. */
const STALLED_EVERY_MS = 15_000;
/** A chunk whose worker has died so often is taken for poisoned. Workers that are asked to end put theirs back, which does not count. */
const MOST_STALLED = 3;
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 5000;
/** How often a worker without a chunk looks whether anything is left. */
const IDLE_MS = 2000;
/** Jobs that are kept once they are done, to be looked at. */
const KEPT_DONE = 100;
const ADDED_TOGETHER = 1000;
const ASKED_TOGETHER = 100;
/** A server that does not answer for so long is not there. */
const CONNECT_MS = 10_000;

interface ChunkData {
  readonly chunk: number;
}

export interface DeadChunk {
  readonly chunk: number;
  readonly reason: string;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  /** Chunks that have failed and are tried again after a pause. */
  readonly delayed: number;
  /** Chunks that have failed too often. */
  readonly dead: readonly DeadChunk[];
}

/** The queue of a plan, to fill it and to look at it. */
export class FleetQueue {
  readonly location: string;
  readonly #queue: Queue<ChunkData>;

  private constructor(location: string, queue: Queue<ChunkData>) {
    this.location = location;
    this.#queue = queue;
    // Requests tell of their own failure.
    queue.on('error', () => undefined);
  }

  /**
   * @param address redis://host:port/database?prefix=name
   * @throws DkvError INPUT_INVALID, STORE_UNREACHABLE
   */
  static async open(address: string, plan: string): Promise<FleetQueue> {
    const place = redisAddress(address);
    await expectServer(place);
    const connection = { ...connectionTo(place), maxRetriesPerRequest: 1 };
    return new FleetQueue(place.shown, new Queue<ChunkData>(nameOf(plan), { connection, prefix: place.prefix }));
  }

  /**
   * Puts chunks into the queue. One that is there already stays as it is.
   * @param retry put chunks that have failed too often there again
   * @returns the number of chunks that were put there
   */
  async fill(chunks: readonly number[], retry = false): Promise<number> {
    let added = 0;
    for (let at = 0; at < chunks.length; at += ADDED_TOGETHER) {
      added += await this.#asking(this.#fill(chunks.slice(at, at + ADDED_TOGETHER), retry));
    }
    return added;
  }

  async #fill(chunks: readonly number[], retry: boolean): Promise<number> {
    const fresh: number[] = [];
    await inParallel(chunks, ASKED_TOGETHER, async (chunk) => {
      const job = await this.#queue.getJob(idOf(chunk));
      const state = job && (await job.getState());
      // A job that is done, and whose chunk is missing all the same, has lost what it made.
      const isOver = state === 'completed' || (state === 'failed' && retry);
      if (isOver) await job?.remove();
      if (!job || isOver) fresh.push(chunk);
    });
    fresh.sort((one, other) => one - other);
    const jobs = fresh.map((chunk) => ({ name: 'chunk', data: { chunk }, opts: { jobId: idOf(chunk), ...JOB } }));
    return (await this.#queue.addBulk(jobs)).length;
  }

  async counts(): Promise<QueueCounts> {
    return this.#asking(
      (async () => {
        const {
          waiting = 0,
          active = 0,
          delayed = 0,
          prioritized = 0,
        } = await this.#queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
        const failed = await this.#queue.getFailed();
        const dead = failed.map(({ data, failedReason }) => ({ chunk: data.chunk, reason: failedReason }));
        return {
          waiting: waiting + prioritized,
          active,
          delayed,
          dead: dead.sort((one, other) => one.chunk - other.chunk),
        };
      })(),
    );
  }

  /** Takes the queue away. Workers that are at it go on with the chunk in hand. */
  async remove(): Promise<void> {
    await this.#asking(this.#queue.obliterate({ force: true }));
  }

  async close(): Promise<void> {
    await this.#queue.close().catch(() => undefined);
  }

  /** @throws DkvError STORE_UNREACHABLE */
  async #asking<T>(answer: Promise<T>): Promise<T> {
    const late = new AbortController();
    const waited = sleep(CONNECT_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error(`no answer within ${CONNECT_MS} ms`);
    });
    try {
      return await Promise.race([answer, waited]);
    } catch (error) {
      throw new DkvError(
        'STORE_UNREACHABLE',
        `${this.location}: ${messageOf(error)}. Is there a Redis or Valkey server?`,
      );
    } finally {
      late.abort();
      waited.catch(() => undefined);
      answer.catch(() => undefined);
    }
  }
}

export interface ServeOptions {
  readonly address: string;
  readonly plan: string;
  /** Works on a chunk; what it throws is the reason of the failure. CANCELLED puts the chunk back. */
  readonly work: (chunk: number) => Promise<void>;
  /** The numbers of the chunks that are not done, as the catalogue says. */
  readonly missing: () => Promise<readonly number[]>;
  /** Aborting this signal ends the serving once `work` has ended. */
  readonly signal: AbortSignal;
  readonly onNotice: (notice: string) => void;
  /** A worker that has died is noticed after about so long, in milliseconds; 30,000 by default. */
  readonly lockMs?: number | undefined;
}

/**
 * Takes chunks from the queue until none is left, here or with other workers. Where the server was lost and came back empty, the queue is filled again.
 * @throws DkvError INPUT_INVALID, STORE_UNREACHABLE where there is no server at the start; FLEET_INCOMPLETE where chunks have failed too often; CANCELLED
 */
export async function serveQueue(options: ServeOptions): Promise<void> {
  const { address, plan, work, missing, signal, onNotice, lockMs = LOCK_MS } = options;
  const queue = await FleetQueue.open(address, plan);
  const place = redisAddress(address);
  let isBusy = false;
  const worker = new Worker<ChunkData>(
    nameOf(plan),
    async (job, token) => {
      isBusy = true;
      try {
        await work(job.data.chunk);
      } catch (error) {
        const code = error instanceof DkvError ? error.code : undefined;
        if (code === 'CANCELLED') {
          await job.moveToWait(token);
          throw new WaitingError();
        }
        const reason = code === undefined ? messageOf(error) : `${code}: ${messageOf(error)}`;
        onNotice(`Chunk ${job.data.chunk}: ${reason}`);
        throw code === 'FLEET_MISMATCH' ? new UnrecoverableError(reason) : new Error(reason);
      } finally {
        isBusy = false;
      }
    },
    {
      connection: { ...connectionTo(place), maxRetriesPerRequest: null },
      prefix: place.prefix,
      concurrency: 1,
      lockDuration: lockMs,
      stalledInterval: Math.min(STALLED_EVERY_MS, lockMs),
      maxStalledCount: MOST_STALLED,
      autorun: false,
    },
  );
  let told = '';
  worker.on('error', (error) => {
    // A server that is away is said once, and waited for.
    if (error.message !== told) onNotice(`${place.shown}: ${error.message}`);
    told = error.message;
  });
  void worker.run().catch((error: unknown) => onNotice(messageOf(error)));
  try {
    while (!signal.aborted) {
      await sleep(IDLE_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || isBusy) continue;
      const left = await missing();
      if (left.length === 0) return;
      const counts = await queue.counts().catch(() => undefined);
      if (!counts || counts.waiting + counts.active + counts.delayed > 0) continue;
      const dead = new Set(counts.dead.map(({ chunk }) => chunk));
      const lost = left.filter((chunk) => !dead.has(chunk));
      if (lost.length > 0) await queue.fill(lost).catch(() => undefined);
      else throw deadChunks(plan, counts.dead);
    }
  } finally {
    await worker.close();
    await queue.close();
  }
  throw new DkvError('CANCELLED', 'Stopped; the chunk in hand was put back into the queue.');
}

function deadChunks(plan: string, dead: readonly DeadChunk[]): DkvError {
  const shown = dead.slice(0, 5).map(({ chunk, reason }) => `Chunk ${chunk}: ${reason}`);
  return new DkvError(
    'FLEET_INCOMPLETE',
    `Plan ${plan}: ${dead.length} chunks have failed too often, and nothing else is left. Mend what is wrong, then put them back: dkv fleet queue --retry\n${shown.join('\n')}`,
  );
}

/** What every job has: it is tried again after pauses, and of those that are done few are kept. Those that failed are the list of the dead, and stay. */
const JOB = {
  attempts: ATTEMPTS,
  backoff: { type: 'exponential', delay: FIRST_PAUSE_MS, jitter: 0.5 },
  removeOnComplete: { count: KEPT_DONE },
  removeOnFail: false,
};

function idOf(chunk: number): string {
  return `chunk-${chunk}`;
}

function nameOf(plan: string): string {
  return `fleet-${plan}`;
}

/** @throws DkvError INPUT_INVALID */
function redisAddress(text: string): RedisAddress {
  const address = parseAddress(text);
  if (address.kind === 'redis') return address;
  throw new DkvError(
    'INPUT_INVALID',
    `${text}: a queue is on Redis or Valkey: redis://host:port/database?prefix=name.`,
  );
}

/** Asks once, without waiting for a server to come, as BullMQ would. @throws DkvError STORE_UNREACHABLE, STORE_DENIED */
async function expectServer(place: RedisAddress): Promise<void> {
  const redis = new Redis({ ...connectionTo(place), lazyConnect: true, retryStrategy: () => null });
  let last: unknown;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const reason = messageOf(last ?? error);
    const isDenied = /NOAUTH|WRONGPASS|NOPERM/.test(`${reason} ${messageOf(error)}`);
    throw new DkvError(
      isDenied ? 'STORE_DENIED' : 'STORE_UNREACHABLE',
      `${place.shown}: ${reason}. ${isDenied ? 'Give the right user and password.' : 'Is there a Redis or Valkey server?'}`,
    );
  } finally {
    redis.disconnect();
  }
}

function connectionTo(place: RedisAddress) {
  return {
    ...redisConnection(place),
    connectTimeout: CONNECT_MS,
    retryStrategy: (times: number) => Math.min(100 * times, 2000),
  };
}
