/**
 * What a family of models brings to the graphs: how tokens become rows, what a layer computes, how rows become logits. The graphs themselves,
 * with their inputs and outputs, are the same for all families (encoder.ts, decoder.ts).
 */
import type { Value } from './builder.js';
import type { GraphContext, Heads, KeysValues } from './context.js';
import type { Head } from './head.js';

export interface EncoderInputs {
  /** Token ids, [batch, rows], in the target's index type. */
  readonly tokenIds: Value;
  /** Positions, [batch, rows], in the target's index type. */
  readonly positions: Value;
  /** The mask of rows, [batch, rows] bool, false for padding. */
  readonly rowMask: Value;
  /** The mask of pairs, [batch | 1, rows | 1, rows | 1] bool. */
  readonly pairMask: Value;
  /** The shape to reshape to, int64 [3]: batch, rows, -1. */
  readonly shape: Value;
  /** The layers whose attention probabilities are looked at, and the callback that is given them: [batch, heads, rows, rows]. */
  readonly probed: readonly number[];
  readonly see: (layer: number, probabilities: Value) => void;
}

export interface DecoderInputs {
  /** Token ids, [batch, rows], in the target's index type. */
  readonly tokenIds: Value;
  /** Positions, [batch | 1, rows], in the target's index type; -1 for padding. */
  readonly positions: Value;
  /** The positions of the rows, as float32. */
  readonly rowPositions: Value;
  /** The positions of own keys, those of earlier runs included: [batch | 1, own] float32, negative for padding. */
  readonly keyPositions: Value;
  /** The visible encoder rows, [batch, state_rows] bool. */
  readonly visible: Value;
  /** Gives what a layer attends to, from the keys and values of its new rows; all by head. */
  readonly keysAndValues: (layer: number, own: KeysValues) => { readonly own: KeysValues; readonly cross: KeysValues };
}

/** A step from rows to rows, [batch * rows, width]. */
export type LayerStep = (hidden: Value, layer: number) => Value;

/** One side of a model in a graph that is being built. */
export interface Stack {
  /**
   * Makes rows of tokens.
   * @returns [batch * rows, width]
   */
  embed(): Value;
  /** Makes the first layer's input from the rows of tokens, such as by adding rows of positions. Left out, nothing is done. */
  begin?(rows: Value): Value;
  /** Makes what the layers share, such as masks and angles, and gives the step from one to the next. */
  start(): LayerStep;
  /** Computes what follows the last layer. */
  end(hidden: Value): Value;
}

/** One side's sizes. */
export interface StackShape extends Heads {
  readonly layers: number;
  /** The width of a row. */
  readonly width: number;
}

export interface Blocks {
  readonly encoderShape: StackShape;
  readonly decoderShape: StackShape;
  readonly head: Head;
  encoder(inputs: EncoderInputs): Stack;
  decoder(inputs: DecoderInputs): Stack;
  /** Computes what follows the decoder's last layer, by itself, for graphs of parts. */
  decoderEnd(hidden: Value): Value;
  /**
   * Makes rows of tokens by themselves.
   * @param tokenIds [batch, rows], in the target's index type
   * @returns [batch * rows, width]
   */
  embed(tokenIds: Value): Value;
  /**
   * A decoder layer's keys and values of encoder states.
   * @param states [n, encoder width]
   * @param shape int64 [3]: batch, rows, -1
   * @returns [batch, rows, kv_heads * head_dim] each
   */
  cross(states: Value, layer: number, shape: Value): KeysValues;
}

/** The parts that a whole graph is built with. */
export interface GraphModel extends GraphContext {
  readonly blocks: Blocks;
}

/** Adds nodes to a graph. */
export type BuildGraph = (model: GraphModel) => void;
