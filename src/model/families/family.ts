/**
 * What a family of models brings, and all that the rest of the program knows of one. Executor, batches, stores, serving and experiments read a
 * `ModelShape` and know no family's name.
 */
import type { Blocks } from '../graph/blocks.js';
import type { GraphContext } from '../graph/context.js';
import type { ScaleForm } from '../graph/layout.js';
import type { Read } from '../graph/weights.js';
import type { Frame } from '../tokenizer/pipeline.js';

/** The sizes of one side: the encoder or the decoder. */
export interface SideShape {
  readonly layers: number;
  /** The width of a row: of the encoder's states, or of what the head reads. */
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** The largest number of rows that this side takes; null without a limit. More rows are an error. */
  readonly mostRows: number | null;
}

/** A model's sizes and special ids: all that the code above the families sees of a model. */
export interface ModelShape {
  readonly vocabularySize: number;
  readonly encoder: SideShape;
  readonly decoder: SideShape;
  /** The token that the decoder reads first. */
  readonly decoderStartTokenId: number;
  readonly padTokenId: number;
  /** The token ids of which any one ends a generated text. */
  readonly stopTokenIds: readonly number[];
  /** The narrowest sliding window among the encoder's layers, in rows; null where every layer sees all rows. */
  readonly narrowestWindow: number | null;
  /**
   * True where the encoder has learned absolute positions, so that a row means something else at another position. Absent where only distances
   * count.
   */
  readonly absolutePositions?: true;
  /**
   * The number of tokens that the encoder was trained for. It reads longer inputs too, and nothing is known about how well. Null where the model
   * states no such number.
   */
  readonly trainedTokens: number | null;
}

/**
 * The reference rounds the factor of T5Gemma 2's embedding rows, sqrt(hidden size), to the type that it was loaded in. `exact` is what a
 * float32 load gives; `bfloat16` is what the research ran (25.25 instead of 25.298 for 640). Families without such a factor know `exact` alone.
 */
export const EMBEDDING_SCALES = ['exact', 'bfloat16'] as const;
export type EmbeddingScale = (typeof EMBEDDING_SCALES)[number];

/** A producer of channels and the tensors that read them, where 8-bit forms make the channels alike (smoothing.ts). */
export interface SmoothedChannels {
  /** The name of the producer: a norm's scale, or a matrix. */
  readonly producer: string;
  /** The name of the bias that is added to the producer's channels, and is divided as they are. */
  readonly bias?: string;
  /** The names of the matrices that read the channels. */
  readonly readers: readonly string[];
  readonly read: Read;
  /** For a matrix: the name of the norm that makes the rows that it reads. */
  readonly norm?: string;
  /** The producer's channel that each column of a reader reads; the same number by default. */
  readonly channelOf?: (column: number) => number;
}

/** The mean and standard deviation of normally distributed numbers. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** The spread of the numbers that a norm multiplies by. */
export const NORM_SPREAD: Spread = { mean: 1, deviation: 0.3 };

/** Facts by name, in a form that does not depend on how the program keeps them. */
export type Facts = { readonly [name: string]: Fact };
export type Fact = number | string | boolean | null | readonly Fact[] | Facts;

/** @typeParam Config what `config.json` says, validated; its `family` is this one's name */
export interface ModelFamily<Config extends { readonly family: string } = { readonly family: string }> {
  readonly name: Config['family'];
  /** The family's name as its makers write it, for messages. */
  readonly title: string;
  /** The values of `model_type` in config.json. */
  readonly modelTypes: readonly string[];
  /**
   * Validates the content of config.json.
   * @throws DkvError CHECKPOINT_INVALID, or MODEL_UNSUPPORTED for a variant that is not implemented
   */
  parse(json: unknown, file: string): Config;
  /**
   * Adds what generation_config.json says of start and end.
   * @throws DkvError as `parse`
   */
  withGeneration(config: Config, json: unknown, file: string): Config;
  /** Adds what can only be told from which tensors a checkpoint has, for families where that matters. */
  withTensors?(config: Config, stored: { has(name: string): boolean }): Config;
  shape(config: Config): ModelShape;
  /** The facts that decide numbers, by name. A fact with its usual value is left out. */
  arithmetic(config: Config): Facts;
  /** The value that release 0.1.0 made a fingerprint from; undefined for families that it did not know. */
  release010?(config: Config): unknown;
  /** The canonical name of the table of tokens' rows, [vocabulary, width], which both sides read. */
  readonly table: string;
  /** The canonical name and shape of every tensor. Linear weights are [out, in]. Names of a side's tensors begin with `encoder.` or `decoder.`. */
  tensors(config: Config): Map<string, readonly number[]>;
  /** The names under which files may hold a tensor. Where several are present they must be equal. */
  storedNames(canonical: string): readonly string[];
  /** Tells whether a tensor of this name is one that is read, or must be reported when it is not. */
  isRead(storedName: string): boolean;
  /** The name that a tensor has in files that this program writes. */
  writtenName(canonical: string): string;
  blocks(context: GraphContext, config: Config, embeddingScale: EmbeddingScale): Blocks;
  readonly embeddingScales: readonly EmbeddingScale[];
  /** The form of a norm's scale: what a stored weight w stands for. */
  readonly normForm: ScaleForm;
  /** The name of the norm whose output the decoder's keys and values read as states. */
  statesNorm(config: Config): string;
  smoothed(config: Config): SmoothedChannels[];
  /** The reason why a tokenizer with this frame cannot be this model's; undefined where it can. Families that do not ask accept any. */
  frameProblem?(frame: Frame, config: Config): string | undefined;
  /** The spread of a tensor's random weights, such that activations are of the order of 1 and every sublayer counts. */
  spreadOf(name: string, shape: readonly number[], config: Config): Spread;
}
