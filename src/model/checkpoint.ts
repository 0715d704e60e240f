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
import { DkvError } from '../base/errors.js';
import { fileError } from '../base/files.js';
import { type ModelConfig, readConfig, type StackConfig } from './config.js';
import { expectFileOrNothing, readJsonIfPresent } from './json-file.js';
import { readHeader, type TensorEntry } from './safetensors.js';

export interface Checkpoint {
  readonly directory: string;
  readonly config: ModelConfig;
  /** By canonical name: exactly the tensors that `textTensors` lists. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** What else the files hold of a tensor under another of its names: of the same shape, and to be of the same values. */
  readonly copies: readonly TensorCopy[];
  /** What the user should know though it is no error. */
  readonly notices: readonly string[];
}

export interface TensorCopy {
  /** Canonical name. */
  readonly of: string;
  readonly entry: TensorEntry;
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
function isTextTensor(storedName: string): boolean {
  return !/\.(vision_tower|multi_modal_projector)\./.test(storedName);
}

/** Names under which files may hold a canonical tensor. Where several are present they have to be equal. */
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
 * @throws DkvError CHECKPOINT_INVALID naming file, tensor, found and expected; MODEL_UNSUPPORTED for other architectures; FILES_UNUSABLE
 */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  await expectDirectory(directory);
  const config = await readConfig(directory);
  for (const name of TOKENIZER_FILES) await expectFileOrNothing(path.join(directory, name));
  const { stored, where, notices } = await storedTensors(directory);
  const unread = new Set([...stored.keys()].filter(isTextTensor));
  const tensors = new Map<string, TensorEntry>();
  const copies: TensorCopy[] = [];
  for (const [canonical, shape] of textTensors(config)) {
    const entries = storedNames(canonical).flatMap((name) => stored.get(name) ?? []);
    const [first, ...others] = entries;
    if (!first) {
      throw new DkvError(
        'CHECKPOINT_INVALID',
        `${where}: no tensor ${storedNames(canonical).join(' or ')}; config.json calls for one of shape [${shape}].`,
      );
    }
    for (const entry of entries) {
      expectReadable(entry, shape);
      unread.delete(entry.name);
    }
    tensors.set(canonical, first);
    copies.push(...others.map((entry) => ({ of: canonical, entry })));
  }
  if (unread.size > 0) {
    const [first] = unread;
    const rest = unread.size > 1 ? ` and ${unread.size - 1} more` : '';
    notices.push(`${where}: ${first}${rest} have no place in the model of config.json and are not read.`);
  }
  return { directory, config, tensors, copies, notices };
}

function expectReadable({ file, name, type, shape: found }: TensorEntry, shape: readonly number[]): void {
  if (found.join() !== shape.join()) {
    throw new DkvError(
      'CHECKPOINT_INVALID',
      `${file}: tensor ${name} has shape [${found}], config.json implies [${shape}].`,
    );
  }
  if (['F32', 'F16', 'BF16'].includes(type)) return;
  throw new DkvError('MODEL_UNSUPPORTED', `${file}: tensor ${name} has type ${type}; F32, F16 and BF16 are supported.`);
}

async function expectDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw fileError(error, directory);
  });
  if (found?.isDirectory()) return;
  throw new DkvError(
    'CHECKPOINT_INVALID',
    `${directory}: ${found ? 'is a file' : 'no such folder'}. Expected a Hugging Face checkpoint folder with config.json, tokenizer.json and safetensors files.`,
  );
}

interface StoredTensors {
  /** By stored name; of shards, those that hold a tensor of the text model. */
  readonly stored: ReadonlyMap<string, TensorEntry>;
  /** The file that says what is there. */
  readonly where: string;
  readonly notices: string[];
}

/** One file goes before shards, as in the reference. */
async function storedTensors(directory: string): Promise<StoredTensors> {
  const single = path.join(directory, SINGLE);
  const index = path.join(directory, INDEX);
  const [hasSingle, hasIndex] = await Promise.all([isFile(single), isFile(index)]);
  if (hasSingle) {
    const notices = hasIndex ? [`${index}: passed over, since ${SINGLE} beside it goes before shards.`] : [];
    return { stored: await readHeader(single), where: single, notices };
  }
  if (hasIndex) return { stored: await shardedTensors(directory, index), where: index, notices: [] };
  throw new DkvError(
    'CHECKPOINT_INVALID',
    `${directory}: neither a file ${SINGLE} nor ${INDEX}. Is the checkpoint complete, and in safetensors form?`,
  );
}

/** What reads them says what is missing or wrong in them; here they have to be files. */
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'];

/** The file of weights, and the list of files where there are several. */
export const SINGLE = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * The tensors of the text model in an index of shards, and the file of each, which lies beside the index.
 * @throws DkvError CHECKPOINT_INVALID
 */
export async function readIndex(index: string): Promise<[name: string, file: string][]> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${index}: ${message}`);
  const parsed = z.object({ weight_map: z.record(z.string(), z.string()) }).safeParse(await readJsonIfPresent(index));
  if (!parsed.success) throw invalid('has no weight_map of names to files.');
  const listed = Object.entries(parsed.data.weight_map).filter(([name]) => isTextTensor(name));
  for (const [name, file] of listed) {
    if (path.basename(file) !== file) throw invalid(`${name} is said to be in "${file}", outside the folder.`);
  }
  return listed;
}

async function shardedTensors(directory: string, index: string): Promise<Map<string, TensorEntry>> {
  const listed = await readIndex(index);
  const stored = new Map<string, TensorEntry>();
  for (const file of new Set(listed.map(([, file]) => file))) {
    for (const [name, entry] of await readHeader(path.join(directory, file))) {
      const other = stored.get(name);
      if (other) throw new DkvError('CHECKPOINT_INVALID', `${entry.file}: tensor ${name} is in ${other.file} as well.`);
      stored.set(name, entry);
    }
  }
  for (const [name, file] of listed) {
    if (stored.get(name)?.file === path.join(directory, file)) continue;
    throw new DkvError(
      'CHECKPOINT_INVALID',
      `${path.join(directory, file)}: no tensor ${name}, which ${index} says is there.`,
    );
  }
  return stored;
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
