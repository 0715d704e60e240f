/**
 * What is computed together: a pure plan. A block is a few neighbouring samples with every condition of the experiment, so that
 * the runner can encode each distinct input once and score all conditions from its states.
 *
 * Which samples share a block follows from the samples and the configuration alone, never from what an earlier, interrupted run
 * has done, so a resumed run computes the same batches.
 */
import type { Sample } from '../datasets/sample.js';
import { DkvError } from '../errors.js';
import { remembering, type Tokenizer } from '../model/tokenizer.js';
import { buildInput, type EncoderInput, tokenisationOf } from '../priming/input.js';
import { surrogate } from '../priming/surrogate.js';
import type { Condition } from './experiment.js';
import type { Rejection } from './journal.js';

/** One trial to make: a sample under a condition. */
export interface PlannedTrial {
  readonly sample: Sample;
  readonly condition: Condition;
  readonly input: EncoderInput;
  readonly target: Int32Array;
  /** For joint inputs: do they hold other token ids than the segments tokenised apart would? */
  readonly jointDiffers: boolean | undefined;
}

export interface Block {
  readonly samples: readonly Sample[];
  readonly trials: readonly PlannedTrial[];
  /** Samples of the block that cannot be scored. */
  readonly rejections: readonly Rejection[];
}

export interface BlockLimits {
  /** Rows that the encoder may read of one input. */
  readonly maxTokens: number;
  readonly maxSamples: number;
  /** A block is closed once its trials' inputs have this many rows. */
  readonly maxRows: number;
}

/** What is scored, in order, and under what. */
export interface Plan {
  readonly samples: readonly Sample[];
  readonly conditions: readonly Condition[];
  /** Of surrogates that are drawn at random. */
  readonly seed: number;
}

/** Splits samples into blocks, one after the other as they are asked for. */
export function* planBlocks(
  plan: Plan,
  tokenizer: Tokenizer,
  { maxTokens, maxSamples, maxRows }: BlockLimits,
): Generator<Block> {
  let block = { samples: [] as Sample[], trials: [] as PlannedTrial[], rejections: [] as Rejection[] };
  for (const [index, sample] of plan.samples.entries()) {
    const planned = planSample(plan, index, remembering(tokenizer), maxTokens);
    block.samples.push(sample);
    if (Array.isArray(planned)) block.trials.push(...planned);
    else block.rejections.push(planned);
    const rows = block.trials.reduce((sum, { input }) => sum + input.tokenIds.length, 0);
    if (block.samples.length >= maxSamples || rows >= maxRows) {
      yield block;
      block = { samples: [], trials: [], rejections: [] };
    }
  }
  if (block.samples.length > 0) yield block;
}

function planSample(plan: Plan, index: number, tokenizer: Tokenizer, maxTokens: number): PlannedTrial[] | Rejection {
  const sample = plan.samples[index]!;
  try {
    const target = tokenizer.encode(sample.answer);
    if (target.length === 0) return { sample: sample.id, rejected: 'the answer is empty' };
    const inputs = inputsOf(plan, index, tokenizer, maxTokens);
    return plan.conditions.map((condition, i) => ({ sample, condition, target, ...inputs[i]! }));
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    return { sample: sample.id, rejected: error.message };
  }
}

/**
 * The inputs of a sample's conditions. If any of them is over the limit, the document is cut to the same tokens in all, so that
 * no condition knows more of it than another.
 */
function inputsOf({ samples, conditions, seed }: Plan, index: number, tokenizer: Tokenizer, maxTokens: number) {
  const sample = samples[index]!;
  const build = (condition: Condition, maxDocumentTokens = Number.POSITIVE_INFINITY) => {
    const { document } = sample;
    const prefix = condition.surrogate && surrogate(condition.surrogate).make(sample, { index, samples, seed });
    const texts = prefix === undefined ? { document } : { document, prefix };
    const tokenisation = tokenisationOf(condition.visibility);
    const limits = { maxTokens, maxDocumentTokens };
    const input = buildInput(tokenizer, texts, tokenisation, limits);
    if (tokenisation === 'segments' || prefix === undefined) return { input, jointDiffers: undefined };
    const apart = buildInput(tokenizer, texts, 'segments', limits);
    return { input, jointDiffers: apart.tokenIds.join() !== input.tokenIds.join() };
  };
  const inputs = conditions.map((condition) => build(condition));
  if (inputs.every(({ input }) => input.cutTokens === 0)) return inputs;
  const shortest = Math.min(...inputs.map(({ input }) => input.documentTokens));
  return conditions.map((condition) => build(condition, shortest));
}
