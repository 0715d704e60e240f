/**
 * A Hugging Face checkpoint folder as a set of named, shape-checked tensors.
 *
 * The names used everywhere else are canonical (`encoder.layers.0.self_attn.q_proj.weight`); the two forms that files use, one
 * file or shards, and tied copies are settled here. Only the text model's tensors are looked at: vision parts stay unread.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../errors.js';
import { readTextIfPresent } from '../files.js';
import { type ModelConfig, readConfig, type StackConfig } from './config.js';
import { readHeader, type TensorEntry } from './safetensors.js';

export interface Checkpoint {
  readonly directory: string;
  readonly config: ModelConfig;
  /** By canonical name: exactly the tensors that `textTensors` lists. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** The tied table: encoder embedding, decoder embedding and output head. */
export const EMBEDDING = 'embed_tokens.weight';
export const END_OF_IMAGE_EMBEDDING = 'embed_tokens.eoi_embedding';

/** Canonical name and shape of every tensor of the text model. Linear weights are [out, in]. */
export function textTensors(config: ModelConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([
    [EMBEDDING, [config.vocabularySize, config.hiddenSize]],
    [END_OF_IMAGE_EMBEDDING, [config.hiddenSize]],
  ]);
  for (const side of ['encoder', 'decoder'] as const) {
    const stack: StackConfig = config[side];
    const { hiddenSize } = config;
    const queries = stack.heads * stack.headDim;
    const keys = stack.kvHeads * stack.headDim;
    for (let layer = 0; layer < stack.layerTypes.length; layer++) {
      const add = (name: string, shape: readonly number[]) =>
        shapes.set(`${side}.layers.${layer}.${name}.weight`, shape);
      add('self_attn.q_proj', [queries, hiddenSize]);
      add('self_attn.k_proj', [keys, hiddenSize]);
      add('self_attn.v_proj', [keys, hiddenSize]);
      add('self_attn.o_proj', [hiddenSize, queries]);
      add('self_attn.q_norm', [stack.headDim]);
      add('self_attn.k_norm', [stack.headDim]);
      add('mlp.gate_proj', [stack.intermediateSize, hiddenSize]);
      add('mlp.up_proj', [stack.intermediateSize, hiddenSize]);
      add('mlp.down_proj', [hiddenSize, stack.intermediateSize]);
      add('pre_self_attn_layernorm', [hiddenSize]);
      add('post_self_attn_layernorm', [hiddenSize]);
      add('pre_feedforward_layernorm', [hiddenSize]);
      add('post_feedforward_layernorm', [hiddenSize]);
    }
    shapes.set(`${side}.norm.weight`, [hiddenSize]);
  }
  return shapes;
}

/** Does a stored tensor belong to the text model? The others are vision parts, which nothing here reads. */
export function isTextTensor(storedName: string): boolean {
  return !/\.(vision_tower|multi_modal_projector)\./.test(storedName);
}

/** Names under which files may hold a canonical tensor; where several are present they are tied and the first counts. */
function storedNames(canonical: string): string[] {
  if (canonical.startsWith('embed_tokens.')) {
    const names = ['model.encoder.text_model.', 'model.encoder.', 'model.decoder.'].map((prefix) => prefix + canonical);
    return canonical === EMBEDDING ? [...names, 'lm_head.out_proj.weight'] : names;
  }
  if (canonical.startsWith('encoder.')) {
    const rest = canonical.slice('encoder.'.length);
    return [`model.encoder.text_model.${rest}`, `model.encoder.${rest}`];
  }
  return [`model.${canonical}`];
}

