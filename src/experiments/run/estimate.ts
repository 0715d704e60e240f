/** What a run will take, from the plan of its first samples: passes of encoder and decoder, and time. */
import type { ModelShape } from '../../model/families/family.js';
import type { RowCounts } from '../../model/operations.js';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import type { Presented } from '../../priming/condition.js';
import { segmentsOf } from '../../priming/input.js';
import { prepareSurrogates, type TextWriter } from '../../priming/prepare.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { PassCounts } from '../../runs/schema/summary.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { scoreInputs } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { type Block, decodesOf, type PlannedTrial, passesOf, planBlocks } from '../plan/block.js';
import { conditionsFor } from '../plan/conditions.js';
import { planOf } from '../plan/plan.js';
import { unitsOf } from '../plan/unit.js';

export interface RunEstimate extends PassCounts, RowCounts {}

/** What an estimate needs to know of a model. */
export interface EstimatedModel {
  readonly tokenizer: Tokenizer;
  readonly shape: ModelShape;
}

const ONE_BLOCK = { maxUnits: Number.POSITIVE_INFINITY, maxRows: Number.POSITIVE_INFINITY };

/**
 * @param data a few samples or pools; the protocol's number is reckoned from them
 * @throws DkvError INPUT_INVALID where the model cannot run the experiment
 */
export async function estimateRun(
  declared: Experiment,
  data: Dataset | PoolSet,
  { tokenizer, shape }: EstimatedModel,
): Promise<RunEstimate> {
  const { experiment } = conditionsFor(declared, segmentsOf(tokenizer), shape);
  const scored = unitsOf(data);
  const writer: TextWriter = async (documents) => documents.map(() => 'what a model would write here');
  const samples = scored.units.map(({ sample }) => sample);
  const prepared = await prepareSurrogates(specificationsOf(experiment), samples, { llm: () => writer, self: writer });
  const plan = planOf(experiment, scored, tokenizer, { prepared });
  const few = 'samples' in data ? data.samples.length : data.pools.length;
  const [block] = planBlocks(plan, tokenizer, { ...ONE_BLOCK, maxTokens: experiment.protocol.max_tokens });
  const whole = (count: number) => Math.round((count / few) * experiment.protocol.samples);
  const { encoder, decoder, naive_encoder } = passesOf(block!, experiment);
  return {
    encoder: whole(encoder),
    decoder: whole(decoder),
    naive_encoder: whole(naive_encoder),
    rows: whole(rowsOf(block!)),
    ...(decoder === 0 ? NOTHING_DECODED : decodedBy(block!, (count) => whole(count * decodesOf(experiment)))),
  };
}

/** The encoder rows that this model works off in a second on this machine, its decoder's share of the time included. */
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

const NOTHING_DECODED = { decoderRows: 0, readRows: 0, scoredTokens: 0 };

/** What the decoder works off: the start token, prompt and target of each trial, on the rows that it sees; wrong answers, and what a model says, taken as long as the target. */
function decodedBy({ trials }: Block, whole: (count: number) => number): Omit<RowCounts, 'rows'> {
  const sum = (of: (trial: PlannedTrial) => number) => whole(trials.reduce((all, trial) => all + of(trial), 0));
  const seen = ({ visible }: Presented) => visible.reduce((rows, { start, end }) => rows + end - start, 0);
  return {
    decoderRows: sum(({ prompt, target }) => prompt.length + target.length),
    readRows: sum(({ parts }) => parts.reduce((rows, part) => rows + seen(part), 0)),
    scoredTokens: sum(({ target }) => target.length),
  };
}
