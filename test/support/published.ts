/** Configs of the sizes that Google publishes of T5Gemma 2. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseConfig } from '../../src/model/families/families.js';
import { referenceFixture } from './fixtures.js';

interface Sizes {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
}

/** Put into a fixture's config. */
function published(sizes: Sizes) {
  const json = JSON.parse(readFileSync(path.join(referenceFixture('one-kv-head'), 'config.json'), 'utf8'));
  for (const stack of [json.encoder.text_config, json.decoder]) {
    Object.assign(stack, {
      vocab_size: 262_144,
      hidden_size: sizes.hidden,
      intermediate_size: sizes.intermediate,
      num_hidden_layers: sizes.layers,
      num_attention_heads: sizes.heads,
      num_key_value_heads: sizes.kvHeads,
      head_dim: 256,
      layer_types: undefined,
    });
  }
  return parseConfig(json, 'config.json');
}

/** 270m-270m. */
export const SMALL = published({ hidden: 640, intermediate: 2048, layers: 18, heads: 4, kvHeads: 1 });
/** 4b-4b. */
export const LARGE = published({ hidden: 2560, intermediate: 10_240, layers: 34, heads: 8, kvHeads: 4 });
