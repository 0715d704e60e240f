/**
 * What encoder and decoder of T5 compute. Arithmetic after the reference, `transformers/models/t5/modeling_t5.py`.
 *
 * h += sublayer(norm(h)), with an RMSNorm that multiplies by its weight; a norm after the last layer of each side. Scores are not divided; positions
 * are a bias of scores that all layers of a side share, in attention of a side to itself alone, so that an encoder row has no position for the decoder,
 * which attends to its own rows and to the encoder's in two sublayers.
 */
import { attend } from '../../graph/attention.js';
import type { Blocks, DecoderInputs, EncoderInputs, Stack } from '../../graph/blocks.js';
import type { Value } from '../../graph/builder.js';
import { byHead, eachOf, type GraphContext, type Heads, rowShape, type Side } from '../../graph/context.js';
import { visiblePairs } from '../../graph/encoder.js';
import { ACTIVATIONS } from '../../graph/feed-forward.js';
import { rmsNorm } from '../../graph/norms.js';
import { relativeBias } from '../../graph/relative-bias.js';
import { biasedAttention } from '../../graph/row-blocks.js';
import { attendSeparately, causal, maskBias, withoutHeads } from '../../graph/separate-attention.js';
import { tokenRows } from '../../graph/token-rows.js';
import type { T5Config } from './config.js';
import { biasTable, EMBEDDING, HEAD, layerNames } from './tensors.js';

interface Context extends GraphContext {
  readonly config: T5Config;
}

export function t5Blocks(model: GraphContext, config: T5Config): Blocks {
  const context: Context = { ...model, config };
  const { width, encoderLayers, decoderLayers, isTied, scalesHead } = config;
  const heads = headsOf(config);
  return {
    encoderShape: { ...heads, layers: encoderLayers, width },
    decoderShape: { ...heads, layers: decoderLayers, width },
    head: { table: isTied ? EMBEDDING : HEAD, scale: scalesHead ? width ** -0.5 : 1, cap: null },
    encoder: (inputs) => encoderStack(context, inputs),
    decoder: (inputs) => decoderStack(context, inputs),
    decoderEnd: (hidden) => finalNorm(context, 'decoder', hidden),
    embed: (tokenIds) => embed(context, tokenIds),
    cross(states, layer, shape) {
      const { k, v } = layerNames('decoder', layer, config).cross;
      const [keys, values] = model.layout.projectStates(model.graph, states, [k, v]) as [Value, Value];
      return eachOf({ keys, values }, (x) => model.graph.op('Reshape', [x, shape]));
    },
  };
}

function headsOf({ heads, headDim }: T5Config): Heads {
  return { heads, kvHeads: heads, headDim, scale: 1 };
}

function embed(context: Context, tokenIds: Value): Value {
  return tokenRows(context, { table: EMBEDDING, width: context.config.width, scale: 1 }, tokenIds);
}

function norm(context: Context, x: Value, name: string): Value {
  return rmsNorm(context, { epsilon: context.config.epsilon, form: 'copy' }, x, name);
}

function finalNorm(context: Context, side: Side, hidden: Value): Value {
  return norm(context, hidden, `${side}.final_layer_norm.weight`);
}

function encoderStack(context: Context, inputs: EncoderInputs): Stack {
  const { graph, config } = context;
  const heads = headsOf(config);
  return {
    embed: () => embed(context, inputs.tokenIds),
    start() {
      const positions = graph.op('Cast', [inputs.positions], { to: { int: 1 } });
      const seen = withoutHeads(context, visiblePairs(context, inputs));
      const ofRows = (rows: Value, visible: Value) => biasOf(context, 'encoder', rows, positions, visible);
      const attention = biasedAttention(context, heads, { positions, seen, shape: inputs.shape, biasOf: ofRows });
      // Whose probabilities are looked at, sees all keys at once.
      const whole = inputs.probed.length > 0 ? ofRows(positions, seen) : '';
      return (hidden, layer) => {
        const { self, feedForward } = layerNames('encoder', layer, config);
        const { queries, ...own } = projectRows(context, norm(context, hidden, self.norm), self, inputs.shape);
        const looked = inputs.probed.includes(layer) ? attend(context, heads, queries, own, whole, true) : undefined;
        if (looked) inputs.see(layer, looked.probabilities);
        const attended = looked?.attended ?? attention(queries, own);
        return feed(context, add(context, hidden, projectAttended(context, attended, self.o)), feedForward);
      };
    },
    end: (hidden) => finalNorm(context, 'encoder', hidden),
  };
}

