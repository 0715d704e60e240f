/** The model's graphs and the engine: places where the arithmetic can be broken. Parity with the reference notices, unless said otherwise. */
import type { Mutation } from './mutation.js';

const BLOCKS = 'src/model/families/t5gemma2/blocks.ts';
const ROTARY = 'src/model/graph/rotary.ts';
const FEED_FORWARD = 'src/model/graph/feed-forward.ts';
const CONTEXT = 'src/model/graph/context.ts';
const RELATIVE_BIAS = 'src/model/graph/relative-bias.ts';
const T5_BLOCKS = 'src/model/families/t5/blocks.ts';
const T5_TEST = 'test/model/t5.test.ts';
const EXECUTOR = 'src/engine/executor.ts';
const ENCODER = 'src/model/graph/encoder.ts';
const DECODER = 'src/model/graph/decoder.ts';
const LOCAL = 'src/model/graph/local-attention.ts';
const MERGED = 'src/model/graph/merged-attention.ts';
const HEAD = 'src/model/graph/head.ts';
const LAYOUT = 'src/model/graph/layout.ts';
const TENSORS = 'src/engine/tensors.ts';

export const MODEL: readonly Mutation[] = [
  {
    name: 'norm scales by weight, not 1 + weight',
    file: LAYOUT,
    from: 'return small(graph, this.#weights, name, form);\n  }\n\n  #matrix',
    to: "return small(graph, this.#weights, name, 'copy');\n  }\n\n  #matrix",
  },
  {
    name: 'embedding not scaled',
    file: BLOCKS,
    from: 'layout.embed(graph, EMBEDDING, ids, scale)',
    to: 'layout.embed(graph, EMBEDDING, ids, 1)',
  },
  {
    name: 'end-of-image row scaled like the others',
    file: BLOCKS,
    from: "graph.op('Where', [column, layout.plain(graph, END_OF_IMAGE_EMBEDDING), scaled])",
    to: "graph.op('Where', [column, graph.op('Mul', [layout.plain(graph, END_OF_IMAGE_EMBEDDING), graph.floats([scale])]), scaled])",
  },
  {
    name: 'end-of-image row ignored',
    file: BLOCKS,
    from: 'graph.ints([config.endOfImageTokenId])',
    to: 'graph.ints([-1])',
  },
  {
    name: 'rope factor ignored',
    file: ROTARY,
    from: 'Math.fround(Math.fround(1 / power) / factor)',
    to: 'Math.fround(1 / power)',
  },
  {
    name: 'rope theta of the other layer type',
    file: BLOCKS,
    from: 'stack.rope[type])',
    to: "stack.rope[type === 'full_attention' ? 'sliding_attention' : 'full_attention'])",
  },
  {
    name: 'rope interleaved',
    file: ROTARY,
    from: '{ num_heads: { int: heads } }',
    to: '{ num_heads: { int: heads }, interleaved: { int: 1 } }',
  },
  {
    name: 'values rotated',
    file: BLOCKS,
    from: "    keys: rotate(normHeads(context, k, name('k_norm'), shape), stack.kvHeads, type),\n    values: graph.op('Reshape', [v, shape]),",
    to: "    keys: rotate(normHeads(context, k, name('k_norm'), shape), stack.kvHeads, type),\n    values: rotate(graph.op('Reshape', [v, shape]), stack.kvHeads, type),",
  },
  {
    name: 'queries without norm',
    file: BLOCKS,
    from: "queries: rotate(normHeads(context, q, name('q_norm'), shape), stack.heads, type)",
    to: "queries: rotate(graph.op('Reshape', [q, shape]), stack.heads, type)",
  },
  {
    name: 'keys with the norm of queries',
    file: BLOCKS,
    from: "keys: rotate(normHeads(context, k, name('k_norm')",
    to: "keys: rotate(normHeads(context, k, name('q_norm')",
  },
  {
    name: 'cross keys without norm',
    file: BLOCKS,
    from: "keys: normHeads(context, k, name('k_norm'), shape),",
    to: "keys: graph.op('Reshape', [k, shape]),",
  },
  {
    name: 'scale from head_dim',
    file: BLOCKS,
    from: 'scale: queryPreAttentionScalar ** -0.5',
    to: 'scale: headDim ** -0.5',
  },
  {
    name: 'gelu without tanh',
    file: FEED_FORWARD,
    from: "{ approximate: { text: 'tanh' } }",
    to: "{ approximate: { text: 'none' } }",
  },
  {
    name: 'gate and up swapped',
    file: BLOCKS,
    from: "gate: name('mlp.gate_proj'), up: name('mlp.up_proj')",
    to: "gate: name('mlp.up_proj'), up: name('mlp.gate_proj')",
  },
  {
    name: 'post-attention norm left out',
    file: BLOCKS,
    from: "normed(attention(normed(hidden, 'pre_self_attn_layernorm')), 'post_self_attn_layernorm')",
    to: "attention(normed(hidden, 'pre_self_attn_layernorm'))",
  },
  {
    name: 'feed-forward residual from before attention',
    file: BLOCKS,
    from: "graph.op('Add', [middle, normed(fed",
    to: "graph.op('Add', [hidden, normed(fed",
  },
  {
    name: 'feed-forward norm of unattended rows',
    file: BLOCKS,
    from: "normed(middle, 'pre_feedforward_layernorm')",
    to: "normed(hidden, 'pre_feedforward_layernorm')",
  },
  {
    name: 'encoder window one wider on the left',
    file: LOCAL,
    from: 'Math.ceil(window / 2)',
    to: 'Math.ceil(window / 2) + 1',
  },
  {
    name: 'encoder window rounded the other way',
    file: LOCAL,
    from: 'Math.ceil(window / 2)',
    to: 'Math.floor(window / 2)',
  },
  {
    name: 'encoder window one narrower on the right',
    file: LOCAL,
    from: 'Math.floor(window / 2) + 1',
    to: 'Math.floor(window / 2)',
  },
  {
    name: 'encoder window mirrored',
    file: LOCAL,
    from: "graph.op('Greater', [key, graph.op('Sub', [query, left])]),\n    graph.op('Less', [key, graph.op('Add', [query, right])])",
    to: "graph.op('Greater', [key, graph.op('Sub', [query, right])]),\n    graph.op('Less', [key, graph.op('Add', [query, left])])",
  },
  {
    name: 'encoder full attention windowed',
    file: BLOCKS,
    from: "local && type === 'sliding_attention'",
    to: 'local',
  },
  {
    name: 'encoder window ignored',
    file: BLOCKS,
    from: 'both(inWindow(graph, stack.slidingWindow, query, key), visible)',
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
    file: BLOCKS,
    from: '    start: () => encoderLayers(context, inputs),\n    end: (hidden) => finalNorm(context, hidden),',
    to: '    start: () => encoderLayers(context, inputs),\n    end: (hidden) => hidden,',
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
    from: 'graph.floats([window])',
    to: 'graph.floats([window + 1])',
  },
  {
    name: 'decoder window ignored',
    file: BLOCKS,
    from: "stack.layerTypes[layer] === 'sliding_attention' ? stack.slidingWindow : null",
    to: 'null',
  },
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
    from: 'graph.floats([shape.scale], [])',
    to: 'graph.floats([headDim ** -0.5], [])',
  },
  {
    name: 'decoder heads mixed up',
    file: CONTEXT,
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
    from: 'return stack.end(hidden);',
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
    from: 'largest), softcap(context, head, target)]',
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
    from: 'layout.embed(graph, head.table, targets, 1)',
    to: 'layout.embed(graph, head.table, targets, 1.01)',
  },
  {
    name: 'vocabulary chunks overlap',
    file: LAYOUT,
    from: 'const start = i * VOCABULARY_CHUNK;',
    to: 'const start = Math.max(0, i * VOCABULARY_CHUNK - 1);',
  },
  {
    name: 'bfloat16 read as truncated float16',
    file: 'src/model/files/safetensors.ts',
    from: 'words[i] = halves[i]! << 16',
    to: 'words[i] = halves[i]! << 15',
  },
  {
    name: 'decoder starts with padding',
    file: EXECUTOR,
    from: 'const input = [shape.decoderStartTokenId, ...prompt',
    to: 'const input = [shape.padTokenId, ...prompt',
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
    from: 'withoutRows(whole, whole.length - after.length - cutTokens, whole.length - after.length)',
    to: 'withoutRows(whole, 0, cutTokens)',
    tests: 'test/priming/input.test.ts',
  },
  {
    name: 'the end of a text is cut with the document',
    file: 'src/priming/input.ts',
    from: 'withoutRows(whole, whole.length - after.length - cutTokens, whole.length - after.length)',
    to: 'withoutRows(whole, whole.length - cutTokens, whole.length)',
    tests: 'test/priming/frames.test.ts',
  },
  {
    name: 'T5: buckets of the other direction',
    file: RELATIVE_BIAS,
    from: 'bothWays && distance > 0 ? own : 0',
    to: 'bothWays && distance < 0 ? own : 0',
    tests: T5_TEST,
  },
  {
    name: 'T5: far distances rounded up',
    file: RELATIVE_BIAS,
    from: 'exact + Math.floor(',
    to: 'exact + Math.ceil(',
    tests: T5_TEST,
  },
  {
    name: 'T5: bias of keys as of rows',
    file: RELATIVE_BIAS,
    from: "graph.op('Sub', [key, row])",
    to: "graph.op('Sub', [row, key])",
    tests: T5_TEST,
  },
  {
    name: "T5: the decoder's buckets in both directions",
    file: T5_BLOCKS,
    from: "bothWays: side === 'encoder'",
    to: 'bothWays: true',
    tests: T5_TEST,
  },
  {
    name: "T5: the encoder's table of positions on both sides",
    file: T5_BLOCKS,
    from: 'biasTable(side), buckets',
    to: "biasTable('encoder'), buckets",
    tests: T5_TEST,
  },
  {
    name: 'T5: positions in attention to the encoder',
    file: T5_BLOCKS,
    from: 'attendSeparately(context, heads, looking, seen.cross, crossBias)',
    to: "attendSeparately(context, heads, looking, seen.cross, graph.op('Add', [crossBias, graph.op('ReduceMax', [ownBias, graph.ints([3])])]))",
    tests: T5_TEST,
  },
  {
    name: 'T5: scores divided',
    file: T5_BLOCKS,
    from: 'headDim, scale: 1 }',
    to: 'headDim, scale: headDim ** -0.5 }',
    tests: T5_TEST,
  },
  {
    name: 'T5: norms multiply by 1 + weight',
    file: T5_BLOCKS,
    from: "form: 'copy' }",
    to: "form: 'add-one' }",
    tests: T5_TEST,
  },
  {
    name: 'T5: attention to the encoder reads rows from before attention to itself',
    file: T5_BLOCKS,
    from: 'norm(context, middle, cross.norm)',
    to: 'norm(context, hidden, cross.norm)',
    tests: T5_TEST,
  },
  {
    name: 'T5: later rows of the decoder seen',
    file: 'src/model/graph/separate-attention.ts',
    from: "graph.op('LessOrEqual', [key, row])",
    to: "graph.op('LessOrEqual', [key, graph.op('Add', [row, graph.floats([1])])])",
    tests: T5_TEST,
  },
  {
    name: 'T5: hidden rows of the encoder seen',
    file: T5_BLOCKS,
    from: "maskBias(graph, graph.op('Unsqueeze', [inputs.visible, graph.ints([1, 2])]))",
    to: "maskBias(graph, graph.op('Not', [graph.op('And', [graph.op('Unsqueeze', [inputs.visible, graph.ints([1, 2])]), graph.op('Not', [graph.op('Unsqueeze', [inputs.visible, graph.ints([1, 2])])])])]))",
    tests: T5_TEST,
  },
  {
    name: 'T5: a tied head not scaled',
    file: T5_BLOCKS,
    from: 'scalesHead ? width ** -0.5 : 1',
    to: '1',
    tests: T5_TEST,
  },
  {
    name: 'T5: the embedding as the head of a model that has another',
    file: T5_BLOCKS,
    from: 'isTied ? EMBEDDING : HEAD',
    to: 'EMBEDDING',
    tests: T5_TEST,
  },
  {
    name: 'a fingerprint without the start token',
    file: 'src/model/families/t5gemma2/identity.ts',
    from: '    decoder_start_token: config.decoderStartTokenId,\n',
    to: '',
    tests: 'test/model/identity.test.ts',
  },
  {
    name: 'a fingerprint that depends on the order of its facts',
    file: 'src/base/canonical.ts',
    from: '.sort(([a], [b]) => (a < b ? -1 : 1))',
    to: '',
    tests: 'test/model/identity.test.ts',
  },
];
