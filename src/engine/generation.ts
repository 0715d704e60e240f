/** Generates for one batch: the prompt and the first tokens in one run of the graph, then some tokens a run, the past handed on. */
import { Random } from '../base/random.js';
import type { ModelShape } from '../model/families/family.js';
import type { ChosenTokens, Generated, GenerateItem } from './engine.js';
import type { TellTokens, WithMemory } from './runner.js';
import type { Feeds, Graph, HostTensor } from './runtime.js';
import { sampleToken } from './sampling.js';
import { booleans, float32, int64, memoryFeeds } from './tensors.js';

/** What has been generated for one item so far. */
interface Row {
  readonly item: GenerateItem;
  readonly random: Random;
  readonly tokenIds: number[];
  readonly logProbabilities: number[];
  stop: Generated['stop'] | undefined;
}

interface BatchPlan {
  /** The rows that the start token and the longest prompt are padded to. */
  readonly rows: number;
  /** The rows that the largest memory is padded to. */
  readonly stateRows: number;
  /** The tokens that one run of the graph may choose. */
  readonly steps: number;
  /** The places of the items whose tokens are told. */
  readonly told: readonly number[];
}

interface BatchCallbacks {
  /** Called before every run of the graph; may throw to stop. */
  beforeRun(): Promise<void>;
  /** Called after every run that has chosen tokens of the items to tell. */
  readonly onTokens: TellTokens | undefined;
}

export async function generateBatch(
  graphs: { readonly cross: Graph; readonly generate: Graph },
  shape: ModelShape,
  batch: readonly WithMemory<GenerateItem>[],
  { rows, stateRows, steps, told }: BatchPlan,
  { beforeRun, onTokens }: BatchCallbacks,
): Promise<Generated[]> {
  const memories = batch.map(({ memory }) => memory);
  const { states, visible } = memoryFeeds(memories, stateRows, shape.encoder.width);
  const cross = await graphs.cross.run({ states });
  const generated: Row[] = batch.map((item) => ({
    item,
    random: new Random('generate', item.sampling?.seed ?? 0),
    tokenIds: [],
    logProbabilities: [],
    stop: undefined,
  }));
  // A token that is drawn by chance is chosen out here: one a run, from its logits.
  const sampled = batch.some(isSampled);
  const perRun = {
    steps: int64([sampled ? 1 : steps], []),
    ...(graphs.generate.inputs.includes('drawn')
      ? { drawn: int64(sampled ? [...batch.keys()] : [], [sampled ? batch.length : 0]) }
      : { want_logits: booleans(Uint8Array.of(sampled ? 1 : 0), []) }),
    ends: int64(shape.stopTokenIds, [shape.stopTokenIds.length]),
    visible,
    ...cross,
  };
  let past = emptyPast(shape, batch.length);
  let feeds = promptFeeds(batch, rows, shape);
  try {
    while (generated.some(({ stop }) => !stop)) {
      await beforeRun();
      const wanted = int64(
        generated.map(({ item, tokenIds, stop }) => (stop ? 0 : item.maxTokens - tokenIds.length)),
        [batch.length],
      );
      const outputs = await graphs.generate.run({ ...perRun, ...feeds, ...past, wanted });
      const before = generated.map(({ tokenIds }) => tokenIds.length);
      takeTokens(generated, outputs, shape);
      const chosen = told.map((item) => chosenSince(generated[item]!, item, before[item]!));
      if (chosen.some(({ tokenIds }) => tokenIds.length > 0))
        onTokens?.(chosen.filter(({ tokenIds }) => tokenIds.length > 0));
      dispose(past);
      past = pastFrom(outputs, shape);
      feeds = lastTokenFeeds(generated, shape);
    }
  } finally {
    dispose(past);
    dispose(cross);
  }
  return generated.map(({ tokenIds, logProbabilities, stop }) => ({
    tokenIds: Int32Array.from(tokenIds),
    logProbabilities: Float32Array.from(logProbabilities),
    stop: stop!,
  }));
}

/** The names of the outputs that a graph leaves for later runs to read. */
export function keptOutputs(graph: string, { decoder }: ModelShape): string[] {
  const each = (kind: string) => Array.from({ length: decoder.layers }, (_, layer) => `${kind}.${layer}`);
  if (graph === 'cross') return [...each('cross_keys'), ...each('cross_values')];
  return graph === 'generate' ? [...each('keys'), ...each('values')] : [];
}

/** Tensors that nobody reads any more may be a device's, which no garbage collector sees. */
function dispose(tensors: Feeds): void {
  for (const tensor of Object.values(tensors)) tensor.dispose?.();
}

const isSampled = ({ sampling }: GenerateItem) => sampling !== undefined && sampling.temperature > 0;

