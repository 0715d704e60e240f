/** NLLs at inverse temperatures inside the graph, on logits in two pieces, against float64. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { onnxRuntime } from '../../src/engine/onnxruntime.js';
import { GraphBuilder } from '../../src/model/graph/builder.js';
import { TEMPERED_ROWS, TEMPERED_WORDS, temperedNlls, tokenNlls } from '../../src/model/graph/head.js';
import type { Layout } from '../../src/model/graph/layout.js';
import { CPU } from '../../src/model/graph/target.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../src/stats/inverse-temperatures.js';

const { InferenceSession, Tensor } = onnxRuntime();
/** Words of the first piece of the vocabulary, two blocks of them, and of both pieces. */
const FIRST = 2 * TEMPERED_WORDS;
const WORDS = FIRST + 100;
const COUNT = INVERSE_TEMPERATURES.length;

/** Of each row of logits NLLs of the word in its place, [rows][inverse temperatures], and what scoring gives. */
async function tempered(logits: readonly Float32Array[], words: readonly number[], axis: 0 | 1, cap: number | null) {
  const graph = new GraphBuilder('tempered');
  const rows = graph.input('logits', 'float32', ['n', WORDS]);
  const targets = graph.input('targets', 'int64', ['n']);
  const all = axis === 0 ? graph.op('Transpose', [rows], { perm: [1, 0] }) : rows;
  const piece = (from: number, to: number) =>
    graph.op('Slice', [all, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
  // Products of the rows with a table that takes a word's own logit out of them.
  const layout = {
    logits: () => ({ rows, chunks: [piece(0, FIRST), piece(FIRST, WORDS)], starts: [0, FIRST], vocabularyAxis: axis }),
    embed: () =>
      graph.op('OneHot', [targets, graph.ints([WORDS], []), graph.floats([0, 1], [2])], { axis: { int: -1 } }),
  } as Partial<Layout> as Layout;
  const head = { table: 'table', scale: 1, cap };
  const context = { graph, layout, target: CPU };
  graph.output('nlls', temperedNlls(context, head, rows, targets), 'float32', ['n', COUNT]);
  graph.output('nll', tokenNlls(context, head, rows, targets), 'float32', ['n']);
  const session = await InferenceSession.create(await graph.toBytes(), { logSeverityLevel: 3 });
  const flat = new Float32Array(logits.length * WORDS);
  for (const [i, own] of logits.entries()) flat.set(own, i * WORDS);
  const outputs = await session.run({
    logits: new Tensor('float32', flat, [logits.length, WORDS]),
    targets: new Tensor('int64', BigInt64Array.from(words, BigInt), [words.length]),
  });
  await session.release();
  const nlls = outputs.nlls!.data as Float32Array;
  return {
    nlls: logits.map((_, i) => nlls.slice(i * COUNT, (i + 1) * COUNT)),
    nll: outputs.nll!.data as Float32Array,
  };
}

function direct(logits: Float32Array, word: number, inverse: number, cap: number | null): number {
  const own = Array.from(logits, (x) => inverse * (cap === null ? x : cap * Math.tanh(x / cap)));
  const most = own.reduce((a, b) => Math.max(a, b));
  return most + Math.log(own.reduce((sum, x) => sum + Math.exp(x - most), 0)) - own[word]!;
}

const random = new Random('tempered');
const row = (of: (word: number) => number) => Float32Array.from({ length: WORDS }, (_, word) => of(word));
const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
/** As many as the rows of a block. */
const ROWS = [
  row(() => 0),
  row(() => 2 * normal()),
  row((word) => (word === 1234 ? 30 : normal() - 3)),
  // Ties of the largest in both pieces. As many equal others would all be rounded the same way.
  row((word) => (word === 5 || word === FIRST + 50 ? 9 : -3 + 0.1 * normal())),
  row((word) => -word / 12),
  row((word) => (word === WORDS - 1 ? 500 : -500)),
  row((word) => 80 + (word % 7)),
  row((word) => (word < FIRST ? -90 : -4)),
];
const TARGETS = [7, 11, 1234, 5, WORDS - 1, 0, 13, 20];

describe.each([0, 1] as const)('NLLs at inverse temperatures, vocabulary on axis %i', (axis) => {
  it.each([null, 30])('are those of the logits times each, under a cap of %s', async (cap) => {
    expect(ROWS).toHaveLength(TEMPERED_ROWS);
    const { nlls } = await tempered(ROWS, TARGETS, axis, cap);
    for (const [i, logits] of ROWS.entries()) {
      for (const [b, inverse] of INVERSE_TEMPERATURES.entries()) {
        const wanted = direct(logits, TARGETS[i]!, inverse, cap);
        expect(Math.abs(nlls[i]![b]! - wanted) / Math.max(1, wanted), `row ${i}, ${inverse}`).toBeLessThan(1e-5);
      }
    }
  });

  it('are at 1 what scoring gives, to the bit', async () => {
    expect(INVERSE_TEMPERATURES[AT_ONE]).toBe(1);
    const { nlls, nll } = await tempered([...ROWS, ...ROWS], [...TARGETS, ...TARGETS.toReversed()], axis, null);
    expect(nlls.map((own) => own[AT_ONE])).toEqual([...nll]);
  });
});