function decoderStack(context: Context, inputs: DecoderInputs): Stack {
  const { graph, layout, config } = context;
  const heads = headsOf(config);
  return {
    embed: () => embed(context, inputs.tokenIds),
    start() {
      const { rowPositions, keyPositions } = inputs;
      const shape = rowShape(graph, inputs.tokenIds);
      const seen = withoutHeads(context, causal(graph, rowPositions, keyPositions));
      const ownBias = biasOf(context, 'decoder', rowPositions, keyPositions, seen);
      const crossBias = maskBias(graph, graph.op('Unsqueeze', [inputs.visible, graph.ints([1, 2])]));
      return (hidden, layer) => {
        const { self, cross, feedForward } = layerNames('decoder', layer, config);
        const { queries, ...rows } = projectRows(context, norm(context, hidden, self.norm), self, shape);
        const there = inputs.keysAndValues(
          layer,
          eachOf(rows, (x) => byHead(context, heads, x)),
        );
        const said = attendSeparately(context, heads, queries, there.own, ownBias);
        const middle = add(context, hidden, projectAttended(context, said, self.o));
        const [asked] = layout.project(graph, norm(context, middle, cross.norm), [cross.q]) as [Value];
        const looking = graph.op('Reshape', [asked, shape]);
        const read = attendSeparately(context, heads, looking, there.cross, crossBias);
        return feed(context, add(context, middle, projectAttended(context, read, cross.o)), feedForward);
      };
    },
    end: (hidden) => finalNorm(context, 'decoder', hidden),
  };
}

/** @param seen [batch | 1, rows | 1, keys] bool @returns what is added to scores, [batch | 1, heads, rows, keys] float32 */
function biasOf(context: Context, side: Side, rowPositions: Value, keyPositions: Value, seen: Value): Value {
  const { buckets: count, maxDistance } = context.config;
  const buckets = { count, maxDistance, bothWays: side === 'encoder' };
  return relativeBias(context, biasTable(side), buckets, rowPositions, keyPositions, seen);
}

type AttentionNames = ReturnType<typeof layerNames>['self'];

/** @param x [n, width], normalised @param shape int64 [3]: batch, rows, -1 @returns [batch, rows, heads * head_dim] each */
function projectRows({ graph, layout }: Context, x: Value, { q, k, v }: AttentionNames, shape: Value) {
  const [queries, keys, values] = layout
    .project(graph, x, [q, k, v])
    .map((rows) => graph.op('Reshape', [rows, shape])) as [Value, Value, Value];
  return { queries, keys, values };
}

/** @param attended [batch, rows, heads * head_dim] @returns [batch * rows, width] */
function projectAttended({ graph, layout, config }: Context, attended: Value, name: string): Value {
  const rows = graph.op('Reshape', [attended, graph.ints([-1, config.heads * config.headDim])]);
  return layout.project(graph, rows, [name])[0]!;
}

function add({ graph }: Context, hidden: Value, more: Value): Value {
  return graph.op('Add', [hidden, more]);
}

function feed(context: Context, hidden: Value, names: ReturnType<typeof layerNames>['feedForward']): Value {
  const { graph, layout, config } = context;
  const { gate, up, down } = names;
  const fed = layout.feedForward(graph, norm(context, hidden, names.norm), { gate, down, ...(up && { up }) }, (x) =>
    ACTIVATIONS[config.activation](graph, x),
  );
  return add(context, hidden, fed);
}
