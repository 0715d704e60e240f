/**
 * Breaks the arithmetic in one place at a time and checks that a test notices: each mutation is applied to a copy of the project in
 * which the named tests must then fail.
 *
 *   npx tsx tools/reference/mutations.ts [PART_OF_A_NAME]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Tests that must fail; the parity fixtures when left out. */
  readonly tests?: string;
}

const LAYERS = 'src/model/graph/layers.ts';
const ENCODER = 'src/model/graph/encoder.ts';
const DECODER = 'src/model/graph/decoder.ts';
const HEAD = 'src/model/graph/head.ts';
const LAYOUT = 'src/model/layout.ts';
const TENSORS = 'src/engine/tensors.ts';

const MUTATIONS: Mutation[] = [
  {
    name: 'norm scales by weight, not 1 + weight',
    file: LAYOUT,
    from: "transform: 'add-one'",
    to: "transform: 'copy'",
  },
  { name: 'embedding not scaled', file: LAYERS, from: 'graph.floats([embeddingScale])', to: 'graph.floats([1])' },
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
  { name: 'gate and up swapped', file: LAYERS, from: "['gate_proj', 'up_proj']", to: "['up_proj', 'gate_proj']" },
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
    file: ENCODER,
    from: 'Math.ceil(stack.slidingWindow / 2)',
    to: 'Math.ceil(stack.slidingWindow / 2) + 1',
  },
  {
    name: 'encoder window rounded the other way',
    file: ENCODER,
    from: 'Math.ceil(stack.slidingWindow / 2)',
    to: 'Math.floor(stack.slidingWindow / 2)',
  },
  {
    name: 'encoder window one narrower on the right',
    file: ENCODER,
    from: 'Math.floor(stack.slidingWindow / 2) + 1',
    to: 'Math.floor(stack.slidingWindow / 2)',
  },
  {
    name: 'encoder window mirrored',
    file: ENCODER,
    from: "graph.op('Greater', [key, graph.op('Sub', [query, graph.floats([left])])]),\n        graph.op('Less', [key, graph.op('Add', [query, graph.floats([right])])])",
    to: "graph.op('Greater', [key, graph.op('Sub', [query, graph.floats([right])])]),\n        graph.op('Less', [key, graph.op('Add', [query, graph.floats([left])])])",
  },
  { name: 'encoder full attention windowed', file: ENCODER, from: "type === 'sliding_attention'", to: 'true' },
  { name: 'encoder window ignored', file: ENCODER, from: "type === 'sliding_attention'", to: 'false' },
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
    file: DECODER,
    from: "graph.op('LessOrEqual', [key, row])",
    to: "graph.op('LessOrEqual', [key, graph.op('Add', [row, graph.floats([1])])])",
  },
  {
    name: 'decoder window one wider',
    file: DECODER,
    from: 'graph.floats([stack.slidingWindow])',
    to: 'graph.floats([stack.slidingWindow + 1])',
  },
  { name: 'decoder window ignored', file: DECODER, from: "if (type === 'sliding_attention')", to: 'if (false)' },
  {
    name: 'decoder window over encoder rows',
    file: DECODER,
    from: 'const parts = [widen(own, size(keyPositions, 1)), widen(cross, size(visible, 1))];',
    to: "const near = type === 'sliding_attention' ? graph.op('And', [cross, graph.op('Unsqueeze', [graph.op('Less', [axisIndex(graph, visible, 1), graph.floats([stack.slidingWindow])]), graph.ints([0, 1, 2])])]) : cross;\n      const parts = [widen(own, size(keyPositions, 1)), widen(near, size(visible, 1))];",
  },
  {
    name: 'hidden encoder rows visible',
    file: DECODER,
    from: "const cross = graph.op('Unsqueeze', [visible, graph.ints([1, 2])]);",
    to: "const cross = graph.op('Unsqueeze', [graph.op('Or', [visible, graph.op('Not', [visible])]), graph.ints([1, 2])]);",
  },
  {
    name: 'past padding visible',
    file: DECODER,
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
    name: 'decoder without final norm',
    file: DECODER,
    from: "return rmsNorm(context, hidden, 'decoder.norm.weight');",
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
    from: '[total, softcap(context, target)]',
    to: '[total, target]',
  },
  {
    name: 'last vocabulary chunk dropped',
    file: HEAD,
    from: 'chunks.map((chunk)',
    to: 'chunks.slice(0, Math.max(1, chunks.length - 1)).map((chunk)',
  },
  {
    name: 'head uses scaled embeddings',
    file: HEAD,
    from: "graph.op('Mul', [hidden, layout.embed(graph, targets)])",
    to: "graph.op('Mul', [graph.op('Mul', [hidden, graph.floats([1.01])]), layout.embed(graph, targets)])",
  },
  {
    name: 'vocabulary chunks overlap',
    file: LAYOUT,
    from: 'start += VOCABULARY_CHUNK)',
    to: 'start += VOCABULARY_CHUNK - 1)',
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
    from: 'b * rows! + prompt.length + i',
    to: 'b * rows! + Math.max(0, prompt.length + i - 1)',
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

const root = path.resolve(import.meta.dirname, '../..');
const [part = ''] = process.argv.slice(2);
let survived = 0;
for (const { name, file, from, to, tests = 'test/parity.test.ts' } of MUTATIONS.filter(({ name }) =>
  name.includes(part),
)) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dkv-mutation-'));
  for (const entry of ['src', 'test', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts']) {
    cpSync(path.join(root, entry), path.join(folder, entry), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const target = path.join(folder, file);
  const source = readFileSync(target, 'utf8');
  if (source.split(from).length !== 2)
    throw new Error(`${name}: "${from}" stands ${source.split(from).length - 1} times in ${file}`);
  writeFileSync(
    target,
    source.replace(from, () => to),
  );
  const pattern = tests.includes('parity') ? ['-t', 'within the stated tolerances'] : [];
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', tests, ...pattern], {
    cwd: folder,
    encoding: 'utf8',
    // Compiled models are keyed by content and not by the code that made them.
    env: { ...process.env, DKV_CACHE: path.join(folder, 'cache'), NO_COLOR: '1' },
  });
  const failed = /Tests +(\d+) failed/.exec(stdout)?.[1] ?? '0';
  // A test that fails noticed; a run that did not get as far as its tests says nothing.
  const noticed = status !== 0 && failed !== '0';
  if (!noticed) survived++;
  console.log(`${noticed ? 'noticed' : 'SURVIVED'}  ${name} (${failed} tests failed)`);
  if (!noticed && status !== 0) console.log(stdout.slice(-1500));
  rmSync(folder, { recursive: true });
}
console.log(`${MUTATIONS.length} mutations, ${survived} survived`);
process.exitCode = survived > 0 ? 1 : 0;
