/**
 * The language-model head. The vocabulary is gone through in chunks, so that no [rows, vocabulary] tensor exists while scoring.
 */

import { AT_ONE, INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';
import type { LogitChunks } from './layout.js';

/** How a family makes logits of the decoder's rows. */
export interface Head {
  /** The canonical name of the table [vocabulary, width] that rows are multiplied with. */
  readonly table: string;
  /** The factor of rows before that product. */
  readonly scale: number;
  /** The canonical name of the bias that is added to the products, [1, vocabulary]. */
  readonly bias?: string;
  /** The softcap: logits = cap * tanh(logits / cap); null for none. */
  readonly cap: number | null;
}

/**
 * Negative log-likelihood of target tokens, in nats: logsumexp(logits) - logits[target].
 * @param hidden [n, hidden], after the final norm
 * @param targets [n] int64
 * @returns [n] float32
 */
export function tokenNlls(context: GraphContext, head: Head, hidden: Value, targets: Value): Value {
  const { graph, target: on } = context;
  // A copy of the table a batch is little beside the rest, and the device's memory holds it once.
  const logits = cappedLogits(context, head, hidden, on.device !== 'cpu');
  const axis = graph.ints([logits.vocabularyAxis]);
  const largest = logits.chunks.map((chunk) => graph.op('ReduceMax', [chunk, axis], KEEP));
  const target = uncappedLogits(context, head, logits.rows, targets);
  return graph.op('Sub', [logSumExp(context, logits, largest), softcap(context, head, target)]);
}

/**
 * The NLLs at each of `INVERSE_TEMPERATURES`: logsumexp(b * logits) - b * logits[target], the logits being those behind the cap. At 1 it is
 * computed as `tokenNlls` computes it, to the same number.
 * @param hidden [n, hidden], after the final norm, n being a multiple of `TEMPERED_ROWS`
 * @returns [n, inverse temperatures] float32
 */
export function temperedNlls(context: GraphContext, head: Head, hidden: Value, targets: Value): Value {
  const { graph, target: on } = context;
  const { chunks, rows, starts, vocabularyAxis } = cappedLogits(context, head, hidden, on.device !== 'cpu');
  const target = graph.op('Unsqueeze', [
    softcap(context, head, uncappedLogits(context, head, rows, targets)),
    graph.ints([1]),
  ]);
  // The axis of a chunk's results that runs over chunks, the others being rows and inverse temperatures.
  const axis = vocabularyAxis === 0 ? 0 : 2;
  const along = graph.ints([axis]);
  const pieces = chunks.map((chunk, i) => {
    const size = (starts[i + 1] ?? Number.NaN) - starts[i]!;
    const own =
      vocabularyAxis === 1 && on.device === 'cpu'
        ? byRows(context, chunk)
        : temperedLogSums(context, chunk, vocabularyAxis, on.device === 'cpu' && size % TEMPERED_WORDS === 0);
    return graph.op('Unsqueeze', [own, along]);
  });
  const joined = graph.op('Concat', pieces, { axis: { int: axis } });
  const most = graph.op('ReduceMax', [joined, along], KEEP);
  const sum = sums(context, graph.op('Exp', [graph.op('Sub', [joined, most])]), axis, 2 - axis);
  const logSum = graph.op('Squeeze', [graph.op('Add', [most, graph.op('Log', [sum])]), along]);
  const ofRows = vocabularyAxis === 0 ? graph.op('Transpose', [logSum], { perm: [1, 0] }) : logSum;
  return graph.op('Sub', [ofRows, graph.op('Mul', [target, inverses(context, 1)])]);
}

/** The number of rows of logits that a processor's cache has room for, with everything that is made of a chunk of them. */
export const TEMPERED_ROWS = 8;

/** The same where a row is a word of the vocabulary, for which a batch has some hundred targets. */
export const TEMPERED_WORDS = 2048;

/**
 * Computes `temperedLogSums` of a chunk [n, vocabulary], a few rows at a time: a chunk is gone through some twenty times, which takes half the time
 * from cache.
 */
function byRows(context: GraphContext, chunk: Value): Value {
  const { graph } = context;
  const blocks = blocksOf(context, chunk, TEMPERED_ROWS);
  const sums = graph.scan([{ value: blocks, type: 'float32' }], ([block]) => temperedLogSums(context, block!, 1));
  return graph.op('Reshape', [sums, graph.ints([-1, INVERSE_TEMPERATURES.length])]);
}

/** Cuts [rows, n] into [blocks, size, n]. */
function blocksOf({ graph }: GraphContext, x: Value, size: number): Value {
  const n = graph.op('Slice', [graph.op('Shape', [x]), graph.ints([1]), graph.ints([2])]);
  const shape = graph.op('Concat', [graph.ints([-1, size]), n], { axis: { int: 0 } });
  return graph.op('Reshape', [x, shape]);
}

/** @param axis which [inverse temperatures] runs along; the other axis is 1 long */
function inverses({ graph }: GraphContext, axis: 0 | 1): Value {
  const count = INVERSE_TEMPERATURES.length;
  return graph.floats(INVERSE_TEMPERATURES, axis === 0 ? [count, 1] : [1, count]);
}

/**
 * logsumexp(b * logits) of a chunk, for each inverse temperature b.
 * @param inBlocks for [vocabulary, n], the vocabulary being a multiple of `TEMPERED_WORDS`
 * @returns [inverse temperatures, n] of [vocabulary, n], and [n, inverse temperatures] of [n, vocabulary]
 */
function temperedLogSums(context: GraphContext, chunk: Value, vocabularyAxis: 0 | 1, inBlocks = false): Value {
  const { graph } = context;
  const largest = graph.op('ReduceMax', [chunk, graph.ints([vocabularyAxis])], KEEP);
  const x = graph.op('Sub', [chunk, largest]);
  const atOne = graph.op('Exp', [x]);
  const sumAtOne = sums(context, atOne, vocabularyAxis, 1 - vocabularyAxis);
  const others = inBlocks ? byWords(context, x, atOne) : otherSums(context, x, atOne, vocabularyAxis);
  const part = (from: number, to: number) =>
    graph.op('Slice', [others, graph.ints([from]), graph.ints([to]), graph.ints([vocabularyAxis])]);
  const own = graph.op('Concat', [part(0, AT_ONE), sumAtOne, part(AT_ONE, INVERSE_TEMPERATURES.length - 1)], {
    axis: { int: vocabularyAxis },
  });
  const scaled = graph.op('Mul', [largest, inverses(context, vocabularyAxis)]);
  return graph.op('Add', [scaled, graph.op('Log', [own])]);
}

/** `otherSums` of [vocabulary, n], some words at a time for the sake of the cache. That at 1 is left to the whole, whose order of adding is `tokenNlls`'s. */
function byWords(context: GraphContext, x: Value, atOne: Value): Value {
  const { graph } = context;
  const blocks = [x, atOne].map((of) => ({
    value: blocksOf(context, of, TEMPERED_WORDS),
    type: 'float32' as const,
  }));
  const found = graph.scan(blocks, ([own, ownAtOne]) => otherSums(context, own!, ownAtOne!, 0));
  return graph.op('ReduceSum', [found, graph.ints([0])], { keepdims: { int: 0 } });
}

/**
 * Sums of exp(b * x) for each inverse temperature b but 1.
 *
 * exp(2 * b * x) is the square of exp(b * x). Of squares small ones vanish before their like would, which is nothing beside the largest: x is 0 there, and
 * the exponential 1.
 * @param x [n, vocabulary] or [vocabulary, n], not above 0
 * @param atOne exp(x)
 */
function otherSums(context: GraphContext, x: Value, atOne: Value, vocabularyAxis: 0 | 1): Value {
  const { graph } = context;
  const exponentials: Value[] = [];
  for (const [i, inverse] of INVERSE_TEMPERATURES.entries()) {
    const half = exponentials[i - OCTAVE];
    exponentials.push(
      i === AT_ONE
        ? atOne
        : half === undefined
          ? graph.op('Exp', [graph.op('Mul', [x, graph.floats([inverse], [])])])
          : graph.op('Mul', [half, half]),
    );
  }
  const own = exponentials.map((exponential, i) =>
    i === AT_ONE ? [] : sums(context, exponential, vocabularyAxis, 1 - vocabularyAxis),
  );
  return graph.op('Concat', own.flat(), { axis: { int: vocabularyAxis } });
}

/** The number of places between an inverse temperature and its double. */
const OCTAVE = 3;

/**
 * Logits of some tokens alone: as many rows of the table are read, and not the vocabulary.
 * @param hidden [n, hidden], after the final norm
 * @param tokens [n] int64, one for each row
 * @returns [n] float32
 */
export function tokenLogits(context: GraphContext, head: Head, hidden: Value, tokens: Value): Value {
  const rows = context.layout.seenByTable(context.graph, head.table, scaledRows(context, head, hidden));
  return softcap(context, head, uncappedLogits(context, head, rows, tokens));
}

/** @param rows as the products with the table see them, one for each token */
function uncappedLogits(context: GraphContext, head: Head, rows: Value, tokens: Value): Value {
  const { graph, layout } = context;
  const products = graph.op('Mul', [rows, layout.embed(graph, head.table, tokens, 1)]);
  const product = graph.op('Squeeze', [sums(context, products, 1, 0), graph.ints([1])]);
  const bias = biasOf(context, head);
  return bias === undefined ? product : graph.op('Add', [product, graph.op('Gather', [bias, tokens])]);
}

/** The values that choosing the next token needs. Of equal largest logits the first counts. */
export interface NextToken {
  /** The logits, [n, vocabulary] float32; [0, 0] where they are not wanted. */
  readonly logits: Value;
  /** logsumexp(logits), [n] float32. */
  readonly logSum: Value;
  /** The token with the largest logit, [n] int64, and that logit, [n] float32. */
  readonly best: Value;
  readonly bestLogit: Value;
}

/**
 * The same where all logits of a step are made anyway, joined and reduced along their rows: devices that are no CPU take little time for either, and a
 * token is found without integers.
 * @param hidden [n, hidden], after the final norm
 * @returns `logits` [n, vocabulary], the others [1, n]
 */
export function nextTokenOnDevice(context: GraphContext, head: Head, hidden: Value): NextToken {
  const { graph } = context;
  const logits = joined(context, cappedLogits(context, head, hidden, false));
  const step = graph.op('Unsqueeze', [logits, graph.ints([0])]);
  const axis = graph.ints([2]);
  const largest = graph.op('ReduceMax', [step, axis], KEEP);
  const sum = graph.op('Squeeze', [sums(context, graph.op('Exp', [graph.op('Sub', [step, largest])]), 2, 1), axis]);
  const bestLogit = graph.op('Squeeze', [largest, axis]);
  return {
    logits,
    logSum: graph.op('Add', [bestLogit, graph.op('Log', [sum])]),
    best: graph.op('ArgMax', [step], { axis: { int: 2 }, keepdims: { int: 0 } }),
    bestLogit,
  };
}

/** @returns [n, vocabulary] */
function joined({ graph }: GraphContext, { chunks, vocabularyAxis }: LogitChunks): Value {
  const all = graph.op('Concat', chunks, { axis: { int: vocabularyAxis } });
  return vocabularyAxis === 0 ? graph.op('Transpose', [all], { perm: [1, 0] }) : all;
}

/**
 * @param hidden [n, hidden], after the final norm
 * @param wantLogits a single bool: to join all of them takes as long as a layer on the CPU; they are always made when it is left out
 */
export function nextToken(context: GraphContext, head: Head, hidden: Value, wantLogits?: Value): NextToken {
  const { graph } = context;
  // At every token it would not be little.
  const logits = cappedLogits(context, head, hidden, false);
  const { chunks, starts, vocabularyAxis } = logits;
  const axis = { axis: { int: vocabularyAxis } };
  const join = (parts: readonly Value[]) => graph.op('Concat', parts, axis);
  const reduced = graph.ints([vocabularyAxis]);
  // Half the time of ReduceMax and ArgMax; of equal logits it takes the first as well.
  const first = chunks.map((chunk) => {
    const [value, index] = graph.opWithOutputs('TopK', [chunk, graph.ints([1])], axis, [true, true]);
    return { value: value!, index: index! };
  });
  const largest = first.map(({ value }) => value);
  const tokens = first.map(({ index }, i) => graph.op('Add', [index, graph.ints([starts[i]!])]));
  const [bestLogit, ofChunk] = graph.opWithOutputs('TopK', [join(largest), graph.ints([1])], axis, [true, true]);
  const best = graph.op('GatherElements', [join(tokens), ofChunk!], axis);
  const all = () => joined(context, logits);
  const none = () => graph.op('Identity', [graph.floats([], [0, 0])]);
  return {
    logits: wantLogits === undefined ? all() : graph.choose(wantLogits, 'float32', all, none),
    logSum: logSumExp(context, logits, largest),
    best: graph.op('Squeeze', [best, reduced]),
    bestLogit: graph.op('Squeeze', [bestLogit!, reduced]),
  };
}

const KEEP = { keepdims: { int: 1 } };

function cappedLogits(context: GraphContext, head: Head, hidden: Value, isCut: boolean): LogitChunks {
  const { graph, layout } = context;
  const logits = layout.logits(graph, head.table, scaledRows(context, head, hidden), isCut);
  return { ...logits, chunks: biased(context, head, logits).map((chunk) => softcap(context, head, chunk)) };
}

function scaledRows({ graph }: GraphContext, { scale }: Head, hidden: Value): Value {
  return scale === 1 ? hidden : graph.op('Mul', [hidden, graph.floats([scale], [])]);
}

/** The bias that is added to the products, [vocabulary], where the head has one. */
function biasOf({ graph, layout }: GraphContext, { bias }: Head): Value | undefined {
  return bias === undefined ? undefined : graph.op('Reshape', [layout.plain(graph, bias), graph.ints([-1])]);
}

function biased(context: GraphContext, head: Head, { chunks, starts, vocabularyAxis }: LogitChunks): readonly Value[] {
  const { graph } = context;
  const bias = biasOf(context, head);
  if (bias === undefined) return chunks;
  return chunks.map((chunk, i) => {
    const end = starts[i + 1] ?? BEYOND;
    const own = graph.op('Slice', [bias, graph.ints([starts[i]!]), graph.ints([end])]);
    return graph.op('Add', [chunk, graph.op('Unsqueeze', [own, graph.ints([1 - vocabularyAxis])])]);
  });
}

/** An end of slices beyond every vocabulary, so that the slice ends with the vocabulary. */
const BEYOND = 2 ** 31;

/**
 * max + log(sum(exp(x - max))), spelled out: the runtime's ReduceLogSumExp walks the first axis with a stride.
 * @param largest of each chunk's logits, the vocabulary's axis being 1 long
 * @returns [n]
 */
function logSumExp(context: GraphContext, { chunks, vocabularyAxis }: LogitChunks, largest: readonly Value[]): Value {
  const { graph } = context;
  const axis = graph.ints([vocabularyAxis]);
  const of = (x: Value, max: Value) => {
    const sum = sums(context, graph.op('Exp', [graph.op('Sub', [x, max])]), vocabularyAxis, 1 - vocabularyAxis);
    return graph.op('Add', [max, graph.op('Log', [sum])]);
  };
  const pieces = chunks.map((chunk, i) => of(chunk, largest[i]!));
  const joined = graph.op('Concat', pieces, { axis: { int: vocabularyAxis } });
  return graph.op('Squeeze', [of(joined, graph.op('ReduceMax', [joined, axis], KEEP)), axis]);
}

/**
 * Sums along an axis, which stays, 1 long. WebGPU adds the numbers of a lone row in another order than those of a row among others, and a text is to have the
 * same numbers in any company: so there another row is put behind, and its sum is left out.
 * @param rowAxis along which rows lie, at least one
 */
function sums({ graph, target }: GraphContext, x: Value, axis: number, rowAxis: number): Value {
  const sum = (of: Value) => graph.op('ReduceSum', [of, graph.ints([axis])], KEEP);
  if (target.device !== 'webgpu') return sum(x);
  const cut = (of: Value, end: number) =>
    graph.op('Slice', [of, graph.ints([0]), graph.ints([end]), graph.ints([rowAxis])]);
  return cut(sum(graph.op('Concat', [x, cut(x, 1)], { axis: { int: rowAxis } })), -1);
}

/** Applies the softcap, cap * tanh(logits / cap), where the head has one. */
function softcap({ graph }: GraphContext, { cap }: Head, logits: Value): Value {
  if (cap === null) return logits;
  const squashed = graph.op('Tanh', [graph.op('Div', [logits, graph.floats([cap])])]);
  return graph.op('Mul', [squashed, graph.floats([cap])]);
}
