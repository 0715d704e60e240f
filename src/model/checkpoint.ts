/**
 * A Hugging Face checkpoint folder as a set of named, shape-checked tensors.
 *
 * The names used everywhere else are canonical (`encoder.layers.0.self_attn.q_proj.weight`); the two forms that files use, one
 * file or shards, and tied copies are settled here. Only tensors that the model's family reads are looked at: vision parts stay unread.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { fileError } from '../base/files.js';
import { familyOf, type ModelConfig, mayBeRead, readConfig } from './families/families.js';
import { expectFileOrNothing, readJsonIfPresent } from './files/json-file.js';
import { SAVE_ANEW, weightsInstead } from './files/other-forms.js';
import { readHeader, type TensorEntry } from './files/safetensors.js';

export interface Checkpoint {
  readonly directory: string;
  readonly config: ModelConfig;
  /** The tensors by canonical name: exactly those that the model's family lists. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Further copies in the files of a tensor under another of its names. They have the same shape and must have the same values. */
  readonly copies: readonly TensorCopy[];
  /** Notices: things that the user should know and that are no errors. */
  readonly notices: readonly string[];
}

export interface TensorCopy {
  /** The canonical name of the tensor that this is a copy of. */
  readonly of: string;
  readonly entry: TensorEntry;
}

/**
 * Opens a checkpoint folder and checks that every tensor of the text model is there with the shape that the config implies.
 * Reads config and headers only.
 * @throws DkvError CHECKPOINT_INVALID naming file, tensor, found and expected; MODEL_UNSUPPORTED for other architectures; FILES_UNUSABLE
 */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  await expectDirectory(directory);
  const read = await readConfig(directory);
  const family = familyOf(read);
  for (const name of TOKENIZER_FILES) await expectFileOrNothing(path.join(directory, name));
  const { stored, where, notices } = await storedTensors(directory, (name) => family.isRead(name));
  const config = family.withTensors?.(read, stored) ?? read;
  const unread = new Set([...stored.keys()].filter((name) => family.isRead(name)));
  const tensors = new Map<string, TensorEntry>();
  const copies: TensorCopy[] = [];
  for (const [canonical, shape] of family.tensors(config)) {
    const names = family.storedNames(canonical);
    const entries = names.flatMap((name) => stored.get(name) ?? []);
    const [first, ...others] = entries;
    if (!first) {
      throw new DkvError(
        'CHECKPOINT_INVALID',
        `${where}: no tensor ${names.join(' or ')}; config.json calls for one of shape [${shape}].`,
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
  notices.push(...(await generationNotices(directory)));
  return { directory, config, tensors, copies, notices };
}

/** Settings of generation_config.json with which transformers would choose other tokens, though it is asked for the likeliest. */
const STEERING: Readonly<Record<string, (value: unknown) => boolean>> = {
  num_beams: (value) => value !== 1,
  repetition_penalty: (value) => value !== 1,
  encoder_repetition_penalty: (value) => value !== 1,
  no_repeat_ngram_size: (value) => value !== 0,
  encoder_no_repeat_ngram_size: (value) => value !== 0,
  min_length: (value) => value !== 0,
  min_new_tokens: () => true,
  suppress_tokens: () => true,
  begin_suppress_tokens: () => true,
  bad_words_ids: () => true,
  force_words_ids: () => true,
  forced_bos_token_id: () => true,
  forced_eos_token_id: () => true,
  sequence_bias: () => true,
  exponential_decay_length_penalty: () => true,
};

async function generationNotices(directory: string): Promise<string[]> {
  const file = path.join(directory, 'generation_config.json');
  const settings = (await readJsonIfPresent(file)) ?? {};
  const steering = Object.entries(settings).filter(([key, value]) => value != null && STEERING[key]?.(value));
  if (steering.length === 0) return [];
  const names = steering.map(([key]) => key).join(', ');
  return [`${file}: ${names} would steer what transformers writes; here texts are written without.`];
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
  /** The tensors by stored name. Of shards, only those that hold a tensor of the text model. */
  readonly stored: ReadonlyMap<string, TensorEntry>;
  /** The file that lists what there is. */
  readonly where: string;
  readonly notices: string[];
}

/** Lists the stored tensors. A single file takes precedence over shards, as in the reference. */
async function storedTensors(directory: string, isRead: (name: string) => boolean): Promise<StoredTensors> {
  const single = path.join(directory, SINGLE);
  const index = path.join(directory, INDEX);
  const [hasSingle, hasIndex] = await Promise.all([isFile(single), isFile(index)]);
  if (hasSingle) {
    const notices = hasIndex ? [`${index}: passed over, since ${SINGLE} beside it goes before shards.`] : [];
    return { stored: await readHeader(single), where: single, notices };
  }
  if (hasIndex) return { stored: await shardedTensors(directory, index, isRead), where: index, notices: [] };
  const instead = weightsInstead(await readdir(directory).catch(() => []));
  const advice = instead ? `: ${instead}. ${SAVE_ANEW}` : '. Is the checkpoint complete, and in safetensors form?';
  throw new DkvError('CHECKPOINT_INVALID', `${directory}: neither a file ${SINGLE} nor ${INDEX}${advice}`);
}

/** Files that must exist as files. The code that reads them says what is wrong in them. */
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
 * The tensors in an index of shards that may be read, and the file of each, which lies beside the index.
 * @param isRead by name; where the model's family is not known yet, whether any family may read such a tensor
 * @throws DkvError CHECKPOINT_INVALID
 */
export async function readIndex(
  index: string,
  isRead: (name: string) => boolean = mayBeRead,
): Promise<[name: string, file: string][]> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${index}: ${message}`);
  const parsed = z.object({ weight_map: z.record(z.string(), z.string()) }).safeParse(await readJsonIfPresent(index));
  if (!parsed.success) throw invalid('has no weight_map of names to files.');
  const listed = Object.entries(parsed.data.weight_map).filter(([name]) => isRead(name));
  for (const [name, file] of listed) {
    if (path.basename(file) !== file) throw invalid(`${name} is said to be in "${file}", outside the folder.`);
  }
  return listed;
}

async function shardedTensors(
  directory: string,
  index: string,
  isRead: (name: string) => boolean,
): Promise<Map<string, TensorEntry>> {
  const listed = await readIndex(index, isRead);
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
 * SHA-256 (hex) over canonical name, type, shape and bytes of every tensor that is read. The same weights give the same
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
