/** Products in 16 bits: what is rounded, what leaves the range, what is told of it. */
import type { Mutation } from './mutation.js';

const LAYOUT = 'src/model/graph/half-layout.ts';
const ATTENTION = 'src/model/graph/attention-products.ts';
const DRIFT = 'src/scoring/device-drift.ts';
const TEST = 'test/model/half.test.ts';
const IDENTITY_TEST = 'test/model/identity.test.ts';
const DRIFT_TEST = 'test/scoring/device-drift.test.ts';

export const HALVES: readonly Mutation[] = [
  {
    name: 'infinities of products not marked',
    file: LAYOUT,
    from: "if (this.#type === 'bfloat16') return rows;",
    to: 'if (rows) return rows;',
    tests: TEST,
    only: 'leaves the range',
  },
  {
    name: 'a gate not marked behind its activation',
    file: LAYOUT,
    from: "return this.#marked(graph, graph.op('Mul', [fed, largest]), gate);",
    to: "return graph.op('Mul', [fed, largest]);",
    tests: TEST,
    only: 'leaves the range',
  },
  {
    name: 'rows between feed-forward products not divided',
    file: LAYOUT,
    from: "if (this.#type === 'bfloat16') return this.#products(graph, middle",
    to: 'if (names.down) return this.#products(graph, middle',
    tests: TEST,
    only: 'keeps its digits',
  },
  {
    name: 'what a logit lost not added',
    file: LAYOUT,
    from: "return graph.op('Add', [graph.cast(rounded, 'float32'), graph.cast(lost, 'float32')]);",
    to: "return graph.cast(lost ? rounded : lost, 'float32');",
    tests: TEST,
    only: 'logits',
  },
  {
    name: 'rows that the head reads not marked',
    file: LAYOUT,
    from: 'return this.#marked(graph, rows, rows);',
    to: 'return rows;',
    tests: TEST,
    only: 'few logits',
  },
  {
    name: 'scores of 16 bits not scaled',
    file: ATTENTION,
    from: 'graph.cast(scaled(rows), arithmetic)',
    to: 'graph.cast(rows, arithmetic)',
    tests: TEST,
    only: 'nearer',
  },
  {
    name: 'values weighted in float32',
    file: ATTENTION,
    from: "if (arithmetic === 'float32') return graph.op('MatMul', [weights, values]);",
    to: "if (weights) return graph.op('MatMul', [weights, values]);",
    tests: TEST,
    only: 'products read halves',
  },
  {
    name: 'a fingerprint without the device that sums',
    file: 'src/model/identity.ts',
    from: '{ computes: arithmetic, device }',
    to: '{ computes: device && arithmetic }',
    tests: IDENTITY_TEST,
  },
  {
    name: 'the CPU computes in 16 bits',
    file: 'src/model/graph/target.ts',
    from: "device !== 'cpu' && (precision",
    to: '(precision',
    tests: IDENTITY_TEST,
  },
  {
    name: "another runtime's drift kept",
    file: DRIFT,
    from: 'parsed.success && parsed.data.runtime === runtime',
    to: 'parsed.success && runtime',
    tests: DRIFT_TEST,
    only: 'measured anew',
  },
];
