/**
 * The store on a Redis or Valkey server, shared by machines. Every write is one script, so nobody sees half of it. All keys begin
 * with one name in braces, which keeps them on one node of a cluster.
 */
import { Redis } from 'ioredis';
import { z } from 'zod';
import { asBuffer } from '../../base/bytes.js';
import { DkvError, type ErrorCode, messageOf } from '../../base/errors.js';
import { grouped } from '../../base/groups.js';
import type { Collected } from '../store.js';
import { type RedisAddress, redisConnection } from './address.js';
import {
  type Backend,
  type Blob,
  type Decode,
  type Expiring,
  expectFits,
  type Found,
  foundIn,
  full,
  readingTurns,
  type Slot,
  type Usage,
} from './backend.js';
import { UseClock } from './use-clock.js';

const PAGE = 256;
/** The number of records in a pipeline, while their sizes are not known. */
const PIPELINE_RECORDS = 32;
const PIPELINE_BYTES = 32 * 1024 ** 2;
const PIPELINE_SLOTS = 1024;

/**
 * Tables under the base name: `r:<key>` bytes of a record; `size`, hash of key to bytes; `used`, `stored`, `expires`, sorted sets of
 * keys by time; `refs:<key>`, set of slots; `pins`; `total`, bytes; `documents`, hash of slot to bytes; `needs:<slot>`, set of
 * keys; `slotExpires`, sorted set of slots.
 */
const TABLES = `
local base = KEYS[1]
local function drop(key)
  local size = redis.call('HGET', base .. 'size', key)
  if not size then return 0 end
  redis.call('DEL', base .. 'r:' .. key)
  redis.call('HDEL', base .. 'size', key)
  for _, name in ipairs({'used', 'stored', 'expires'}) do redis.call('ZREM', base .. name, key) end
  redis.call('DECRBY', base .. 'total', size)
  return tonumber(size)
end
local function dropSlot(slot)
  for _, key in ipairs(redis.call('SMEMBERS', base .. 'needs:' .. slot)) do
    redis.call('SREM', base .. 'refs:' .. key, slot)
  end
  redis.call('DEL', base .. 'needs:' .. slot)
  redis.call('ZREM', base .. 'slotExpires', slot)
  return redis.call('HDEL', base .. 'documents', slot)
end
`;

/** ARGV: now, time of use, maximum, number of records, (key, bytes, expiry or '')..., slot or '', bytes, expiry or '', keys... */
const WRITE = `${TABLES}
local now, use, max, count = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local at, kept, needed = 5, {}, tonumber(redis.call('GET', base .. 'total') or '0')
for i = 0, count - 1 do
  local key, bytes = ARGV[at + 3 * i], ARGV[at + 3 * i + 1]
  needed = needed + #bytes - tonumber(redis.call('HGET', base .. 'size', key) or '0')
  kept[key] = true
end
if max >= 0 and needed > max then
  local victims, from = {}, 0
  while needed > max do
    local page = redis.call('ZRANGE', base .. 'used', from, from + 63)
    if #page == 0 then return needed end
    for _, key in ipairs(page) do
      if needed > max and not kept[key] and redis.call('SISMEMBER', base .. 'pins', key) == 0 then
        victims[#victims + 1] = key
        needed = needed - tonumber(redis.call('HGET', base .. 'size', key) or '0')
      end
    end
    from = from + 64
  end
  for _, key in ipairs(victims) do drop(key) end
end
for i = 0, count - 1 do
  local key, bytes, expires = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  drop(key)
  redis.call('SET', base .. 'r:' .. key, bytes)
  redis.call('HSET', base .. 'size', key, #bytes)
  redis.call('ZADD', base .. 'used', use, key)
  redis.call('ZADD', base .. 'stored', now, key)
  if expires ~= '' then redis.call('ZADD', base .. 'expires', expires, key) end
  redis.call('INCRBY', base .. 'total', #bytes)
  at = at + 3
end
local slot = ARGV[at]
if slot ~= '' then
  dropSlot(slot)
  redis.call('HSET', base .. 'documents', slot, ARGV[at + 1])
  if ARGV[at + 2] ~= '' then redis.call('ZADD', base .. 'slotExpires', ARGV[at + 2], slot) end
  for i = at + 3, #ARGV do
    redis.call('SADD', base .. 'needs:' .. slot, ARGV[i])
    redis.call('SADD', base .. 'refs:' .. ARGV[i], slot)
  end
end
return 0
`;

