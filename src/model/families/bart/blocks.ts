/**
 * What encoder and decoder of BART compute. Arithmetic after the reference, `transformers/models/bart/modeling_bart.py`.
 *
 * h = norm(h + sublayer(h)), with a LayerNorm behind each sublayer and none behind the last layer. Positions are rows that are added to those of
 * tokens, normalised before the first layer; an encoder row has no position for the decoder, which attends to its own rows and to the encoder's in
 * two sublayers. Every linear map has a bias, and so have the logits.
 */
import { attend, attentionMask } from '../../graph/attention.js';
import type { Blocks, DecoderInputs, EncoderInputs, Stack } from '../../graph/blocks.js';
import type { Value } from '../../graph/builder.js';
import { byHead, eachOf, type GraphContext, type Heads, rowShape, type Side } from '../../graph/context.js';
import { rowIndices, visiblePairs, visibleToEach } from '../../graph/encoder.js';
import { ACTIVATIONS } from '../../graph/feed-forward.js';
import { learnedPositions } from '../../graph/learned-positions.js';
import { type LinearNames, linear, linearFeedForward, linearOfStates } from '../../graph/linear.js';
import { type LayerNormNames, layerNorm } from '../../graph/norms.js';
import { attendSeparately, causal, maskBias } from '../../graph/separate-attention.js';
import { tokenRows } from '../../graph/token-rows.js';
import type { BartConfig } from './config.js';
import { EMBEDDING, embeddingNorm, LOGITS_BIAS, layerNames, POSITION_OFFSET, positionTable } from './tensors.js';

interface Context extends GraphContext {
  readonly config: BartConfig;
}

/** The epsilon of the reference, which no config changes. */
const EPSILON = 1e-5;

export function bartBlocks(model: GraphContext, config: BartConfig): Blocks {
  const context: Context = { ...model, config };
  const { width, encoder, decoder, hasLogitsBias } = config;
  return {
    encoderShape: { ...headsOf(config, 'encoder'), layers: encoder.layers, width },
    decoderShape: { ...headsOf(config, 'decoder'), layers: decoder.layers, width },
    head: { table: EMBEDDING, scale: 1, cap: null, ...(hasLogitsBias && { bias: LOGITS_BIAS }) },
    encoder: (inputs) => encoderStack(context, inputs),
    decoder: (inputs) => decoderStack(context, inputs),
    decoderEnd: (hidden) => hidden,
    embed: (tokenIds) => embed(context, tokenIds),
    cross(states, layer, shape) {
      const { k, v } = layerNames('decoder', layer).cross;
      const [keys, values] = linearOfStates(context, states, [k, v]) as [Value, Value];
      return eachOf({ keys, values }, (x) => model.graph.op('Reshape', [x, shape]));
    },
  };
}

function headsOf(config: BartConfig, side: Side): Heads {
  const { heads } = config[side];
  const headDim = config.width / heads;
  return { heads, kvHeads: heads, headDim, scale: headDim ** -0.5 };
}

function embed(context: Context, tokenIds: Value): Value {
  const { width, scalesEmbedding } = context.config;
  return tokenRows(context, { table: EMBEDDING, width, scale: scalesEmbedding ? Math.sqrt(width) : 1 }, tokenIds);
}

/** @param rows of tokens @param positions [batch, rows] int64 */
function placed(context: Context, side: Side, rows: Value, positions: Value): Value {
  const table = { name: positionTable(side), offset: POSITION_OFFSET, count: context.config.maxPositions };
  return addNormalised(context, rows, learnedPositions(context, table, positions), embeddingNorm(side));
}

/** Computes norm(hidden + more). */
function addNormalised(context: Context, hidden: Value, more: Value, norm: LayerNormNames): Value {
  return layerNorm(context, EPSILON, context.graph.op('Add', [hidden, more]), norm);
}

function encoderStack(context: Context, inputs: EncoderInputs): Stack {
  const heads = headsOf(context.config, 'encoder');
  return {
    embed: () => embed(context, inputs.tokenIds),
    begin: (rows) => placed(context, 'encoder', rows, inputs.positions),
    start() {
      const seen = visibleToEach(context, rowIndices(context, inputs), visiblePairs(context, inputs));
      const mask = attentionMask(context, heads, seen);
      return (hidden, layer) => {
        const { self, feedForward } = layerNames('encoder', layer);
        const { queries, ...own } = projectRows(context, hidden, self, inputs.shape);
        const wanted = inputs.probed.includes(layer);
        const { attended, probabilities } = attend(context, heads, queries, own, mask, wanted);
        if (wanted) inputs.see(layer, probabilities);
        return feed(context, addAttended(context, hidden, attended, self), feedForward);
      };
    },
    end: (hidden) => hidden,
  };
}

function decoderStack(context: Context, inputs: DecoderInputs): Stack {
  const { graph } = context;
  const heads = headsOf(context.config, 'decoder');
  return {
    embed: () => embed(context, inputs.tokenIds),
    begin(rows) {
      const everyRow = graph.op('Expand', [inputs.positions, graph.op('Shape', [inputs.tokenIds])]);
      return placed(context, 'decoder', rows, everyRow);
    },
    start() {
      const shape = rowShape(graph, inputs.tokenIds);
      const ownBias = maskBias(graph, causal(graph, inputs.rowPositions, inputs.keyPositions));
      const crossBias = maskBias(graph, graph.op('Unsqueeze', [inputs.visible, graph.ints([1, 2])]));
      return (hidden, layer) => {
        const { self, cross, feedForward } = layerNames('decoder', layer);
        const { queries, ...rows } = projectRows(context, hidden, self, shape);
        const seen = inputs.keysAndValues(
          layer,
          eachOf(rows, (x) => byHead(context, heads, x)),
        );
        const said = attendSeparately(context, heads, queries, seen.own, ownBias);
        const middle = addAttended(context, hidden, said, self);
        const [asked] = linear(context, middle, [cross.q]) as [Value];
        const looking = graph.op('Reshape', [asked, shape]);
        const read = attendSeparately(context, heads, looking, seen.cross, crossBias);
        return feed(context, addAttended(context, middle, read, cross), feedForward);
      };
    },
    end: (hidden) => hidden,
  };
}

type AttentionNames = ReturnType<typeof layerNames>['self'];

/** @param x [n, width] @param shape int64 [3]: batch, rows, -1 @returns [batch, rows, width] each */
function projectRows(context: Context, x: Value, { q, k, v }: AttentionNames, shape: Value) {
  const [queries, keys, values] = linear(context, x, [q, k, v]).map((rows) =>
    context.graph.op('Reshape', [rows, shape]),
  ) as [Value, Value, Value];
  return { queries, keys, values };
}

/** @param attended [batch, rows, width] @returns [batch * rows, width] */
function addAttended(context: Context, hidden: Value, attended: Value, { o, norm }: AttentionNames): Value {
  const { graph, config } = context;
  const rows = graph.op('Reshape', [attended, graph.ints([-1, config.width])]);
  return addNormalised(context, hidden, linear(context, rows, [o])[0]!, norm);
}

function feed(
  context: Context,
  hidden: Value,
  { up, down, norm }: { readonly up: LinearNames; readonly down: LinearNames; readonly norm: LayerNormNames },
): Value {
  const activate = (x: Value) => ACTIVATIONS[context.config.activation](context.graph, x);
  return addNormalised(context, hidden, linearFeedForward(context, hidden, { up, down }, activate), norm);
}
