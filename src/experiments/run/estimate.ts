/** What a run will take, from the plan of its first samples: passes of encoder and decoder, and time. */

import { prepareSurrogates, type TextWriter } from '../../priming/prepare.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { scoreInputs } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { planBlocks } from '../plan/block.js';
import { planOf } from '../plan/plan.js';
import { unitsOf } from '../plan/unit.js';

export interface RunEstimate {
  /** Passes of the encoder over distinct inputs, of the decoder, and of an encoder that runs once for each condition. */
  readonly encoder: number;
  readonly decoder: number;
  readonly naive_encoder: number;
  /** Rows that the encoder reads. */
  readonly rows: number;
}

const ONE_BLOCK = { maxUnits: Number.POSITIVE_INFINITY, maxRows: Number.POSITIVE_INFINITY };

/** @param data a few samples or pools; the protocol's number is reckoned from them */
export async function estimateRun(
  experiment: Experiment,
  data: Dataset | PoolSet,
  { tokenizer }: Model,
): Promise<RunEstimate> {
  const scored = unitsOf(data);
  const writer: TextWriter = async (documents) => documents.map(() => 'what a model would write here');
  const samples = scored.units.map(({ sample }) => sample);
  const prepared = await prepareSurrogates(specificationsOf(experiment), samples, { llm: () => writer, self: writer });
  const plan = planOf(experiment, scored, tokenizer, prepared);
  const few = 'samples' in data ? data.samples.length : data.pools.length;
  const [block] = planBlocks(plan, tokenizer, { ...ONE_BLOCK, maxTokens: experiment.protocol.max_tokens });
  const parts = (block?.trials ?? []).flatMap((trial) => trial.parts);
  const distinct = new Map(parts.map((part) => [part.key, part.item.tokenIds.length]));
  const whole = (count: number) => Math.round((count / few) * experiment.protocol.samples);
  return {
    encoder: whole(distinct.size),
    decoder: experiment.unit === 'probe' ? 0 : whole(block?.trials.length ?? 0),
    naive_encoder: whole(parts.length),
    rows: whole([...distinct.values()].reduce((sum, rows) => sum + rows, 0)),
  };
}

/** Encoder rows that this model works off in a second here, its decoder's share of the time included. */
export async function rowsPerSecond(experiment: Experiment, data: Dataset, model: Model): Promise<number> {
  const plan = planOf(experiment, unitsOf(data), model.tokenizer);
  const [block] = planBlocks(plan, model.tokenizer, { ...ONE_BLOCK, maxTokens: experiment.protocol.max_tokens });
  const items = block!.trials;
  const rows = new Map(items.flatMap(({ parts }) => parts).map(({ key, item }) => [key, item.tokenIds.length]));
  await scoreInputs(model.engine, items.slice(0, 1));
  const started = performance.now();
  await scoreInputs(model.engine, items);
  const seconds = (performance.now() - started) / 1000;
  return [...rows.values()].reduce((sum, count) => sum + count, 0) / seconds;
}