/** The script that removes records. ARGV: keys. */
const REMOVE = `${TABLES}
for _, key in ipairs(ARGV) do drop(key) end
`;

/** The script that deletes a slot. ARGV: slot. */
const DELETE_SLOT = `${TABLES}
return dropSlot(ARGV[1])
`;

/** One page of expired documents and records. ARGV: now, page. Answers documents, records, bytes. */
const EXPIRE = `${TABLES}
local slots = redis.call('ZRANGEBYSCORE', base .. 'slotExpires', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, slot in ipairs(slots) do dropSlot(slot) end
local keys, bytes = redis.call('ZRANGEBYSCORE', base .. 'expires', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2]), 0
for _, key in ipairs(keys) do bytes = bytes + drop(key) end
return {#slots, #keys, bytes}
`;

/** One page of what nobody needs. ARGV: latest time of storing, how many to pass over, page. Answers looked at, records, bytes. */
const SWEEP = `${TABLES}
local keys, gone, bytes =
  redis.call('ZRANGEBYSCORE', base .. 'stored', '-inf', ARGV[1], 'LIMIT', ARGV[2], ARGV[3]), 0, 0
for _, key in ipairs(keys) do
  if redis.call('EXISTS', base .. 'refs:' .. key) == 0 and redis.call('SISMEMBER', base .. 'pins', key) == 0 then
    bytes = bytes + drop(key)
    gone = gone + 1
  end
end
return {#keys, gone, bytes}
`;

const countsSchema = z.tuple([z.number(), z.number(), z.number()]);

export class RedisBackend implements Backend {
  readonly location: string;
  readonly places: readonly string[];
  readonly #redis: Redis;
  readonly #base: string;
  readonly #database: number;
  readonly #maxBytes: number;
  readonly #uses = new UseClock();
  #refusedDatabase: Error | undefined;
  /** The last error of the connection, which the client does not repeat when a request has waited in vain for one. */
  #connectionError: Error | undefined;
  #isReadOnly = false;

