/** The greedy choice inside the graph, on logits in two pieces. */
import { describe, expect, it } from 'vitest';
import { onnxRuntime } from '../../src/engine/onnxruntime.js';
import { GraphBuilder } from '../../src/model/graph/builder.js';
import { type Head, nextToken } from '../../src/model/graph/head.js';
import type { Layout } from '../../src/model/graph/layout.js';
import { CPU } from '../../src/model/graph/target.js';

const { InferenceSession, Tensor } = onnxRuntime();
const HEAD: Head = { table: 'table', scale: 1, cap: null };

/**
 * @param logits of five tokens, of which the first two are one piece and the others the second
 * @param bias of the tokens
 */
async function choose(
  logits: readonly (readonly number[])[],
  vocabularyAxis: 0 | 1,
  { wantLogits = true, bias }: { readonly wantLogits?: boolean; readonly bias?: readonly number[] } = {},
) {
  const graph = new GraphBuilder('next-token');
  const rows = graph.input('logits', 'float32', ['n', 5]);
  const all = vocabularyAxis === 0 ? graph.op('Transpose', [rows], { perm: [1, 0] }) : rows;
  const axis = graph.ints([vocabularyAxis]);
  const piece = (from: number, to: number) => graph.op('Slice', [all, graph.ints([from]), graph.ints([to]), axis]);
  const layout = {
    plain: () => graph.floats(bias!, [1, 5]),
    logits: () => ({ rows, chunks: [piece(0, 2), piece(2, 5)], starts: [0, 2], vocabularyAxis }),
  } as Partial<Layout> as Layout;
  const wanted = graph.input('want_logits', 'bool', []);
  const made = nextToken({ graph, layout, target: CPU }, { ...HEAD, ...(bias && { bias: 'bias' }) }, rows, wanted);
  graph.output('best', made.best, 'int64', ['n']);
  graph.output('best_logit', made.bestLogit, 'float32', ['n']);
  graph.output('log_sum', made.logSum, 'float32', ['n']);
  graph.output('all', made.logits, 'float32', ['speaking', 'vocabulary']);
  const session = await InferenceSession.create(await graph.toBytes(), { logSeverityLevel: 3 });
  const feed = new Tensor('float32', Float32Array.from(logits.flat()), [logits.length, 5]);
  const outputs = await session.run({
    logits: feed,
    want_logits: new Tensor('bool', Uint8Array.of(wantLogits ? 1 : 0), []),
  });
  await session.release();
  const numbers = (name: string) => Array.from(outputs[name]!.data as Float32Array, Number);
  return { best: numbers('best'), bestLogit: numbers('best_logit'), logSum: numbers('log_sum'), all: numbers('all') };
}

describe.each([0, 1] as const)('the next token, vocabulary on axis %i', (axis) => {
  it('is the largest logit, of equal ones the first, in one piece and across pieces', async () => {
    const logits = [
      [1, 5, 5, 2, 0],
      [1, 1, 5, 5, 2],
      [3, 3, 1, 3, 0],
      [0, 0, 0, 0, 7],
    ];
    const { best, bestLogit, all } = await choose(logits, axis);
    expect(best).toEqual([1, 2, 0, 4]);
    expect(bestLogit).toEqual([5, 5, 3, 7]);
    expect(all).toEqual(logits.flat());
  });

  it('comes without the logits unless they are wanted', async () => {
    const { best, all } = await choose([[1, 5, 3, 2, 0]], axis, { wantLogits: false });
    expect(best).toEqual([1]);
    expect(all).toEqual([]);
  });

  it('has its bias added, in each piece', async () => {
    const bias = [10, 20, 30, 40, 50];
    const { best, bestLogit, all } = await choose(
      [
        [1, 2, 3, 4, 5],
        [100, 0, 0, 0, 0],
      ],
      axis,
      { bias },
    );
    expect(best).toEqual([4, 0]);
    expect(bestLogit).toEqual([55, 110]);
    expect(all).toEqual([11, 22, 33, 44, 55, 110, 20, 30, 40, 50]);
  });

  it('has the probability of its logit among all', async () => {
    const probabilities = [0.05, 0.4, 0.15, 0.3, 0.1];
    const { best, bestLogit, logSum } = await choose([probabilities.map((p) => Math.log(p) + 3)], axis);
    expect(best).toEqual([1]);
    expect(bestLogit[0]! - logSum[0]!).toBeCloseTo(Math.log(0.4), 6);
  });
});
