/**
 * What a family of models brings to the graphs: how tokens become rows, what a layer computes, how rows become logits. The graphs themselves,
 * with their inputs and outputs, are the same for all families (encoder.ts, decoder.ts).
 */
import type { Value } from './builder.js';
import type { GraphContext, Heads, KeysValues } from './context.js';
import type { Head } from './head.js';

export interface EncoderInputs {
  /** [batch, rows], as the target has indices */
  readonly tokenIds: Value;
  /** [batch, rows], the same */
  readonly positions: Value;
  /** [batch, rows] bool, false for padding */
  readonly rowMask: Value;
  /** [batch | 1, rows | 1, rows | 1] bool */
  readonly pairMask: Value;
  /** int64 [3]: batch, rows, -1 */
  readonly shape: Value;
  /** Layers whose attention probabilities are looked at, and who is given them: [batch, heads, rows, rows]. */
  readonly probed: readonly number[];
  readonly see: (layer: number, probabilities: Value) => void;
}

export interface DecoderInputs {
  /** [batch, rows], as the target has indices */
  readonly tokenIds: Value;
  /** [batch | 1, rows], the same, -1 for padding */
  readonly positions: Value;
  /** The same as float32. */
  readonly rowPositions: Value;
  /** Of the keys of own rows, those of earlier runs included: [batch | 1, own] float32, negative for padding. */
  readonly keyPositions: Value;
  /** [batch, state_rows] bool */
  readonly visible: Value;
  /** What a layer attends to, given the keys and values of its new rows; all by head. */
  readonly keysAndValues: (layer: number, own: KeysValues) => { readonly own: KeysValues; readonly cross: KeysValues };
}

/** From rows to rows, [batch * rows, width]. */
export type LayerStep = (hidden: Value, layer: number) => Value;

/** One side of a model in a graph that is being built. */
export interface Stack {
  /** Rows of tokens. @returns [batch * rows, width] */
  embed(): Value;
  /** What comes between the rows of tokens and the first layer, such as rows of positions; nothing when left out. */
  begin?(rows: Value): Value;
  /** Makes what the layers share, such as masks and angles, and gives the step from one to the next. */
  start(): LayerStep;
  /** What comes after the last layer. */
  end(hidden: Value): Value;
}

/** One side's sizes. */
export interface StackShape extends Heads {
  readonly layers: number;
  /** Numbers of a row. */
  readonly width: number;
}

export interface Blocks {
  readonly encoderShape: StackShape;
  readonly decoderShape: StackShape;
  readonly head: Head;
  encoder(inputs: EncoderInputs): Stack;
  decoder(inputs: DecoderInputs): Stack;
  /** After the last layer of the decoder, by itself: for graphs of parts. */
  decoderEnd(hidden: Value): Value;
  /** Rows of tokens, by themselves. @param tokenIds [batch, rows], as the target has indices @returns [batch * rows, width] */
  embed(tokenIds: Value): Value;
  /**
   * A decoder layer's keys and values of encoder states.
   * @param states [n, encoder width]
   * @param shape int64 [3]: batch, rows, -1
   * @returns [batch, rows, kv_heads * head_dim] each
   */
  cross(states: Value, layer: number, shape: Value): KeysValues;
}

/** What a whole graph is built with. */
export interface GraphModel extends GraphContext {
  readonly blocks: Blocks;
}

/** Adds nodes to a graph. */
export type BuildGraph = (model: GraphModel) => void;
