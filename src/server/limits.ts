/**
 * How much each key may ask for: a bucket of pairs and one of tokens, which fill up again all the time and are full after a minute. Pairs are taken before
 * the work, since their number is known; tokens are charged after it, so that a bucket may be in debt, and refuses until that is paid.
 *
 * Buckets are this process's: of several servers, each one grants the whole limit.
 */
import { DkvError } from '../base/errors.js';
import type { KeyLimits } from '../wire/keys.js';
import type { Caller } from './caller.js';

/** Whose buckets they are: a key's, or, where there are no keys, everybody's. */
export type Limited = Pick<Caller, 'keyId' | 'limits'>;

/** What a bucket holds now. */
export interface BucketState {
  readonly perMinute: number;
  /** What may still be asked for; 0 of one in debt. */
  readonly remaining: number;
  /** Until it is full. */
  readonly resetSeconds: number;
}

const KINDS = ['pairs', 'tokens'] as const;
export type LimitKind = (typeof KINDS)[number];

interface Bucket {
  level: number;
  at: number;
}

const MINUTE_MS = 60_000;

/** A request that a key's limit refuses for now. */
export class LimitReached extends DkvError {
  readonly kind: LimitKind;

  constructor(kind: LimitKind, message: string, retryAfterSeconds: number) {
    super('LIMIT_REACHED', message, { retryAfterSeconds });
    this.kind = kind;
  }
}

export class Limits {
  readonly #defaults: KeyLimits;
  readonly #ticks: () => number;
  /** By kind and key; keys are those of the file of keys, and no more. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param defaults for keys without limits of their own
   * @param ticks milliseconds that only go forward
   */
  constructor(defaults: KeyLimits = {}, ticks: () => number = () => performance.now()) {
    this.#defaults = defaults;
    this.#ticks = ticks;
  }

  /**
   * Takes pairs before they are scored, and nothing where that is refused. A request that is larger than the whole bucket waits until it is full, and leaves a
   * debt, so that no request has to wait for ever.
   * @throws LimitReached with the seconds until the same request would be let through
   */
  take(whose: Limited, pairs: number): void {
    const waits = KINDS.map((kind) => [kind, this.#waitMs(whose, kind, kind === 'pairs' ? pairs : 0)] as const);
    const [kind, waitMs] = waits.reduce((longest, each) => (each[1] > longest[1] ? each : longest));
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000 - 1e-6);
      throw new LimitReached(
        kind,
        `${whose.keyId === null ? 'All callers together' : `The key ${whose.keyId}`} may ask for ${this.#perMinute(whose, kind)} ${kind} a minute, and these are used up. Come again in ${seconds} s.`,
        seconds,
      );
    }
    this.#charge(whose, 'pairs', pairs);
  }

  /** Charges tokens after the work that they were needed for. */
  chargeTokens(whose: Limited, tokens: number): void {
    this.#charge(whose, 'tokens', tokens);
  }

  /** Gives pairs back that were taken for work that was not done. */
  giveBack(whose: Limited, pairs: number): void {
    this.#charge(whose, 'pairs', -pairs);
  }

  /** What the buckets of a key hold, by kind; only those kinds that are limited. */
  state(whose: Limited): Partial<Record<LimitKind, BucketState>> {
    const limited = KINDS.filter((kind) => this.#perMinute(whose, kind) !== undefined);
    return Object.fromEntries(
      limited.map((kind) => {
        const perMinute = this.#perMinute(whose, kind)!;
        const { level } = this.#bucket(whose, kind, perMinute);
        const remaining = Math.max(0, Math.floor(level));
        return [kind, { perMinute, remaining, resetSeconds: Math.ceil(((perMinute - level) / perMinute) * 60) }];
      }),
    );
  }

  /** @returns 0 where it is let through now */
  #waitMs(whose: Limited, kind: LimitKind, count: number): number {
    const perMinute = this.#perMinute(whose, kind);
    if (perMinute === undefined) return 0;
    const { level } = this.#bucket(whose, kind, perMinute);
    // Without a count it is enough that there is no debt.
    const missing = Math.min(count, perMinute) - level;
    // What rounding leaves of a wait that is over is none.
    return missing > perMinute * 1e-9 ? (missing / perMinute) * MINUTE_MS : 0;
  }

  #charge(whose: Limited, kind: LimitKind, count: number): void {
    const perMinute = this.#perMinute(whose, kind);
    if (perMinute === undefined) return;
    const bucket = this.#bucket(whose, kind, perMinute);
    bucket.level = Math.min(perMinute, bucket.level - count);
  }

  #perMinute({ limits }: Limited, kind: LimitKind): number | undefined {
    const name = kind === 'pairs' ? 'pairsPerMinute' : 'tokensPerMinute';
    return limits?.[name] ?? this.#defaults[name];
  }

  /** The bucket as it is now: what has flown in since it was looked at last is in it. */
  #bucket({ keyId }: Limited, kind: LimitKind, perMinute: number): Bucket {
    const now = this.#ticks();
    const name = `${kind} ${keyId ?? ''}`;
    const bucket = this.#buckets.get(name) ?? { level: perMinute, at: now };
    bucket.level = Math.min(perMinute, bucket.level + ((now - bucket.at) / MINUTE_MS) * perMinute);
    bucket.at = now;
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
