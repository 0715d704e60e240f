/**
 * The decoder's graphs. Its attention is one softmax over [own keys ; keys of encoder states]; encoder keys carry no position and
 * no window, so a hidden encoder row may as well not be there.
 *
 * `score`  one pass over known tokens. Inputs `token_ids` [batch, rows] int64, right-padded; `states` [memories, state_rows, hidden]
 *          and `visible` [memories, state_rows] bool; `memory` [batch] int64, which of them an item reads; `scored` [n] int64, flat
 *          indices into batch * rows; `targets` [n] int64. Output `nll` [n].
 * `logits` the same pass, after which logits of few tokens are looked at and not the whole vocabulary. Inputs as of `score`; output
 *          `logit` [n], of the tokens `targets` at the rows `scored`. Made from a compiled model when it is first asked for: no file.
 * `tempered` `score` with the NLLs at each inverse temperature: output `nlls` [n, inverse temperatures], n being a multiple of `TEMPERED_ROWS`. No file either.
 * `cross`  keys and values of encoder states, once per document. Input `states`; outputs `cross_keys.<layer>` and
 *          `cross_values.<layer>` [batch, kv_heads, state_rows, head_dim].
 * `generate`  tokens chosen greedily after others already seen, several in one run. Inputs `token_ids`, `positions` [batch, rows] int64
 *          (-1 for padding); `past_positions` [batch, past] int64 (-1 for padding); `speaking` [batch] int64, flat indices of the rows
 *          that speak first; `wanted` [batch] int64, how many tokens each may still choose; `ends` [ends] int64, the tokens that end a
 *          text; `steps` int64, how many at most in this run; `want_logits` bool; `visible`; `cross_*`; `past_keys.<layer>`, `past_values.<layer>` [batch, kv_heads, past,
 *          head_dim]. Ends early when all have chosen an end of text or all their tokens. Outputs, for each step taken, `tokens`
 *          int64, `best_logit` and `log_sum` (of all logits) [steps, batch]; `logits` [batch, vocabulary] of the last step if wanted,
 *          else [0, 0]; `keys.<layer>`, `values.<layer>` [batch, kv_heads, past + new, head_dim] and `seen_positions` [batch, past + new].
 *
 * For devices that are no CPU token ids and positions are int32, and of `generate` `drawn` [drawn] int64, the rows whose logits are wanted, stands for `want_logits`. Where
 * a loop would be the CPU's, `generate` chooses one token a run, without `wanted`, `ends` and `steps`.
 */
import { INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import type { DecoderInputs, GraphModel } from './blocks.js';
import type { Dimensions, GraphBuilder, Value } from './builder.js';
import { axisIndex, byHead, eachOf, indexConstant, type KeysValues, rowShape } from './context.js';
import { nextToken, nextTokenOnDevice, temperedNlls, tokenLogits, tokenNlls } from './head.js';
import { firstRows, hiddenInput, outputHidden } from './parts.js';
import { indexType, isForCpu, runsLoops } from './target.js';

export function buildScore(model: GraphModel): void {
  const { graph, target } = model;
  const tokenIds = graph.input('token_ids', indexType(target).type, ['batch', 'rows']);
  const inputs = knownTokens(model, tokenIds);
  outputNlls(model, decoderRows(model, inputs), rowShape(graph, tokenIds));
}

export function buildLogits(model: GraphModel): void {
  const { graph, blocks, target } = model;
  const tokenIds = graph.input('token_ids', indexType(target).type, ['batch', 'rows']);
  const hidden = decoderRows(model, knownTokens(model, tokenIds));
  outputOfScored(model, 'logit', hidden, rowShape(graph, tokenIds), (rows, tokens) =>
    tokenLogits(model, blocks.head, rows, tokens),
  );
}

export function buildTempered(model: GraphModel): void {
  const { graph, blocks, target } = model;
  const tokenIds = graph.input('token_ids', indexType(target).type, ['batch', 'rows']);
  const hidden = decoderRows(model, knownTokens(model, tokenIds));
  const made = (rows: Value, targets: Value) => temperedNlls(model, blocks.head, rows, targets);
  outputOfScored(model, 'nlls', hidden, rowShape(graph, tokenIds), made, INVERSE_TEMPERATURES.length);
}

/**
 * One layer of `score` by itself. Inputs as there, without `scored` and `targets`, and `hidden` [batch, rows, hidden], of the first layer the rows of
 * tokens; output `hidden_out`.
 */
export function buildScoreLayer(model: GraphModel, layer: number): void {
  const { graph, blocks, target } = model;
  const { width } = blocks.decoderShape;
  const tokenIds = graph.input('token_ids', indexType(target).type, ['batch', 'rows']);
  const stack = blocks.decoder(knownTokens(model, tokenIds));
  const step = stack.start();
  const rows = hiddenInput(graph, width);
  const before = layer === 0 ? firstRows(stack, rows) : rows;
  const hidden = graph.scope(`decoder.${layer}`, () => step(before, layer));
  outputHidden(graph, hidden, rowShape(graph, tokenIds), width);
}

/** The end of `score` by itself. Inputs `hidden`, the last layer's output, `scored` and `targets`; output `nll`. */
export function buildScoreEnd(model: GraphModel): void {
  const { graph, blocks } = model;
  const hidden = blocks.decoderEnd(hiddenInput(graph, blocks.decoderShape.width));
  outputNlls(model, hidden, rowShape(graph, 'hidden'));
}

/** The inputs that the layers of `score` read. */
function knownTokens(model: GraphModel, tokenIds: Value): DecoderInputs {
  const { graph, blocks, target } = model;
  const { width } = blocks.encoderShape;
  const states = graph.input('states', 'float32', ['memories', 'state_rows', width]);
  const visible = graph.input('visible', 'bool', ['memories', 'state_rows']);
  const memory = graph.input('memory', 'int64', ['batch']);
  const index = graph.op('Unsqueeze', [axisIndex(model, tokenIds, 1), graph.ints([0])]);
  const stateShape = rowShape(graph, states);
  const flatStates = graph.op('Reshape', [states, graph.ints([-1, width])]);
  const ofItems = (x: Value) => graph.op('Gather', [x, memory]);
  return {
    tokenIds,
    positions: graph.op('Cast', [index], { to: indexType(target).to }),
    rowPositions: index,
    keyPositions: index,
    visible: ofItems(visible),
    keysAndValues: (layer, own) => ({
      own,
      cross: eachOf(blocks.cross(flatStates, layer, stateShape), (x) => ofItems(byHead(model, blocks.decoderShape, x))),
    }),
  };
}

/**
 * @param hidden [batch * rows, hidden], after the final norm
 * @param shape int64 [3]: batch, rows, -1
 */
function outputNlls(model: GraphModel, hidden: Value, shape: Value): void {
  outputOfScored(model, 'nll', hidden, shape, (rows, targets) => tokenNlls(model, model.blocks.head, rows, targets));
}

/**
 * What the head makes of rows and tokens, as an output.
 * @param hidden [batch * rows, hidden], after the final norm
 * @param shape int64 [3]: batch, rows, -1
 * @param each numbers of each token: [n, each]; [n] when left out
 */
function outputOfScored(
  { graph, target }: GraphModel,
  output: string,
  hidden: Value,
  shape: Value,
  headOf: (rows: Value, targets: Value) => Value,
  each?: number,
): void {
  const scored = graph.input('scored', 'int64', ['n']);
  const targets = graph.input('targets', 'int64', ['n']);
  const rows = graph.op('Gather', [hidden, scored]);
  const ofItem = () => {
    const item = graph.op('Div', [scored, graph.op('Gather', [shape, graph.ints([1], [])])]);
    return graph.op('Gather', [soundness(graph, hidden, shape), item]);
  };
  // Other devices compute with no such integers: each row is given what its item has.
  const ofRow = () => graph.op('Gather', [eachRow(graph, soundness(graph, hidden, shape), shape), scored]);
  const sound = isForCpu(target) ? ofItem() : ofRow();
  const made = headOf(rows, targets);
  if (each === undefined) graph.output(output, graph.op('Add', [made, sound]), 'float32', ['n']);
  else {
    const ofAll = graph.op('Unsqueeze', [sound, graph.ints([1])]);
    graph.output(output, graph.op('Add', [made, ofAll]), 'float32', ['n', each]);
  }
}

/**
 * Of each item 0, or NaN where one of its rows has an infinity or NaN. A row that has one keeps it to the end, but those that attend to it need not
 * get it: rounding to 8 bits makes finite numbers of NaN.
 * @param hidden [batch * rows, hidden], after the final norm
 * @param shape int64 [3]: batch, rows, -1
 * @returns [batch]
 */
function soundness(graph: GraphBuilder, hidden: Value, shape: Value): Value {
  const items = graph.op('Reshape', [hidden, shape]);
  const sums = graph.op('ReduceSum', [items, graph.ints([1, 2])], { keepdims: { int: 0 } });
  return graph.op('Mul', [sums, graph.floats([0], [])]);
}

/** @param ofItems [batch] @param shape int64 [3]: batch, rows, -1 @returns [batch * rows] */
function eachRow(graph: GraphBuilder, ofItems: Value, shape: Value): Value {
  const column = graph.op('Unsqueeze', [ofItems, graph.ints([1])]);
  const whole = graph.op('Expand', [column, graph.op('Slice', [shape, graph.ints([0]), graph.ints([2])])]);
  return graph.op('Reshape', [whole, graph.ints([-1])]);
}

export function buildCross(model: GraphModel): void {
  const { graph, blocks } = model;
  const { width } = blocks.encoderShape;
  const states = graph.input('states', 'float32', ['batch', 'state_rows', width]);
  const shape = rowShape(graph, states);
  const flatStates = graph.op('Reshape', [states, graph.ints([-1, width])]);
  const dimensions = keyDimensions(model, 'state_rows');
  for (let layer = 0; layer < blocks.decoderShape.layers; layer++) {
    const made = blocks.cross(flatStates, layer, shape);
    const { keys, values } = eachOf(made, (x) => byHead(model, blocks.decoderShape, x));
    graph.output(`cross_keys.${layer}`, keys, 'float32', dimensions);
    graph.output(`cross_values.${layer}`, values, 'float32', dimensions);
  }
}

export function buildGenerate(model: GraphModel): void {
  if (runsLoops(model.target)) chooseSeveral(model);
  else chooseOne(model);
}

/**
 * The inputs of both forms.
 * @param between adds those that only one form has
 */
function generationInputs<More>(model: GraphModel, between: () => More) {
  const { graph, blocks, target } = model;
  const { type } = indexType(target);
  const tokenIds = graph.input('token_ids', type, ['batch', 'rows']);
  const positions = graph.input('positions', type, ['batch', 'rows']);
  const seenPositions = graph.input('past_positions', type, ['batch', 'past']);
  const speaking = graph.input('speaking', 'int64', ['batch']);
  const more = between();
  const visible = graph.input('visible', 'bool', ['batch', 'state_rows']);
  const layers = Array.from({ length: blocks.decoderShape.layers }, (_, layer) => layer);
  const pairs = (kind: string, rows: string): KeysValues[] =>
    layers.map((layer) => ({
      keys: graph.input(`${kind}_keys.${layer}`, 'float32', keyDimensions(model, rows)),
      values: graph.input(`${kind}_values.${layer}`, 'float32', keyDimensions(model, rows)),
    }));
  const past = pairs('past', 'past');
  const cross = pairs('cross', 'state_rows');
  return { tokenIds, positions, seenPositions, speaking, ...more, visible, past, cross };
}

/** The rows whose token is drawn at random. Logits leave the graph for these alone, so that none take no time. */
function drawnRows(graph: GraphBuilder): Value {
  return graph.input('drawn', 'int64', ['drawn']);
}

/** The new rows of a text, and those before them. */
interface Said {
  readonly tokenIds: Value;
  readonly positions: Value;
  readonly seenPositions: Value;
  readonly past: readonly KeysValues[];
}

/** @returns the decoder's rows, [batch * rows, width]; positions, keys and values of all rows, the new ones included */
function newRows(
  model: GraphModel,
  { tokenIds, positions, seenPositions, past }: Said,
  visible: Value,
  cross: readonly KeysValues[],
) {
  const { graph } = model;
  const asFloat = (x: Value) => graph.op('Cast', [x], { to: { int: 1 } });
  const seen = graph.op('Concat', [seenPositions, positions], { axis: { int: 1 } });
  const kept: KeysValues[] = [];
  const hidden = decoderRows(model, {
    tokenIds,
    positions,
    rowPositions: asFloat(positions),
    keyPositions: asFloat(seen),
    visible,
    keysAndValues: (layer, own) => {
      const join = (a: Value, b: Value) => graph.op('Concat', [a, b], { axis: { int: 2 } });
      const keys = join(past[layer]!.keys, own.keys);
      const values = join(past[layer]!.values, own.values);
      kept[layer] = { keys, values };
      return { own: kept[layer], cross: cross[layer]! };
    },
  });
  return { hidden, seen, kept };
}

/** Chooses the next token alone. Keys and values stay on the device from run to run, whereas a loop would run on the CPU. */
function chooseOne(model: GraphModel): void {
  const { graph, blocks } = model;
  const { speaking, drawn, visible, cross, ...said } = generationInputs(model, () => ({ drawn: drawnRows(graph) }));
  const { hidden, seen, kept } = newRows(model, said, visible, cross);
  const next = nextTokenOnDevice(model, blocks.head, graph.op('Gather', [hidden, speaking]));
  const sound = soundness(graph, hidden, rowShape(graph, said.tokenIds));
  graph.output('tokens', next.best, 'int64', ['steps', 'batch']);
  graph.output('best_logit', next.bestLogit, 'float32', ['steps', 'batch']);
  graph.output('log_sum', graph.op('Add', [next.logSum, sound]), 'float32', ['steps', 'batch']);
  graph.output('logits', graph.op('Gather', [next.logits, drawn]), 'float32', ['speaking', 'vocabulary']);
  outputSeen(model, seen, (name) => eachLayer(kept, (value) => value)[name]!);
}

/** Makes outputs of what later rows look back at. */
function outputSeen(model: GraphModel, positions: Value, of: (name: LayerCache) => Value): void {
  const { graph, blocks, target } = model;
  graph.output('seen_positions', positions, indexType(target).type, ['batch', 'seen']);
  for (let layer = 0; layer < blocks.decoderShape.layers; layer++) {
    for (const name of [`keys.${layer}`, `values.${layer}`] as const) {
      graph.output(name, of(name), 'float32', keyDimensions(model, 'seen'));
    }
  }
}

/** Chooses tokens one after the other, in a loop. */
function chooseSeveral(model: GraphModel): void {
  const { graph, blocks, target } = model;
  const { tokenIds, positions, seenPositions, speaking, wanted, ends, steps, wantLogits, drawn, visible, past, cross } =
    generationInputs(model, () => ({
      wanted: graph.input('wanted', 'int64', ['batch']),
      ends: graph.input('ends', 'int64', ['ends']),
      steps: graph.input('steps', 'int64', []),
      wantLogits: isForCpu(target) ? graph.input('want_logits', 'bool', []) : undefined,
      drawn: isForCpu(target) ? undefined : drawnRows(graph),
    }));
  const { type } = indexType(target);
  /** The token that was chosen, as the next one to read. */
  const asRead = (token: Value) => (type === 'int64' ? token : graph.op('Cast', [token], { to: indexType(target).to }));
  const asInt = (x: Value) => graph.op('Cast', [x], { to: { int: 7 } });
  const column = (x: Value) => graph.op('Unsqueeze', [x, graph.ints([1])]);
  const onlyRows = asInt(axisIndex(model, tokenIds, 0));
  const none = graph.op('Cast', [graph.op('Sub', [wanted, wanted])], { to: { int: 9 } });

  const { last, all } = graph.loop<Carried, 'tokens' | 'best_logit' | 'log_sum'>(
    steps,
    {
      tokenIds: { value: tokenIds, type },
      positions: { value: positions, type },
      seenPositions: { value: seenPositions, type },
      speaking: { value: speaking, type: 'int64' },
      stopped: { value: none, type: 'bool' },
      logits: { value: graph.floats([], [0, 0]), type: 'float32' },
      ...eachLayer(past, (value) => ({ value, type: 'float32' as const })),
    },
    (turn, before) => {
      const layers = past.map((_, layer) => ({ keys: before[`keys.${layer}`]!, values: before[`values.${layer}`]! }));
      const { hidden, seen, kept } = newRows(model, { ...before, past: layers }, visible, cross);
      const next = nextToken(model, blocks.head, graph.op('Gather', [hidden, before.speaking]), wantLogits);
      const sound = soundness(graph, hidden, rowShape(graph, before.tokenIds));
      const ended = graph.op('Equal', [column(next.best), ends]);
      const chosen = graph.op('Add', [turn, graph.ints([1])]);
      const stopped = [anyOf(graph, ended, [1]), graph.op('GreaterOrEqual', [chosen, wanted])].reduce(
        (a, b) => graph.op('Or', [a, b]),
        before.stopped,
      );
      // A position is never -1 in the whole row: the largest is the last.
      const latest = graph.op('ReduceMax', [before.positions, graph.ints([1])], { keepdims: { int: 1 } });
      return {
        goOn: anyOf(graph, graph.op('Not', [stopped]), [0]),
        carried: {
          tokenIds: asRead(column(next.best)),
          positions: graph.op('Add', [latest, indexConstant(model, [1])]),
          seenPositions: seen,
          speaking: onlyRows,
          stopped,
          logits: drawn === undefined ? next.logits : graph.op('Gather', [next.logits, drawn]),
          ...eachLayer(kept, (value) => value),
        },
        kept: {
          tokens: { value: next.best, type: 'int64' },
          best_logit: { value: next.bestLogit, type: 'float32' },
          log_sum: { value: graph.op('Add', [next.logSum, sound]), type: 'float32' },
        },
      };
    },
  );
  graph.output('tokens', all.tokens, 'int64', ['steps', 'batch']);
  graph.output('best_logit', all.best_logit, 'float32', ['steps', 'batch']);
  graph.output('log_sum', all.log_sum, 'float32', ['steps', 'batch']);
  graph.output('logits', last.logits, 'float32', ['speaking', 'vocabulary']);
  outputSeen(model, last.seenPositions, (name) => last[name]!);
}

/** The values that a step hands to the next one. */
type Carried = 'tokenIds' | 'positions' | 'seenPositions' | 'speaking' | 'stopped' | 'logits' | LayerCache;

type LayerCache = `keys.${number}` | `values.${number}`;

/** Makes `keys.<layer>` and `values.<layer>`. */
function eachLayer<T>(layers: readonly KeysValues[], of: (value: Value) => T) {
  const entries = layers.flatMap(({ keys, values }, layer): [LayerCache, T][] => [
    [`keys.${layer}`, of(keys)],
    [`values.${layer}`, of(values)],
  ]);
  return Object.fromEntries(entries) as Record<LayerCache, T>;
}

/** Tells whether any of the bools along the axes is true. */
function anyOf(graph: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const most = graph.op('ReduceMax', [graph.op('Cast', [x], { to: { int: 7 } }), graph.ints(axes)], {
    keepdims: { int: 0 },
  });
  return graph.op('Cast', [most], { to: { int: 9 } });
}

/** @returns [batch * rows, width], after what follows the layers */
function decoderRows({ graph, blocks }: GraphModel, inputs: DecoderInputs): Value {
  const stack = blocks.decoder(inputs);
  let hidden = firstRows(stack, stack.embed());
  const step = stack.start();
  for (let layer = 0; layer < blocks.decoderShape.layers; layer++) {
    graph.scope(`decoder.${layer}`, () => {
      hidden = step(hidden, layer);
    });
  }
  return stack.end(hidden);
}

/** The dimensions of keys or values by head. */
function keyDimensions({ blocks }: GraphModel, rows: string): Dimensions {
  const { kvHeads, headDim } = blocks.decoderShape;
  return ['batch', kvHeads, rows, headDim];
}
