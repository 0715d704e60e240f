/**
 * A model that tells whoever asks how many tokens its engine has read and written for them. Requests are told apart by the asynchronous context that they run in, so
 * that nothing between a route and the engine has to pass a count on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type EncodeItem,
  type Engine,
  type Generated,
  type GenerateItem,
  ItemsFailedError,
  type LogitsItem,
  type ScoreItem,
} from '../engine/engine.js';
import type { Model } from '../scoring/load-model.js';

const asking = new AsyncLocalStorage<(tokens: number) => void>();

/** Does work, and tells of the tokens of each request to a metered engine that is answered for it. */
export function metered<T>(onTokens: (tokens: number) => void, work: () => T): T {
  return asking.run(onTokens, work);
}

/** Who is told of tokens in the present context, for work that goes on in another one. */
export function meterHere(): ((tokens: number) => void) | undefined {
  return asking.getStore();
}

/**
 * The same model with an engine that is counted. Items that failed or were dropped count nothing.
 * @param decoderTokens the most rows that its decoder is said to take: nothing else bounds what a request lets it read, and attention grows with the square of that
 */
export function meteredModel(model: Model, decoderTokens = Number.POSITIVE_INFINITY): Model {
  const { engine } = model;
  const { shape } = engine.info;
  const mostRows = Math.min(shape.decoder.mostRows ?? Number.POSITIVE_INFINITY, decoderTokens);
  const decoder = { ...shape.decoder, mostRows: Number.isFinite(mostRows) ? mostRows : null };
  const info = { ...engine.info, shape: { ...shape, decoder } };
  const scored = ({ prompt, target }: ScoreItem) => prompt.length + target.length;
  const encoded = ({ tokenIds }: EncodeItem) => tokenIds.length;
  const counts: Partial<Engine> = {
    info,
    encode: counted(engine.encode.bind(engine), encoded),
    probe: counted(engine.probe.bind(engine), encoded),
    score: counted(engine.score.bind(engine), scored),
    scoreTempered: counted(engine.scoreTempered.bind(engine), scored),
    logits: counted(engine.logits.bind(engine), ({ prompt }: LogitsItem) => prompt.length),
    generate: counted(
      engine.generate.bind(engine),
      ({ prompt }: GenerateItem, { tokenIds }: Generated) => prompt.length + tokenIds.length,
    ),
  };
  // Everything else is the engine's own.
  const own = new Proxy(engine, {
    get(target, name) {
      const replaced = counts[name as keyof Engine];
      if (replaced !== undefined) return replaced;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...model, engine: own, close: () => model.close() };
}

function counted<Item, Result, Rest extends unknown[]>(
  ask: (items: readonly Item[], ...rest: Rest) => Promise<Result[]>,
  tokensOf: (item: Item, result: Result) => number,
): (items: readonly Item[], ...rest: Rest) => Promise<Result[]> {
  return async (items, ...rest) => {
    const told = asking.getStore();
    const tell = (results: readonly (Result | undefined)[]) => {
      let tokens = 0;
      for (const [at, result] of results.entries()) if (result !== undefined) tokens += tokensOf(items[at]!, result);
      if (tokens > 0) told?.(tokens);
    };
    try {
      const results = await ask(items, ...rest);
      tell(results);
      return results;
    } catch (error) {
      if (error instanceof ItemsFailedError) tell(error.results as readonly (Result | undefined)[]);
      throw error;
    }
  };
}
