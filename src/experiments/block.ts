/**
 * What is computed together: a pure plan. A block is a few neighbouring samples with every condition of the experiment; each
 * distinct encoder input of a block is encoded once, and all conditions are scored from the states.
 *
 * Which samples share a block follows from the samples and the configuration alone, never from what an earlier, interrupted run
 * has done, so a resumed run computes the same batches.
 */
import type { Sample } from '../datasets/sample.js';
import { DkvError } from '../errors.js';
import { remembering, type Tokenizer } from '../model/tokenizer.js';
import { buildInput, type EncoderInput, tokenisationOf, type Visibility } from '../priming/input.js';
import { SURROGATES } from '../priming/surrogate.js';
import type { Condition } from './experiment.js';
import type { Rejection } from './journal.js';

/** One trial to make: a sample under a condition. */
export interface PlannedTrial {
  readonly sample: Sample;
  readonly condition: Condition;
  readonly input: EncoderInput;
  /** Index into the block's `inputs`. */
  readonly encode: number;
  readonly visibility: Visibility;
  readonly target: Int32Array;
  /** For joint inputs: do they hold other token ids than the segments tokenised apart would? */
  readonly jointDiffers: boolean | undefined;
}

export interface Block {
  readonly samples: readonly Sample[];
  /** Samples of the block that cannot be scored. */
  readonly rejections: readonly Rejection[];
  /** Distinct inputs; `tokenIds` says all there is to encode. */
  readonly inputs: readonly EncoderInput[];
  readonly trials: readonly PlannedTrial[];
}

export interface BlockLimits {
  readonly maxTokens: number;
  readonly maxSamples: number;
  /** A block is closed once its distinct inputs have this many rows. */
  readonly maxRows: number;
}

/** Splits samples into blocks, one after the other as they are asked for. */
export function* planBlocks(
  samples: readonly Sample[],
  conditions: readonly Condition[],
  tokenizer: Tokenizer,
  limits: BlockLimits,
): Generator<Block> {
  let block = emptyBlock();
  for (const sample of samples) {
    addSample(block, sample, conditions, tokenizer, limits.maxTokens);
    if (block.samples.length >= limits.maxSamples || block.rows >= limits.maxRows) {
      yield block;
      block = emptyBlock();
    }
  }
  if (block.samples.length > 0) yield block;
}

function emptyBlock() {
  return {
    samples: [] as Sample[],
    inputs: [] as EncoderInput[],
    rejections: [] as Rejection[],
    trials: [] as PlannedTrial[],
    known: new Map<string, number>(),
    rows: 0,
  };
}

function addSample(
  block: ReturnType<typeof emptyBlock>,
  sample: Sample,
  conditions: readonly Condition[],
  tokenizer: Tokenizer,
  maxTokens: number,
): void {
  block.samples.push(sample);
  const target = tokenizer.encode(sample.answer);
  if (target.length === 0) {
    block.rejections.push({ sample: sample.id, rejected: 'the answer is empty' });
    return;
  }
  let inputs: ReturnType<typeof inputsOf>;
  try {
    inputs = inputsOf(sample, conditions, remembering(tokenizer), maxTokens);
  } catch (error) {
    if (!(error instanceof DkvError && error.code === 'INPUT_TOO_LONG')) throw error;
    block.rejections.push({ sample: sample.id, rejected: error.message });
    return;
  }
  for (const [i, condition] of conditions.entries()) {
    const { input, jointDiffers } = inputs[i]!;
    const key = input.tokenIds.join();
    let encode = block.known.get(key);
    if (encode === undefined) {
      encode = block.inputs.length;
      block.known.set(key, encode);
      block.inputs.push(input);
      block.rows += input.tokenIds.length;
    }
    block.trials.push({ sample, condition, input, encode, visibility: condition.visibility, target, jointDiffers });
  }
}

/**
 * The inputs of a sample's conditions. If any of them is over the limit, the document is cut to the same tokens in all, so that
 * no condition knows more of it than another.
 */
function inputsOf(sample: Sample, conditions: readonly Condition[], tokenizer: Tokenizer, maxTokens: number) {
  const build = (condition: Condition, maxDocumentTokens = Number.POSITIVE_INFINITY) => {
    const { document } = sample;
    const prefix = condition.surrogate && SURROGATES[condition.surrogate].make(sample);
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
