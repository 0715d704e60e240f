/**
 * What is computed together: a pure plan. A block is a few neighbouring units (samples, or candidates of pools) with every condition of
 * the experiment, so that the runner can encode each distinct input once and score all conditions from its states.
 *
 * Which units share a block follows from the units and the configuration alone, never from what an earlier, interrupted run has
 * done, so a resumed run computes the same batches.
 */
import { DkvError } from '../../base/errors.js';
import { remembering, type Tokenizer } from '../../model/tokenizer/tokenizer.js';
import type { Condition, Presented } from '../../priming/condition.js';
import { emptyTarget, type Rejection } from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { PassCounts } from '../../runs/schema/summary.js';
import type { Sample } from '../../samples/sample.js';
import type { Plan } from './plan.js';
import { presentationsOf } from './presentation.js';
import type { Unit } from './unit.js';
import { CANDIDATES } from './wrong-answers.js';

/** One trial to make: a unit under a condition. */
export interface PlannedTrial {
  readonly sample: Sample;
  readonly condition: Condition;
  readonly parts: readonly Presented[];
  readonly prompt: Int32Array;
  readonly target: Int32Array;
  /** Token ids of the sample's wrong answers, as the target stands; none unless the experiment asks for the outcome `contrast`. */
  readonly wrong: readonly Int32Array[];
  /** For joint inputs, true where they hold other token ids than the segments tokenised apart would. */
  readonly jointDiffers: boolean | undefined;
  /** True where the prefix contains the text that is scored. */
  readonly leak: boolean;
}

export interface Block {
  readonly units: readonly Unit[];
  readonly trials: readonly PlannedTrial[];
  /** The units of the block that cannot be scored. */
  readonly rejections: readonly Rejection[];
}

export interface BlockLimits {
  /** The largest number of rows that the encoder may read of one input. */
  readonly maxTokens: number;
  readonly maxUnits: number;
  /** The number of rows of its trials' inputs at which a block is closed. */
  readonly maxRows: number;
}

/** Forward passes over the block's distinct inputs, and those of an encoder that runs once for each condition. */
export function passesOf({ trials }: Block, experiment: Pick<Experiment, 'unit' | 'outcomes'>): PassCounts {
  const encodes = trials.flatMap(({ parts }) => parts.map(({ key }) => key));
  return {
    encoder: new Set(encodes).size,
    decoder: trials.length * decodesOf(experiment),
    naive_encoder: encodes.length,
  };
}

/** How often the decoder is asked in a trial: for the target, for each wrong answer, and for what the model says. */
export function decodesOf({ unit, outcomes = [] }: Pick<Experiment, 'unit' | 'outcomes'>): number {
  if (unit === 'probe') return 0;
  return (outcomes.includes('contrast') ? CANDIDATES : 1) + (outcomes.includes('recall') ? 1 : 0);
}

/** Splits units into blocks, one after the other as they are asked for. */
export function* planBlocks(plan: Plan, tokenizer: Tokenizer, limits: BlockLimits): Generator<Block> {
  let block = { units: [] as Unit[], trials: [] as PlannedTrial[], rejections: [] as Rejection[] };
  let rows = 0;
  for (const unit of plan.units) {
    const planned = planUnit(plan, unit, remembering(tokenizer), limits.maxTokens);
    block.units.push(unit);
    if (Array.isArray(planned)) {
      block.trials.push(...planned);
      for (const { parts } of planned) for (const { item } of parts) rows += item.tokenIds.length;
    } else block.rejections.push(planned);
    if (block.units.length >= limits.maxUnits || rows >= limits.maxRows) {
      yield block;
      block = { units: [], trials: [], rejections: [] };
      rows = 0;
    }
  }
  if (block.units.length > 0) yield block;
}

function planUnit(plan: Plan, unit: Unit, tokenizer: Tokenizer, maxTokens: number): PlannedTrial[] | Rejection {
  const { sample } = unit;
  const { target: scored, prompt, conditions, protocol } = plan.experiment;
  try {
    const text = scored === 'answer' ? sample.answer : sample.query;
    const encoded = (scoredText: string, { before_target }: Pick<Condition, 'before_target'> = {}) =>
      tokenizer.encode(before_target === 'space' ? ` ${scoredText}` : scoredText).subarray(0, protocol.target_tokens);
    const target = encoded(text);
    if (text.trim() === '' || target.length === 0) return { sample: sample.id, rejected: emptyTarget(scored) };
    const promptOf = (condition: Condition) => {
      const isAsked = (condition.prompt ?? prompt) === 'query';
      const query = isAsked ? tokenizer.encode(sample.query).subarray(0, MAX_PROMPT) : new Int32Array(0);
      return condition.before_target === 'line' ? Int32Array.of(...query, ...line) : query;
    };
    const wrong = plan.wrongAnswers?.get(sample.id) ?? [];
    const line = tokenizer.encode('\n');
    const presentations = presentationsOf(plan, unit, tokenizer, maxTokens);
    return conditions.map((condition, i) => {
      const { parts, jointDiffers, prefix } = presentations[i]!;
      return {
        sample,
        condition,
        target: encoded(text, condition),
        wrong: wrong.map((answer) => encoded(answer.text, condition)),
        prompt: promptOf(condition),
        parts,
        jointDiffers,
        leak: contains(prefix, text),
      };
    });
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    return { sample: sample.id, rejected: error.message };
  }
}

/** The research's limit for a query in the decoder, in tokens. */
const MAX_PROMPT = 512;

function contains(prefix: string | undefined, text: string): boolean {
  return prefix?.toLowerCase().includes(text.trim().toLowerCase()) ?? false;
}
