/**
 * The proof that our arithmetic is the reference's: every fixture of tools/reference, within the tolerances of support/reference.ts.
 * And the proof of the proof: a model that is a little wrong must fail.
 */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Checkpoint, openCheckpoint } from '../src/model/checkpoint.js';
import type { StackConfig, T5Gemma2Config } from '../src/model/families/t5gemma2/config.js';
import { REFERENCE_FIXTURES, referenceFixture } from './support/fixtures.js';
import { compareWithReference, type Difference, type Quantity, TOLERANCES } from './support/reference.js';

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(path.join(os.tmpdir(), 'dkv-parity-'));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

/** What each kind of fixture is there to measure; a fixture that measured nothing would pass. */
const EXPECTED: Record<string, Quantity[]> = {
  positions: ['states', 'hidden', 'attention', 'nll', 'batched = single', 'dropped = masked'],
  text: ['states', 'nll', 'batched = single', 'dropped = masked'],
};

describe.each(readdirSync(REFERENCE_FIXTURES))('%s', (name) => {
  it('equals transformers within the stated tolerances', async () => {
    const differences = await compareWithReference(referenceFixture(name), cache);
    const measured = new Set(differences.map(({ quantity }) => quantity));
    expect(measured).toEqual(new Set(EXPECTED[name] ?? Object.keys(TOLERANCES)));
    expect(differences.filter(({ quantity, difference }) => !(difference <= TOLERANCES[quantity]))).toEqual([]);
  });
});

describe.each(['bfloat16', 'float16'] as const)('weights kept as %s', (precision) => {
  const violations = async (name: string) => {
    const differences = await compareWithReference(referenceFixture(name), cache, { precision });
    return differences.filter(({ quantity, difference }) => !(difference <= TOLERANCES[quantity]));
  };

  it.each(['sharded-bf16', 'large-vocabulary'])(
    'change nothing for a checkpoint that is bfloat16: %s',
    async (name) => {
      expect(await violations(name)).toEqual([]);
    },
  );

  it('change the numbers of one that is not', async () => {
    expect(await violations('one-kv-head')).not.toEqual([]);
  });
});

type Mutation = (config: T5Gemma2Config) => T5Gemma2Config;

const stack =
  (side: 'encoder' | 'decoder', change: (stack: StackConfig) => Partial<StackConfig>): Mutation =>
  (config) => ({ ...config, [side]: { ...config[side], ...change(config[side]) } });

const rope = (side: 'encoder' | 'decoder', type: 'full_attention' | 'sliding_attention', key: 'theta' | 'factor') =>
  stack(side, ({ rope }) => ({ rope: { ...rope, [type]: { ...rope[type], [key]: rope[type][key] * 1.02 } } }));

const swapFirst = (side: 'encoder' | 'decoder') =>
  stack(side, ({ layerTypes }) => ({
    layerTypes: layerTypes.map((type, i) => {
      if (i > 0) return type;
      return type === 'full_attention' ? 'sliding_attention' : 'full_attention';
    }),
  }));

const MUTATIONS: Record<string, Mutation> = {
  'encoder window one wider': stack('encoder', ({ slidingWindow }) => ({ slidingWindow: slidingWindow + 1 })),
  'encoder window one narrower': stack('encoder', ({ slidingWindow }) => ({ slidingWindow: slidingWindow - 1 })),
  'decoder window one wider': stack('decoder', ({ slidingWindow }) => ({ slidingWindow: slidingWindow + 1 })),
  'decoder window one narrower': stack('decoder', ({ slidingWindow }) => ({ slidingWindow: slidingWindow - 1 })),
  'encoder attention scale off by 2%': stack('encoder', (s) => ({
    queryPreAttentionScalar: s.queryPreAttentionScalar * 1.04,
  })),
  'decoder attention scale off by 2%': stack('decoder', (s) => ({
    queryPreAttentionScalar: s.queryPreAttentionScalar * 1.04,
  })),
  'encoder norm epsilon 1e-3': stack('encoder', () => ({ rmsNormEpsilon: 1e-3 })),
  'decoder norm epsilon 1e-3': stack('decoder', () => ({ rmsNormEpsilon: 1e-3 })),
  'first encoder layer of the other type': swapFirst('encoder'),
  'first decoder layer of the other type': swapFirst('decoder'),
  'encoder full theta off by 2%': rope('encoder', 'full_attention', 'theta'),
  'encoder sliding theta off by 2%': rope('encoder', 'sliding_attention', 'theta'),
  'decoder full theta off by 2%': rope('decoder', 'full_attention', 'theta'),
  'decoder sliding theta off by 2%': rope('decoder', 'sliding_attention', 'theta'),
  'encoder rope factor off by 2%': rope('encoder', 'full_attention', 'factor'),
  'decoder rope factor off by 2%': rope('decoder', 'full_attention', 'factor'),
  'end-of-image token elsewhere': (config) => ({ ...config, endOfImageTokenId: config.endOfImageTokenId + 1 }),
  'another start token': (config) => ({ ...config, decoderStartTokenId: config.decoderStartTokenId + 1 }),
  'a softcap of 30': (config) => ({ ...config, finalLogitSoftcap: 30 }),
};

describe('a model that is a little wrong', () => {
  const measure = async (change: (checkpoint: Checkpoint) => Checkpoint): Promise<Difference[]> => {
    const checkpoint = change(await openCheckpoint(referenceFixture('one-kv-head')));
    return compareWithReference(referenceFixture('one-kv-head'), cache, { checkpoint });
  };
  const violated = (differences: Difference[]) =>
    differences.filter(({ quantity, difference }) => difference > TOLERANCES[quantity]);

  it.each(Object.keys(MUTATIONS))('fails: %s', async (name) => {
    const config = MUTATIONS[name]!;
    expect(
      violated(await measure((checkpoint) => ({ ...checkpoint, config: config(checkpoint.config as T5Gemma2Config) }))),
    ).not.toEqual([]);
  });

  const NORMS = [
    'encoder.layers.3.self_attn.q_norm',
    'encoder.layers.3.self_attn.k_norm',
    'encoder.layers.3.pre_self_attn_layernorm',
    'encoder.layers.3.post_self_attn_layernorm',
    'encoder.layers.3.pre_feedforward_layernorm',
    'encoder.layers.3.post_feedforward_layernorm',
    'encoder.norm',
    'decoder.layers.2.self_attn.q_norm',
    'decoder.layers.2.self_attn.k_norm',
    'decoder.layers.2.pre_self_attn_layernorm',
    'decoder.layers.2.post_self_attn_layernorm',
    'decoder.layers.2.pre_feedforward_layernorm',
    'decoder.layers.2.post_feedforward_layernorm',
    'decoder.norm',
  ];

  // Another tensor of the same shape in its place: what a mix-up of names would do.
  it.each(NORMS)('fails: %s mistaken for its neighbour', async (norm) => {
    const other = norm.includes('layers')
      ? norm.replace(/layers\.(\d)/, (_, layer) => `layers.${Number(layer) - 1}`)
      : `${norm.split('.')[0]}.layers.0.pre_self_attn_layernorm`;
    const differences = await measure((checkpoint) => {
      const tensors = new Map(checkpoint.tensors);
      tensors.set(`${norm}.weight`, checkpoint.tensors.get(`${other}.weight`)!);
      return { ...checkpoint, tensors };
    });
    expect(violated(differences)).not.toEqual([]);
  });
});
