/**
 * Several engines of one model as one engine: each takes the next batch of a request when it is free. With few threads each they lose less time
 * waiting for each other's threads than one engine does with many, as long as there are batches for all; each has its own packed weights.
 */

import { DkvError } from '../base/errors.js';
import { type ItemSize, planBatches, plannedRows } from '../engine/batching.js';
import {
  type EncodeItem,
  type Engine,
  type EngineInfo,
  eachOf,
  type Generated,
  type GenerateItem,
  ItemsFailedError,
  type Probed,
  type ProbeLayers,
  type RequestOptions,
  type ScoreItem,
  type States,
} from '../engine/engine.js';
import { encodeSizes, generateSizes, scoreSizes } from '../engine/item-sizes.js';
import { withNamedStates } from '../engine/named-states.js';
import { checkEncodeItems, checkGenerateItems, checkProbeLayers, checkScoreItems } from '../engine/validation.js';

export class EngineTeam implements Engine {
  readonly info: EngineInfo;
  readonly #members: readonly Member[];

  private constructor(engines: readonly Engine[]) {
    this.info = engines[0]!.info;
    this.#members = engines.map((engine) => ({ engine, batches: 0 }));
  }

  /** @param count with 1 the engine itself @param start called for each of them; all are closed if one does not start */
  static async start(count: number, start: () => Promise<Engine>): Promise<Engine> {
    if (count <= 1) return start();
    const starting = await Promise.allSettled(Array.from({ length: count }, start));
    const engines = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = starting.find((one) => one.status === 'rejected');
    if (!failed) return new EngineTeam(engines);
    await Promise.all(engines.map((engine) => engine.close()));
    throw failed.reason;
  }

  async encode(items: readonly EncodeItem[], options?: RequestOptions): Promise<States[]> {
    checkEncodeItems(items, this.info.shape);
    return this.#share(items, encodeSizes(items), options, (engine, batch, signal) => engine.encode(batch, signal));
  }

  async score(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]> {
    return withNamedStates(items, options?.signal, (ready) => {
      checkScoreItems(ready, this.info.shape);
      return this.#share(ready, scoreSizes(ready), options, (engine, batch, signal) => engine.score(batch, signal));
    });
  }

  async generate(items: readonly GenerateItem[], options?: RequestOptions): Promise<Generated[]> {
    return withNamedStates(items, options?.signal, (ready) => {
      checkGenerateItems(ready, this.info.shape);
      return this.#share(ready, generateSizes(ready), options, (engine, batch, signal) =>
        engine.generate(batch, signal),
      );
    });
  }

  async probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: RequestOptions): Promise<Probed[]> {
    checkEncodeItems(items, this.info.shape);
    checkProbeLayers(layers, this.info.shape);
    return this.#share(items, encodeSizes(items), options, (engine, batch, signal) =>
      engine.probe(batch, layers, signal),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ engine }) => engine.close()));
  }

  /** @param run one batch on one engine */
  async #share<Item, Result>(
    items: readonly Item[],
    sizes: readonly ItemSize[],
    { signal, onProgress }: RequestOptions = {},
    run: (engine: Engine, batch: readonly Item[], options: RequestOptions) => Promise<readonly Result[]>,
  ): Promise<Result[]> {
    const results = new Array<Result>(items.length);
    // Something for everyone, of what would fit into fewer batches too.
    const batchTokens = Math.min(this.info.batchTokens, plannedRows(sizes) / this.#members.length);
    // Whoever is free first takes the next one; the largest come first.
    const batches = planBatches(sizes, batchTokens).values();
    const failure = new AbortController();
    const either = { signal: signal ? AbortSignal.any([signal, failure.signal]) : failure.signal };
    let done = 0;
    const errors = new Map<number, DkvError>();
    const work = async (member: Member) => {
      for (const batch of batches) {
        member.batches++;
        try {
          const made = await eachOf(
            batch.items.map((index) => items[index]!),
            (some) => run(member.engine, some, either),
          );
          for (const [i, index] of batch.items.entries()) {
            const own = made[i]!;
            if (own instanceof DkvError) errors.set(index, own);
            else results[index] = own;
          }
          done += batch.items.length;
          onProgress?.(done, items.length);
        } catch (error) {
          // The others stop after the batch in hand, with an error that is not theirs.
          if (!failure.signal.aborted) failure.abort(error);
          return;
        } finally {
          member.batches--;
        }
      }
    };
    const idleFirst = [...this.#members].sort((a, b) => a.batches - b.batches);
    await Promise.all(idleFirst.map(work));
    if (failure.signal.aborted) throw failure.signal.reason;
    if (errors.size > 0) throw new ItemsFailedError(errors, results);
    return results;
  }
}

interface Member {
  readonly engine: Engine;
  /** That it works on or that wait for it. */
  batches: number;
}
