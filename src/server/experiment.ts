/**
 * Experiments on live traffic: which arm a request is in, and shadows, which score what nobody is shown. An arm is a function of the experiment's salt, the
 * tenant and the unit alone, so that a unit stays in its arm over requests, restarts and servers. Knows neither HTTP nor the engine.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { wireObject } from '../wire/case.js';
import { objectiveSchema } from '../wire/ranking.js';

const rankingShape = {
  variant: z.string().min(1).optional().describe('Which of the documents’ caches is read; the server’s own choice.'),
  objective: objectiveSchema.exclude(['relevance']).optional().describe('What is scored; what the request asks for.'),
  prior: z.boolean().optional().describe('Take off each document’s prior; what the request asks for.'),
  interpolate: z.number().min(0).max(1).optional().describe('The first stage’s weight; what the request asks for.'),
};

/** The shares of arms may miss 1 by this much, since three thirds do. */
const ROUNDING = 1e-6;

const name = z.string().regex(/^[\w.-]{1,64}$/, { error: 'expected up to 64 letters, digits, ".", "_" or "-"' });

const experimentSchema = wireObject({
  name: name.describe('The experiment’s name.'),
  salt: z
    .string()
    .min(1)
    .optional()
    .describe('What units are hashed with; the name. Another one deals the units anew.'),
  arms: z
    .array(
      wireObject({
        name: name.describe('The arm’s name.'),
        share: z.number().positive().max(1).describe('The share of units that the arm gets.'),
        ...rankingShape,
      }),
    )
    .min(2)
    .readonly()
    .describe('Two arms or more, the control first; their shares add up to 1.'),
});

/** The section `experiment` of a server's settings. */
export const experimentSettingsSchema = experimentSchema
  .refine(({ arms }) => Math.abs(arms.reduce((sum, { share }) => sum + share, 0) - 1) <= ROUNDING, {
    error: 'the shares of the arms do not add up to 1',
    path: ['arms'],
  })
  .refine(({ arms }) => new Set(arms.map(({ name }) => name)).size === arms.length, {
    error: 'two arms have one name',
    path: ['arms'],
  });

export type ExperimentSettings = z.output<typeof experimentSettingsSchema>;
export type Arm = ExperimentSettings['arms'][number];

/** The section `shadow` of a server's settings. */
export const shadowSettingsSchema = wireObject({
  ...rankingShape,
  variant: z.string().min(1).describe('Which of the documents’ caches is read.'),
  share: z.number().positive().max(1).default(1).describe('The share of answers beside which the shadow ranks.'),
  waiting: z
    .int()
    .positive()
    .default(16)
    .describe('Shadow rankings that may wait; more are dropped, and logged as that.'),
});

export type ShadowSettings = z.output<typeof shadowSettingsSchema>;

/**
 * The arm of a unit.
 * @param tenant units of two tenants are different ones
 * @param unit what is randomised: a visitor, a session, or the decision itself
 */
export function armOf({ name, salt = name, arms }: ExperimentSettings, tenant: string, unit: string): Arm {
  const place = placeOf(['arm', salt, tenant, unit]);
  let end = 0;
  for (const arm of arms) {
    end += arm.share;
    if (place < end) return arm;
  }
  // Shares of which the sum is rounded to a little below 1.
  return arms.at(-1)!;
}

/** Whether a shadow ranks beside a decision. */
export function isShadowed({ share, variant }: ShadowSettings, decision: string): boolean {
  return share === 1 || placeOf(['shadow', variant, decision]) < share;
}

/** A place from 0 to below 1 that the names decide: the first 48 bits of their SHA-256. */
function placeOf(names: readonly string[]): number {
  return createHash('sha256').update(JSON.stringify(names)).digest().readUIntBE(0, 6) / 2 ** 48;
}

/**
 * Work that is done after answers were sent, one piece at a time. What finds too many waiting is dropped.
 */
export class ShadowQueue {
  readonly #most: number;
  readonly #waiting: ((signal: AbortSignal) => Promise<void>)[] = [];
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  /** @param most pieces of work that may wait */
  constructor(most: number) {
    this.#most = most;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * @param work that deals with its own errors; its signal aborts when the queue is closed
   * @returns false where it is dropped
   */
  offer(work: (signal: AbortSignal) => Promise<void>): boolean {
    if (this.#closing.signal.aborted || this.#waiting.length >= this.#most) return false;
    this.#waiting.push(work);
    this.#running ??= this.#run();
    return true;
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Drops what waits, aborts what runs, and waits for its end. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    this.#closing.abort();
    await this.idle();
  }

  async #run(): Promise<void> {
    // The answer is sent first.
    await new Promise((resolve) => setImmediate(resolve));
    for (let work = this.#waiting.shift(); work; work = this.#waiting.shift()) {
      await work(this.#closing.signal).catch(() => undefined);
    }
    this.#running = undefined;
  }
}
