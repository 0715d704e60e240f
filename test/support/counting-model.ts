/** A model whose engine counts what it is asked. */
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/scoring/load-model.js';

export interface CountingModel extends Model {
  /** Items of each request to encode, in order. */
  readonly encoded: number[];
  /** Rows of each item that was encoded. */
  readonly rows: number[];
}

export function countingModel(model: Model): CountingModel {
  const [encoded, rows]: [number[], number[]] = [[], []];
  const { engine } = model;
  const counted: Engine = {
    info: engine.info,
    encode: (items, options) => {
      encoded.push(items.length);
      rows.push(...items.map(({ tokenIds }) => tokenIds.length));
      return engine.encode(items, options);
    },
    score: (items, options) => engine.score(items, options),
    scoreTempered: (items, options) => engine.scoreTempered(items, options),
    logits: (items, options) => engine.logits(items, options),
    generate: (items, options) => engine.generate(items, options),
    probe: (items, layers, options) => engine.probe(items, layers, options),
    load: () => engine.load(),
    close: () => engine.close(),
  };
  return { ...model, engine: counted, encoded, rows };
}

export function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
