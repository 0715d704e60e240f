/** The model's graphs and the engine: places where the arithmetic can be broken. Parity with the reference notices, unless said otherwise. */
import type { Mutation } from './mutation.js';

const LAYERS = 'src/model/graph/layers.ts';
const ENCODER = 'src/model/graph/encoder.ts';
const DECODER = 'src/model/graph/decoder.ts';
const LOCAL = 'src/model/graph/local-attention.ts';
const MERGED = 'src/model/graph/merged-attention.ts';
const HEAD = 'src/model/graph/head.ts';
const LAYOUT = 'src/model/layout.ts';
const TENSORS = 'src/engine/tensors.ts';

export const MODEL: readonly Mutation[] = [
  {
    name: 'norm scales by weight, not 1 + weight',
    file: LAYOUT,
    from: "return vector(graph, this.#weights, name, 'add-one');\n  }\n\n  #matrix",
    to: "return vector(graph, this.#weights, name, 'copy');\n  }\n\n  #matrix",
  },
  { name: 'embedding not scaled', file: LAYERS, from: 'ids, embeddingScale)', to: 'ids, 1)' },
  {
    name: 'end-of-image row scaled like the others',
    file: LAYERS,
    from: "graph.op('Where', [column, layout.vector(graph, END_OF_IMAGE_EMBEDDING), scaled])",
    to: "graph.op('Where', [column, graph.op('Mul', [layout.vector(graph, END_OF_IMAGE_EMBEDDING), graph.floats([embeddingScale])]), scaled])",
  },
  {
    name: 'end-of-image row ignored',
    file: LAYERS,
    from: 'graph.ints([config.endOfImageTokenId])',
    to: 'graph.ints([-1])',
  },
  {
    name: 'rope factor ignored',
    file: LAYERS,
    from: 'Math.fround(Math.fround(1 / power) / factor)',
    to: 'Math.fround(1 / power)',
  },
  {
    name: 'rope theta of the other layer type',
    file: LAYERS,
    from: 'stack.rope[type];',
    to: "stack.rope[type === 'full_attention' ? 'sliding_attention' : 'full_attention'];",
  },
  {
    name: 'rope interleaved',
    file: LAYERS,
    from: '{ num_heads: { int: heads } }',
    to: '{ num_heads: { int: heads }, interleaved: { int: 1 } }',
  },
  {
    name: 'values rotated',
    file: LAYERS,
    from: "values: graph.op('Reshape', [v, shape]),\n  };\n}\n\n/**\n * The decoder's keys",
    to: "values: rotate(graph.op('Reshape', [v, shape]), stack.kvHeads, type),\n  };\n}\n\n/**\n * The decoder's keys",
  },
  {
    name: 'queries without norm',
    file: LAYERS,
    from: 'queries: rotate(normHeads(context, q, `${prefix}.q_norm.weight`, shape), stack.heads, type)',
    to: "queries: rotate(graph.op('Reshape', [q, shape]), stack.heads, type)",
  },
  {
    name: 'keys with the norm of queries',
    file: LAYERS,
    from: 'keys: rotate(normHeads(context, k, `${prefix}.k_norm.weight`',
    to: 'keys: rotate(normHeads(context, k, `${prefix}.q_norm.weight`',
  },
  {
    name: 'cross keys without norm',
    file: LAYERS,
    from: 'keys: normHeads(context, k, `${prefix}.k_norm.weight`, shape),',
    to: "keys: graph.op('Reshape', [k, shape]),",
  },
  {
    name: 'scale from head_dim',
    file: LAYERS,
    from: 'stack.queryPreAttentionScalar ** -0.5',
    to: 'stack.headDim ** -0.5',
  },
  {
    name: 'gelu without tanh',
    file: LAYERS,
    from: "{ approximate: { text: 'tanh' } }",
    to: "{ approximate: { text: 'none' } }",
  },
  {
    name: 'gate and up swapped',
    file: LAYERS,
    from: "{ gate: name('gate'), up: name('up'), down",
    to: "{ gate: name('up'), up: name('gate'), down",
  },
  {
    name: 'post-attention norm left out',
    file: LAYERS,
    from: "norm(attention(norm(hidden, 'pre_self_attn_layernorm')), 'post_self_attn_layernorm')",
    to: "attention(norm(hidden, 'pre_self_attn_layernorm'))",
  },
  {
    name: 'feed-forward residual from before attention',
    file: LAYERS,
    from: "graph.op('Add', [middle, fed])",
    to: "graph.op('Add', [hidden, fed])",
  },
  {
    name: 'feed-forward norm of unattended rows',
    file: LAYERS,
    from: "norm(middle, 'pre_feedforward_layernorm')",
    to: "norm(hidden, 'pre_feedforward_layernorm')",
  },
  {
    name: 'encoder window one wider on the left',
    file: LOCAL,
    from: 'Math.ceil(stack.slidingWindow / 2)',
    to: 'Math.ceil(stack.slidingWindow / 2) + 1',
  },
  {
    name: 'encoder window rounded the other way',
    file: LOCAL,
    from: 'Math.ceil(stack.slidingWindow / 2)',
    to: 'Math.floor(stack.slidingWindow / 2)',
  },
  {
    name: 'encoder window one narrower on the right',
    file: LOCAL,
    from: 'Math.floor(stack.slidingWindow / 2) + 1',
    to: 'Math.floor(stack.slidingWindow / 2)',
  },
  {
    name: 'encoder window mirrored',
    file: LOCAL,
    from: "graph.op('Greater', [key, graph.op('Sub', [query, left])]),\n    graph.op('Less', [key, graph.op('Add', [query, right])])",
    to: "graph.op('Greater', [key, graph.op('Sub', [query, right])]),\n    graph.op('Less', [key, graph.op('Add', [query, left])])",
  },
  { name: 'encoder full attention windowed', file: ENCODER, from: "type === 'sliding_attention'", to: 'true' },
  {
    name: 'encoder window ignored',
    file: ENCODER,
    from: 'both(inWindow(context, query, key), visible)',
    to: "both(graph.op('GreaterOrEqual', [graph.op('Add', [query, key]), graph.floats([0])]), visible)",
  },
  {
    name: 'padding visible',
    file: ENCODER,
    from: "graph.op('Unsqueeze', [rowMask, graph.ints([1, 2])])",
    to: "graph.op('Unsqueeze', [graph.op('Or', [rowMask, graph.op('Not', [rowMask])]), graph.ints([1, 2])])",
  },
  {
    name: 'pair mask transposed',
    file: ENCODER,
    from: "graph.op('Unsqueeze', [pairMask, graph.ints([1])])",
    to: "graph.op('Unsqueeze', [graph.op('Transpose', [pairMask], { perm: [0, 2, 1] }), graph.ints([1])])",
  },
  {
    name: 'encoder without final norm',
    file: ENCODER,
    from: "[rmsNorm(context, hidden, 'encoder.norm.weight'), shape]",
    to: '[hidden, shape]',
  },
  {
    name: 'windows by position',
    file: ENCODER,
    from: "const query = graph.op('Unsqueeze', [index, graph.ints([1])]);",
    to: "const query = graph.op('Unsqueeze', [graph.op('Cast', [graph.op('Squeeze', [graph.op('Slice', ['positions', graph.ints([0]), graph.ints([1]), graph.ints([0])]), graph.ints([0])]), ], { to: { int: 1 } }), graph.ints([1])]);",
  },
  {
    name: 'decoder not causal',
    file: MERGED,
    from: "graph.op('LessOrEqual', [key, query])",
    to: "graph.op('LessOrEqual', [key, graph.op('Add', [query, graph.floats([1])])])",
  },
  {
    name: 'decoder window one wider',
    file: MERGED,
    from: 'graph.floats([stack.slidingWindow])',
    to: 'graph.floats([stack.slidingWindow + 1])',
  },
  { name: 'decoder window ignored', file: MERGED, from: "type === 'sliding_attention' ?", to: 'false ?' },
  {
    name: 'decoder window over encoder rows',
    file: MERGED,
    from: 'widen(shown, rows)',
    to: "widen(type === 'sliding_attention' ? graph.op('And', [shown, graph.op('Less', [graph.op('CumSum', [graph.op('Cast', [shown], { to: { int: 1 } }), graph.ints([3], [])]), graph.floats([stack.slidingWindow])])]) : shown, rows)",
  },
  {
    name: 'hidden encoder rows visible',
    file: MERGED,
    from: "const shown = graph.op('Unsqueeze', [visible, graph.ints([1, 2])]);",
    to: "const shown = graph.op('Unsqueeze', [graph.op('Or', [visible, graph.op('Not', [visible])]), graph.ints([1, 2])]);",
  },
  {
    name: 'past padding visible',
    file: MERGED,
    from: "graph.op('GreaterOrEqual', [key, graph.floats([0])])",
    to: "graph.op('GreaterOrEqual', [key, graph.floats([-9])])",
    tests: 'test/engine/engine.test.ts',
  },
  {
    name: 'cross values from the wrong place',
    file: DECODER,
    from: 'graph.output(`cross_values.${layer}`, values,',
    to: 'graph.output(`cross_values.${layer}`, keys,',
  },
  {
    name: 'decoder scale from head_dim',
    file: MERGED,
    from: 'stack.queryPreAttentionScalar ** -0.5',
    to: 'stack.headDim ** -0.5',
  },
  {
    name: 'decoder heads mixed up',
    file: MERGED,
    from: '{ perm: SWAP_ROWS });\n}\n\n/** [batch, rows',
    to: '{ perm: [0, 1, 2, 3] });\n}\n\n/** [batch, rows',
  },
  {
    name: 'decoder without encoder rows',
    file: MERGED,
    from: "const attended = graph.op('Add', [ofOwn!, ofCross!]);",
    to: "const attended = graph.op('Add', [ofOwn!, ofOwn!]);",
  },
  {
    name: 'decoder without final norm',
    file: DECODER,
    from: 'return rmsNorm(context, hidden, DECODER_NORM);',
    to: 'return hidden;',
  },
  {
    name: 'softcap not applied',
    file: HEAD,
    from: 'if (cap === null) return logits;',
    to: 'if (cap === null || cap > 0) return logits;',
  },
  {
    name: 'softcap not applied to the target',
    file: HEAD,
    from: 'largest), softcap(context, target)]',
    to: 'largest), target]',
  },
  {
    name: 'last vocabulary chunk dropped',
    file: HEAD,
    from: 'const sums = chunks.map((chunk, i)',
    to: 'const sums = chunks.slice(0, Math.max(1, chunks.length - 1)).map((chunk, i)',
  },
  {
    name: 'head uses scaled embeddings',
    file: HEAD,
    from: 'layout.embed(graph, targets, 1)',
    to: 'layout.embed(graph, targets, 1.01)',
  },
  {
    name: 'vocabulary chunks overlap',
    file: LAYOUT,
    from: 'const start = i * VOCABULARY_CHUNK;',
    to: 'const start = Math.max(0, i * VOCABULARY_CHUNK - 1);',
  },
  {
    name: 'bfloat16 read as truncated float16',
    file: 'src/model/safetensors.ts',
    from: 'words[i] = halves[i]! << 16',
    to: 'words[i] = halves[i]! << 15',
  },
  {
    name: 'decoder starts with padding',
    file: 'src/engine/executor.ts',
    from: 'const input = [config.bosTokenId, ...prompt',
    to: 'const input = [config.padTokenId, ...prompt',
  },
  {
    name: 'scored rows one early',
    file: 'src/engine/executor.ts',
    from: 'b * rows + prompt.length + i',
    to: 'b * rows + Math.max(0, prompt.length + i - 1)',
  },
  { name: 'positions ignored', file: TENSORS, from: 'item.positions?.[i] ?? i', to: 'i' },
  {
    name: 'memory rows overwritten',
    file: TENSORS,
    from: 'row += end - start;',
    to: 'row += Math.max(1, end - start - 1);',
  },
  {
    name: 'published mask hides the line break too',
    file: 'src/priming/input.ts',
    from: 'const count = Math.max(0, whole.length - bare.length);',
    to: 'const count = Math.max(0, whole.length - bare.length + 1);',
    tests: 'test/priming/input.test.ts',
  },
  {
    name: 'exact shows the separator',
    file: 'src/priming/input.ts',
    from: "['document' as const]",
    to: "['separator' as const, 'document' as const]",
    tests: 'test/priming/input.test.ts',
  },
  {
    name: 'the prefix is cut instead of the document',
    file: 'src/priming/input.ts',
    from: 'whole.subarray(0, whole.length - cutTokens)',
    to: 'whole.subarray(cutTokens)',
    tests: 'test/priming/input.test.ts',
  },
];