/**
 * Opens a checkpoint folder and checks that every tensor of the text model is there with the shape that the config implies.
 * Reads config and headers only.
 * @throws DkvError CHECKPOINT_INVALID naming file, tensor, found and expected; MODEL_UNSUPPORTED for other architectures
 */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  await expectDirectory(directory);
  const config = await readConfig(directory);
  const { fileOf, where } = await weightFiles(directory);
  const headers = new Map<string, Map<string, TensorEntry>>();
  const tensors = new Map<string, TensorEntry>();
  for (const [canonical, shape] of textTensors(config)) {
    const stored = storedNames(canonical).find((name) => fileOf.has(name));
    if (stored === undefined) {
      throw new DkvError(
        'CHECKPOINT_INVALID',
        `${where}: no tensor ${storedNames(canonical).join(' or ')}; config.json calls for one of shape [${shape}].`,
      );
    }
    const file = fileOf.get(stored)!;
    if (!headers.has(file)) headers.set(file, await readHeader(file));
    const entry = headers.get(file)!.get(stored);
    if (!entry) throw new DkvError('CHECKPOINT_INVALID', `${file}: no tensor ${stored}, which ${where} says is there.`);
    if (entry.shape.join() !== shape.join()) {
      throw new DkvError(
        'CHECKPOINT_INVALID',
        `${file}: tensor ${stored} has shape [${entry.shape}], config.json implies [${shape}].`,
      );
    }
    if (!['F32', 'F16', 'BF16'].includes(entry.type)) {
      throw new DkvError(
        'MODEL_UNSUPPORTED',
        `${file}: tensor ${stored} has type ${entry.type}; F32, F16 and BF16 are supported.`,
      );
    }
    tensors.set(canonical, entry);
  }
  return { directory, config, tensors };
}

async function expectDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new DkvError(
    'CHECKPOINT_INVALID',
    `${directory}: ${found ? 'is a file' : 'no such folder'}. Expected a Hugging Face checkpoint folder with config.json, tokenizer.json and safetensors files.`,
  );
}

/** Which file holds which stored tensor: from the shard index if there is one, else from the single file's header. */
async function weightFiles(directory: string): Promise<{ fileOf: Map<string, string>; where: string }> {
  const indexFile = path.join(directory, 'model.safetensors.index.json');
  const text = await readTextIfPresent(indexFile);
  if (text === undefined) {
    const file = path.join(directory, 'model.safetensors');
    const header = await readHeader(file);
    return { fileOf: new Map([...header.keys()].map((name) => [name, file])), where: file };
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DkvError('CHECKPOINT_INVALID', `${indexFile}: ${messageOf(error)}`);
  }
  const parsed = z.object({ weight_map: z.record(z.string(), z.string()) }).safeParse(json);
  if (!parsed.success) throw new DkvError('CHECKPOINT_INVALID', `${indexFile}: has no weight_map of names to files.`);
  const entries = Object.entries(parsed.data.weight_map);
  for (const [name, file] of entries) {
    if (path.basename(file) !== file) {
      throw new DkvError('CHECKPOINT_INVALID', `${indexFile}: ${name} is said to be in "${file}", outside the folder.`);
    }
  }
  return { fileOf: new Map(entries.map(([name, file]) => [name, path.join(directory, file)])), where: indexFile };
}

/**
 * SHA-256 (hex) over canonical name, type, shape and bytes of every tensor of the text model. The same weights give the same
 * digest however they are sharded or named; a change of any weight gives another one.
 */
export async function weightsDigest(checkpoint: Checkpoint): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, tensor] of checkpoint.tensors) {
    hash.update(`${name} ${tensor.type} [${tensor.shape}]\n`);
    await hashRange(hash, tensor);
  }
  return hash.digest('hex');
}

async function hashRange(hash: Hash, { file, name, offset, sizeBytes }: TensorEntry): Promise<void> {
  let seen = 0;
  const stream = createReadStream(file, { start: offset, end: offset + sizeBytes - 1, highWaterMark: 4 * 1024 * 1024 });
  for await (const chunk of stream) {
    hash.update(chunk);
    seen += chunk.length;
  }
  if (seen < sizeBytes) throw new DkvError('CHECKPOINT_INVALID', `${file}: ended while tensor ${name} was read.`);
}
