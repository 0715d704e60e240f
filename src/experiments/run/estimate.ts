/** What a run will take, from the plan of its first samples: passes of encoder and decoder, and time. */
import { segmentsOf } from '../../priming/input.js';
import { prepareSurrogates, type TextWriter } from '../../priming/prepare.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { PassCounts } from '../../runs/schema/summary.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { scoreInputs } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { type Block, passesOf, planBlocks } from '../plan/block.js';
import { conditionsFor } from '../plan/conditions.js';
import { planOf } from '../plan/plan.js';
import { unitsOf } from '../plan/unit.js';

export interface RunEstimate extends PassCounts {
  /** Rows that the encoder reads. */
  readonly rows: number;
}

const ONE_BLOCK = { maxUnits: Number.POSITIVE_INFINITY, maxRows: Number.POSITIVE_INFINITY };

/**
 * @param data a few samples or pools; the protocol's number is reckoned from them
 * @throws DkvError INPUT_INVALID where the model cannot run the experiment
 */
export async function estimateRun(declared: Experiment, data: Dataset | PoolSet, model: Model): Promise<RunEstimate> {
  const { tokenizer } = model;
  const { experiment } = conditionsFor(declared, segmentsOf(model.tokenizer), model.engine.info.shape);
  const scored = unitsOf(data);
  const writer: TextWriter = async (documents) => documents.map(() => 'what a model would write here');
  const samples = scored.units.map(({ sample }) => sample);
  const prepared = await prepareSurrogates(specificationsOf(experiment), samples, { llm: () => writer, self: writer });
  const plan = planOf(experiment, scored, tokenizer, prepared);
  const few = 'samples' in data ? data.samples.length : data.pools.length;
  const [block] = planBlocks(plan, tokenizer, { ...ONE_BLOCK, maxTokens: experiment.protocol.max_tokens });
  const whole = (count: number) => Math.round((count / few) * experiment.protocol.samples);
  const { encoder, decoder, naive_encoder } = passesOf(block!, experiment);
  return {
    encoder: whole(encoder),
    decoder: whole(decoder),
    naive_encoder: whole(naive_encoder),
    rows: whole(rowsOf(block!)),
  };
}

/** Encoder rows that this model works off in a second here, its decoder's share of the time included. */
export async function rowsPerSecond(experiment: Experiment, data: Dataset, model: Model): Promise<number> {
  const plan = planOf(experiment, unitsOf(data), model.tokenizer);
  const [block] = planBlocks(plan, model.tokenizer, { ...ONE_BLOCK, maxTokens: experiment.protocol.max_tokens });
  const items = block!.trials;
  await scoreInputs(model.engine, items.slice(0, 1));
  const started = performance.now();
  await scoreInputs(model.engine, items);
  const seconds = (performance.now() - started) / 1000;
  return rowsOf(block!) / seconds;
}

/** Rows of the block's distinct inputs. */
function rowsOf({ trials }: Block): number {
  const rows = new Map(trials.flatMap(({ parts }) => parts).map(({ key, item }) => [key, item.tokenIds.length]));
  return [...rows.values()].reduce((sum, count) => sum + count, 0);
}
