/** Generates for one batch: the prompt in one step, then one token a step, keys and values of what was said kept. */
import { Tensor } from 'onnxruntime-node';
import type { Generated, GenerateItem } from '../engine.js';
import type { ModelConfig } from '../model/config.js';
import { Random } from '../random.js';
import type { Feeds, Graph } from './runtime.js';
import { sampleToken } from './sampling.js';
import { int64, memoryFeeds } from './tensors.js';

/** What has been generated for one item so far. */
interface Row {
  readonly item: GenerateItem;
  readonly random: Random;
  readonly tokenIds: number[];
  readonly logProbabilities: number[];
  /** The tokens that the next step takes; none once the row has stopped. */
  input: number[];
  stop: Generated['stop'] | undefined;
}

/**
 * @param rows that BOS and the longest prompt are padded to
 * @param stateRows that the largest memory is padded to
 * @param beforeStep called before every step; may throw to stop
 */
export async function generateBatch(
  graphs: { readonly cross: Graph; readonly step: Graph },
  config: ModelConfig,
  batch: readonly GenerateItem[],
  rows: number,
  stateRows: number,
  beforeStep: () => Promise<void>,
): Promise<Generated[]> {
  const memories = batch.map(({ memory }) => memory);
  const { states, visible } = memoryFeeds(memories, stateRows, config.hiddenSize);
  const crossFeeds = await graphs.cross.run({ states });
  const generated: Row[] = batch.map((item) => ({
    item,
    random: new Random('generate', item.sampling?.seed ?? 0),
    tokenIds: [],
    logProbabilities: [],
    input: [config.bosTokenId, ...item.prompt],
    stop: undefined,
  }));
  const sampled = batch.some(({ sampling }) => sampling && sampling.temperature > 0);
  const cache = [...config.decoder.layerTypes.keys()].flatMap((layer) => [`keys.${layer}`, `values.${layer}`]);
  const wanted = ['log_sum', 'best', 'best_logit', ...cache, ...(sampled ? ['logits'] : [])];
  let past = emptyPast(config, batch.length);
  let pastPositions: number[][] = batch.map(() => []);
  for (let stepRows = rows; generated.some(({ stop }) => !stop); stepRows = 1) {
    await beforeStep();
    const step = stepFeeds(generated, pastPositions, stepRows, config.padTokenId);
    const outputs = await graphs.step.run({ ...step.feeds, visible, ...crossFeeds, ...past }, wanted);
    past = pastFrom(outputs, config);
    pastPositions = pastPositions.map((positions, b) => [...positions, ...step.positions[b]!]);
    for (const [b, row] of generated.entries()) if (!row.stop) takeToken(row, choose(row, outputs, b, config), config);
  }
  return generated.map(({ tokenIds, logProbabilities, stop }) => ({
    tokenIds: Int32Array.from(tokenIds),
    logProbabilities: Float32Array.from(logProbabilities),
    stop: stop!,
  }));
}

interface Choice {
  readonly tokenId: number;
  /** Natural log of the token's probability at temperature 1. */
  readonly logProbability: number;
}

/** The most probable token, or one by chance: only then do logits leave the graph, a megabyte a row and token. */
function choose({ item: { sampling }, random }: Row, outputs: Feeds, row: number, config: ModelConfig): Choice {
  const logSum = Number(outputs.log_sum!.data[row]);
  const bestLogit = Number(outputs.best_logit!.data[row]);
  if (!sampling || sampling.temperature === 0) {
    return { tokenId: Number(outputs.best!.data[row]), logProbability: bestLogit - logSum };
  }
  const all = outputs.logits!.data as Float32Array;
  const logits = all.subarray(row * config.vocabularySize, (row + 1) * config.vocabularySize);
  const tokenId = sampleToken(logits, bestLogit, sampling, random);
  return { tokenId, logProbability: logits[tokenId]! - logSum };
}

function takeToken(row: Row, { tokenId, logProbability }: Choice, { eosTokenIds }: ModelConfig): void {
  row.input = [];
  if (eosTokenIds.includes(tokenId)) {
    row.stop = 'end';
    return;
  }
  row.tokenIds.push(tokenId);
  row.logProbabilities.push(logProbability);
  if (row.tokenIds.length === row.item.maxTokens) row.stop = 'length';
  else row.input = [tokenId];
}

/** A row's input goes to the left of its step; position -1 marks padding, which nothing ever sees. */
function stepFeeds(generated: readonly Row[], past: readonly number[][], rows: number, padTokenId: number) {
  const positions = generated.map(({ input }, b) => {
    const first = past[b]!.reduce((count, position) => count + (position >= 0 ? 1 : 0), 0);
    return Array.from({ length: rows }, (_, i) => (i < input.length ? first + i : -1));
  });
  const tokenIds = generated.flatMap(({ input }) => Array.from({ length: rows }, (_, i) => input[i] ?? padTokenId));
  const last = generated.map(({ input }, b) => b * rows + Math.max(input.length, 1) - 1);
  const feeds: Feeds = {
    token_ids: int64(tokenIds, [generated.length, rows]),
    positions: int64(positions.flat(), [generated.length, rows]),
    past_positions: int64(past.flat(), [generated.length, past[0]!.length]),
    last: int64(last, [generated.length]),
  };
  return { feeds, positions };
}

function emptyPast(config: ModelConfig, batchSize: number): Feeds {
  const dimensions = [batchSize, 0, config.decoder.kvHeads * config.decoder.headDim];
  const empty = () => new Tensor('float32', new Float32Array(0), dimensions);
  return pastFeeds(config, () => ({ keys: empty(), values: empty() }));
}

function pastFrom(outputs: Feeds, config: ModelConfig): Feeds {
  return pastFeeds(config, (layer) => ({ keys: outputs[`keys.${layer}`]!, values: outputs[`values.${layer}`]! }));
}

function pastFeeds(config: ModelConfig, of: (layer: number) => { keys: Tensor; values: Tensor }): Feeds {
  const feeds: Feeds = {};
  for (const layer of config.decoder.layerTypes.keys()) {
    const { keys, values } = of(layer);
    feeds[`past_keys.${layer}`] = keys;
    feeds[`past_values.${layer}`] = values;
  }
  return feeds;
}
