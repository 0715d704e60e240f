/**
 * What is computed together: a pure plan. A block is a few neighbouring units (samples, or candidates of pools) with every condition of
 * the experiment, so that the runner can encode each distinct input once and score all conditions from its states.
 *
 * Which units share a block follows from the units and the configuration alone, never from what an earlier, interrupted run has
 * done, so a resumed run computes the same batches.
 */

import { DkvError } from '../base/errors.js';
import { remembering, type Tokenizer } from '../model/tokenizer/tokenizer.js';
import { type Condition, type Encoding, type Presented, present } from '../priming/condition.js';
import { tokenisationOf } from '../priming/input.js';
import { splitWords } from '../priming/keywords.js';
import type { Rejection } from '../runs/schema/entry.js';
import type { Experiment } from '../runs/schema/experiment.js';
import type { Sample } from '../samples/sample.js';
import { lengthen } from './lengthen.js';

/** A document to score under every condition. */
export interface Unit {
  readonly sample: Sample;
  /** Place in the list that surrogates borrow from: the sample's own, or its pool's. */
  readonly index: number;
}

/** One trial to make: a unit under a condition. */
export interface PlannedTrial {
  readonly sample: Sample;
  readonly condition: Condition;
  readonly parts: readonly Presented[];
  readonly prompt: Int32Array;
  readonly target: Int32Array;
  /** For joint inputs: do they hold other token ids than the segments tokenised apart would? */
  readonly jointDiffers: boolean | undefined;
  /** The prefix contains the text that is scored. */
  readonly leak: boolean;
}

export interface Block {
  readonly units: readonly Unit[];
  readonly trials: readonly PlannedTrial[];
  /** Units of the block that cannot be scored. */
  readonly rejections: readonly Rejection[];
}

export interface BlockLimits {
  /** Rows that the encoder may read of one input. */
  readonly maxTokens: number;
  readonly maxUnits: number;
  /** A block is closed once its trials' inputs have this many rows. */
  readonly maxRows: number;
}

/** What is scored, in order, and under what. */
export interface Plan {
  readonly units: readonly Unit[];
  readonly experiment: Pick<Experiment, 'conditions' | 'target' | 'prompt' | 'padding_step'>;
  /** Texts to make documents longer with. */
  readonly padding: readonly string[];
  /** The text of a surrogate for a unit. @throws DkvError when there is none: the unit is rejected */
  readonly prefix: (specification: string, unit: Unit) => string;
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
  const { target: scored, prompt, conditions } = plan.experiment;
  try {
    const text = scored === 'answer' ? sample.answer : sample.query;
    const target = tokenizer.encode(text);
    if (target.length === 0) return { sample: sample.id, rejected: `the ${scored} is empty` };
    const asked = prompt === 'query' ? tokenizer.encode(sample.query).subarray(0, MAX_PROMPT) : new Int32Array(0);
    const presentations = presentationsOf(plan, unit, tokenizer, maxTokens);
    return conditions.map((condition, i) => {
      const { parts, jointDiffers, prefix } = presentations[i]!;
      return { sample, condition, target, prompt: asked, parts, jointDiffers, leak: contains(prefix, text) };
    });
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    return { sample: sample.id, rejected: error.message };
  }
}

/** The research's limit for a query in the decoder, in tokens. */
const MAX_PROMPT = 512;

interface Presentation {
  readonly parts: readonly Presented[];
  readonly jointDiffers: boolean | undefined;
  readonly prefix: string | undefined;
}

/**
 * The inputs of a unit's conditions. If one of them is over the limit, the document is cut to the same tokens in all that have the same
 * document, so that no condition knows more of it than another.
 */
function presentationsOf(plan: Plan, unit: Unit, tokenizer: Tokenizer, maxTokens: number): Presentation[] {
  const { conditions } = plan.experiment;
  const variant = (condition: Condition) => JSON.stringify(condition.document);
  const documentOf = once(variant, (condition: Condition) => makeDocument(plan, unit, condition, tokenizer));
  const textOf = once(String, (specification: string) => plan.prefix(specification, unit));
  const build = (condition: Condition, maxDocumentTokens = Number.POSITIVE_INFINITY): Presentation => {
    const document = documentOf(condition);
    const limits = { maxTokens, maxDocumentTokens };
    const prefixOf = ({ surrogate }: Encoding) => (surrogate === undefined ? undefined : textOf(surrogate));
    const encodings: readonly Encoding[] = [condition, ...(condition.also ?? [])];
    const parts = encodings.map((encoding) => present(tokenizer, encoding, document, prefixOf(encoding), limits));
    const prefix = prefixOf(condition);
    const joint = tokenisationOf(condition.visibility) === 'joint' && prefix !== undefined && !condition.positions;
    const apart = joint && present(tokenizer, { visibility: 'exact' }, document, prefix, limits);
    const ids = parts[0]!.item.tokenIds;
    return { parts, prefix, jointDiffers: apart ? apart.item.tokenIds.join() !== ids.join() : undefined };
  };
  const built = conditions.map((condition) => build(condition));
  const kept = new Map<string, number>();
  for (const [i, condition] of conditions.entries()) {
    const shortest = Math.min(...built[i]!.parts.map(({ input }) => input.documentTokens));
    kept.set(variant(condition), Math.min(shortest, kept.get(variant(condition)) ?? shortest));
  }
  return conditions.map((condition, i) => {
    const most = kept.get(variant(condition))!;
    return built[i]!.parts.every(({ input }) => input.documentTokens === most) ? built[i]! : build(condition, most);
  });
}

/** The function, computed once for each key. */
function once<T>(keyOf: (argument: T) => string, make: (argument: T) => string): (argument: T) => string {
  const known = new Map<string, string>();
  return (argument) => {
    const key = keyOf(argument);
    const made = known.get(key) ?? make(argument);
    known.set(key, made);
    return made;
  };
}

function makeDocument(plan: Plan, { sample, index }: Unit, { document }: Condition, tokenizer: Tokenizer): string {
  if (!document) return sample.document;
  if ('first_words' in document) return splitWords(sample.document).slice(0, document.first_words).join(' ');
  if (plan.padding.length === 0) {
    throw new DkvError('INPUT_INVALID', 'The dataset has no other texts to make documents longer with.');
  }
  const start = index * plan.experiment.padding_step;
  return lengthen(tokenizer, sample.document, document.tokens, plan.padding, start);
}

function contains(prefix: string | undefined, text: string): boolean {
  return prefix?.toLowerCase().includes(text.trim().toLowerCase()) ?? false;
}