  /** @throws DkvError INPUT_INVALID for a database that the server does not have; STORE_DENIED, STORE_UNREACHABLE */
  static async open(address: RedisAddress, maxBytes: number, timeoutMs: number): Promise<RedisBackend> {
    const { username, password } = address;
    const redis = new Redis({
      ...redisConnection(address),
      lazyConnect: true,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      maxRetriesPerRequest: 1,
      retryStrategy: (times) => Math.min(50 * times, 1000),
    });
    const backend = new RedisBackend(address, redis, maxBytes);
    try {
      await backend.#ask(redis.ping());
      // A server without a password takes any, and the client only warns of it.
      if (password !== undefined) {
        await backend.#ask(username === undefined ? redis.auth(password) : redis.auth(username, password));
      }
      // Known beforehand, though every write asks anew. Not every user may ask for it.
      const about = await redis.info('replication').catch(() => '');
      backend.#isReadOnly = /^role:slave/m.test(about) && /^(?:slave|replica)_read_only:1/m.test(about);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
    return backend;
  }

  private constructor({ shown, prefix, database }: RedisAddress, redis: Redis, maxBytes: number) {
    this.location = shown;
    this.places = [shown];
    this.#redis = redis;
    this.#base = `{${prefix}}:`;
    this.#database = database;
    this.#maxBytes = maxBytes;
    // Requests tell of their own failure. But where a server refuses the database, now or when it is connected to again, the client
    // goes on in database 0: nothing may be asked there.
    redis.on('error', (error: Error & { readonly command?: { readonly name?: string } }) => {
      if (error.command?.name !== 'select') {
        this.#connectionError = error;
        return;
      }
      this.#refusedDatabase = error;
      redis.disconnect();
    });
  }

  get isReadOnly(): boolean {
    return this.#isReadOnly;
  }

  /** Reads records in pipelines that each hold a number of bytes: the first one also brings the sizes of the others. */
  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    const turns = readingTurns(signal);
    const found: Found<T>[] = [];
    const take = async (some: readonly string[], replies: readonly unknown[]) => {
      const used: (string | number)[] = [];
      for (const [at, key] of some.entries()) {
        const bytes = replies[at];
        const own = bytes instanceof Buffer ? foundIn(() => decode(bytes, key)) : undefined;
        if (own && !(own instanceof DkvError)) used.push(this.#uses.next(), key);
        found.push(own);
        await turns.breathe();
      }
      if (used.length === 0) return;
      // Nobody waits for it: a use that is not noted only makes eviction less exact. Later requests of this client come after it.
      this.#redis.zadd(`${this.#base}used`, 'XX', ...used).catch(() => undefined);
    };
    const [first, rest] = [keys.slice(0, PIPELINE_RECORDS), keys.slice(PIPELINE_RECORDS)];
    const records = (some: readonly string[]) => some.map((key) => ['getBuffer', `${this.#base}r:${key}`]);
    const ofRest = rest.length > 0 ? [['hmget', `${this.#base}size`, ...rest]] : [];
    const replies = await this.#pipelined([...records(first), ...ofRest]);
    await take(first, replies);
    const sizes = replies[first.length];
    const sizeOf = new Map(rest.map((key, at) => [key, Number(Array.isArray(sizes) ? (sizes[at] ?? 0) : 0)]));
    for (const some of grouped(rest, PIPELINE_BYTES, (key) => sizeOf.get(key)!)) {
      await take(some, await this.#pipelined(records(some)));
    }
    return found;
  }

  async check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    const bytes = await this.#ask(this.#redis.getBuffer(`${this.#base}r:${key}`));
    return bytes ? decode(bytes, key) : undefined;
  }

  async has(key: string, now: number): Promise<boolean> {
    const [present, expiresAt] = await this.#ask(
      Promise.all([this.#redis.exists(`${this.#base}r:${key}`), this.#redis.zscore(`${this.#base}expires`, key)]),
    );
    return present === 1 && Number(expiresAt ?? Number.POSITIVE_INFINITY) > now;
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    expectFits(blobs, this.#maxBytes, this.location);
    const short = await this.#run(WRITE, [
      Date.now(),
      this.#uses.next(),
      Number.isFinite(this.#maxBytes) ? this.#maxBytes : -1,
      blobs.length,
      ...blobs.flatMap(({ key, bytes, expiresAt = '' }) => [key, asBuffer(bytes), expiresAt]),
      ...(slot ? [slot.slot, asBuffer(slot.bytes), slot.expiresAt ?? '', ...slot.keys] : ['', '', '']),
    ]);
    if (short !== 0) throw full(this.location, Number(short), this.#maxBytes);
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    for (const some of grouped(slots, PIPELINE_SLOTS)) {
      const replies = await this.#ask(this.#redis.hmgetBuffer(`${this.#base}documents`, ...some));
      found.push(...replies.map((bytes) => bytes ?? undefined));
    }
    return found;
  }

  async deleteSlot(slot: string): Promise<boolean> {
    return (await this.#run(DELETE_SLOT, [slot])) === 1;
  }

  async remove(key: string): Promise<void> {
    await this.#run(REMOVE, [key]);
  }

  keys(): AsyncIterable<string> {
    return this.#scan('size');
  }

  slots(): AsyncIterable<string> {
    return this.#scan('documents');
  }

  async pin(key: string): Promise<void> {
    await this.#ask(this.#redis.sadd(`${this.#base}pins`, key));
  }

  async unpin(key: string): Promise<void> {
    await this.#ask(this.#redis.srem(`${this.#base}pins`, key));
  }

  async usage(): Promise<Usage> {
    const [records, documents, pinned, total] = await this.#ask(
      Promise.all([
        this.#redis.hlen(`${this.#base}size`),
        this.#redis.hlen(`${this.#base}documents`),
        this.#redis.scard(`${this.#base}pins`),
        this.#redis.get(`${this.#base}total`),
      ]),
    );
    return {
      records,
      documents,
      pinned,
      sizeBytes: Number(total ?? 0),
      ...(Number.isFinite(this.#maxBytes) && { maxBytes: this.#maxBytes }),
    };
  }

  /** Removes what has expired or is not needed, with a script for each page, so that other clients get their turn. */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    const sum = { records: 0, sizeBytes: 0, documents: 0 };
    for (;;) {
      const [documents, records, sizeBytes] = await this.#count(EXPIRE, [now, PAGE]);
      if (documents === 0 && records === 0) break;
      sum.documents += documents;
      sum.records += records;
      sum.sizeBytes += sizeBytes;
    }
    for (let kept = 0; ; ) {
      const [seen, records, sizeBytes] = await this.#count(SWEEP, [now - minimumAgeMs, kept, PAGE]);
      if (seen === 0) return sum;
      kept += seen - records;
      sum.records += records;
      sum.sizeBytes += sizeBytes;
    }
  }

  async close(): Promise<void> {
    await this.#redis.quit().catch(() => undefined);
    this.#redis.disconnect();
  }

  async *#scan(table: string): AsyncIterable<string> {
    // A growing table may name an entry twice.
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const [next, pairs] = await this.#ask(this.#redis.hscan(`${this.#base}${table}`, cursor, 'COUNT', PAGE));
      for (let at = 0; at < pairs.length; at += 2) {
        const name = pairs[at]!;
        if (seen.has(name)) continue;
        seen.add(name);
        yield name;
      }
      cursor = next;
    } while (cursor !== '0');
  }

  #run(script: string, values: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.#ask(this.#redis.eval(script, 1, this.#base, ...values));
  }

  /** Runs a script that answers three numbers. */
  async #count(script: string, values: readonly number[]): Promise<[number, number, number]> {
    const counts = countsSchema.safeParse(await this.#run(script, values));
    if (counts.success) return counts.data;
    const reason =
      'the server answers a script with something else than three numbers. Is it a Redis or Valkey server?';
    throw new DkvError('STORE_UNREACHABLE', `${this.location}: ${reason}`);
  }

  /**
   * Sends commands together and gives their replies.
   * @throws DkvError for the first of them that failed
   */
  async #pipelined(commands: string[][]): Promise<unknown[]> {
    const replies = (await this.#ask(this.#redis.pipeline(commands).exec())) ?? [];
    return replies.map(([error, reply]) => {
      if (error) throw this.#translate(error);
      return reply;
    });
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): DkvError {
    const message = messageOf(error);
    const told = (code: ErrorCode, text: string) =>
      new DkvError(code, `${this.location}: ${text}`, {
        cause: withoutArguments(this.#refusedDatabase ?? error),
      });
    if (this.#refusedDatabase) {
      const reason = messageOf(this.#refusedDatabase);
      return told(
        'INPUT_INVALID',
        `the server has no database ${this.#database} for this user (${reason}). Take another.`,
      );
    }
    if (/^(?:NOAUTH|WRONGPASS|NOPERM)\b|invalid password|without any password/i.test(message)) {
      return told('STORE_DENIED', `${message}. Look at user and password: redis://user:password@host:port/database.`);
    }
    if (/\bREADONLY\b/.test(message)) {
      return told('STORE_READONLY', `${message}. It is a copy that is only read: write to the server that it copies.`);
    }
    if (/\bOOM\b/.test(message)) {
      const advice = 'Raise it, or give the store a maximum size below it';
      return told('STORE_FULL', `the server has reached its maxmemory (${message}). ${advice}.`);
    }
    const reason = /^Reached the max retries/.test(message) ? messageOf(this.#connectionError ?? error) : message;
    return told('STORE_UNREACHABLE', `${reason}. Is the server running, and the address right?`);
  }
}

/** Takes the arguments off an error. The client attaches the command to its errors, and the arguments of AUTH are the password. */
function withoutArguments(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) delete error.command;
  return error;
}