/** Takes over the tokens that the steps of a run chose, for the rows that still wanted tokens. */
function takeTokens(generated: readonly Row[], outputs: Feeds, shape: ModelShape): void {
  const [steps] = outputs.tokens!.dims as [number, number];
  for (let step = 0; step < steps; step++) {
    for (const [b, row] of generated.entries()) {
      if (!row.stop) takeToken(row, choose(row, outputs, b, step * generated.length + b, shape), shape);
    }
  }
}

function chosenSince({ tokenIds, logProbabilities }: Row, item: number, before: number): ChosenTokens {
  return {
    item,
    tokenIds: Int32Array.from(tokenIds.slice(before)),
    logProbabilities: Float32Array.from(logProbabilities.slice(before, tokenIds.length)),
  };
}

interface Choice {
  readonly tokenId: number;
  /** The natural logarithm of the token's probability at temperature 1. */
  readonly logProbability: number;
}

/**
 * The most probable token, or one by chance: only then do logits leave the graph, a megabyte a row and token.
 * @param at of the row and step among all
 */
function choose({ item, random }: Row, outputs: Feeds, row: number, at: number, shape: ModelShape): Choice {
  const logSum = Number(outputs.log_sum!.data[at]);
  const bestLogit = Number(outputs.best_logit!.data[at]);
  if (!isSampled(item)) return { tokenId: Number(outputs.tokens!.data[at]), logProbability: bestLogit - logSum };
  const all = outputs.logits!.data as Float32Array;
  const logits = all.subarray(row * shape.vocabularySize, (row + 1) * shape.vocabularySize);
  const tokenId = sampleToken(logits, bestLogit, item.sampling!, random);
  return { tokenId, logProbability: logits[tokenId]! - logSum };
}

function takeToken(row: Row, { tokenId, logProbability }: Choice, { stopTokenIds }: ModelShape): void {
  if (!Number.isFinite(logProbability)) {
    // What was chosen means nothing, the end of the text included: it ends here, and whoever reads the probabilities finds this one.
    row.logProbabilities.push(logProbability);
    row.stop = 'length';
    return;
  }
  if (stopTokenIds.includes(tokenId)) {
    row.stop = 'end';
    return;
  }
  row.tokenIds.push(tokenId);
  row.logProbabilities.push(logProbability);
  if (row.tokenIds.length === row.item.maxTokens) row.stop = 'length';
}

/** Makes the inputs of the first run: start token and prompts, aligned to the left. Position -1 marks padding, which nothing ever sees. */
function promptFeeds(
  batch: readonly GenerateItem[],
  rows: number,
  { decoderStartTokenId, padTokenId }: ModelShape,
): Feeds {
  const inputs = batch.map(({ prompt }) => [decoderStartTokenId, ...prompt]);
  const padded = (of: (input: readonly number[], i: number) => number) =>
    int64(
      inputs.flatMap((input) => Array.from({ length: rows }, (_, i) => of(input, i))),
      [batch.length, rows],
    );
  return {
    token_ids: padded((input, i) => input[i] ?? padTokenId),
    positions: padded((input, i) => (i < input.length ? i : -1)),
    speaking: int64(
      inputs.map((input, b) => b * rows + input.length - 1),
      [batch.length],
    ),
  };
}

/** Makes the inputs of a later run: the token that each row chose last, at its position. Rows that have stopped go on with any token. */
function lastTokenFeeds(generated: readonly Row[], { padTokenId }: ModelShape): Feeds {
  const column = (of: (row: Row) => number) => int64(generated.map(of), [generated.length, 1]);
  return {
    token_ids: column(({ tokenIds }) => tokenIds.at(-1) ?? padTokenId),
    positions: column(({ item, tokenIds }) => item.prompt.length + tokenIds.length),
    speaking: int64([...generated.keys()], [generated.length]),
  };
}

function emptyPast(shape: ModelShape, batchSize: number): Feeds {
  const dimensions = [batchSize, shape.decoder.kvHeads, 0, shape.decoder.headDim];
  const empty = () => float32(new Float32Array(0), dimensions);
  return pastFeeds(shape, int64([], [batchSize, 0]), empty);
}

function pastFrom(outputs: Feeds, shape: ModelShape): Feeds {
  return pastFeeds(shape, outputs.seen_positions!, (name) => outputs[name]!);
}

function pastFeeds(shape: ModelShape, positions: HostTensor, of: (name: string) => HostTensor): Feeds {
  const feeds: Feeds = { past_positions: positions };
  for (let layer = 0; layer < shape.decoder.layers; layer++) {
    feeds[`past_keys.${layer}`] = of(`keys.${layer}`);
    feeds[`past_values.${layer}`] = of(`values.${layer}`);
  }
  return feeds;
}
