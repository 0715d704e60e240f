/** Writes a checkpoint of a given shape with random weights: for sanity checks and for benchmarks, never for results. */
import { copyFile, type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { familyOf, readConfig } from './families/families.js';
import type { Spread } from './families/family.js';
import { elementCount, toBfloat16 } from './files/safetensors.js';

const COPIED = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];
const CHUNK = 1 << 20;

/**
 * @param source a checkpoint folder whose config and tokenizer are taken over
 * @param directory where the new one is written, as bfloat16; must exist
 */
export async function writeRandomCheckpoint(source: string, directory: string, seed: number): Promise<void> {
  for (const file of COPIED) {
    await copyFile(path.join(source, file), path.join(directory, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  const config = await readConfig(directory);
  const family = familyOf(config);
  const tensors = [...family.tensors(config)];
  const header: Record<string, { dtype: 'BF16'; shape: readonly number[]; data_offsets: [number, number] }> = {};
  let end = 0;
  for (const [name, shape] of tensors) {
    const start = end;
    end += 2 * elementCount(shape);
    header[family.writtenName(name)] = { dtype: 'BF16', shape, data_offsets: [start, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path.join(directory, 'model.safetensors'), 'w');
  try {
    await file.appendFile(Buffer.concat([length, text]));
    const normal = normalNumbers(seed);
    for (const [name, shape] of tensors)
      await writeRandom(file, elementCount(shape), family.spreadOf(name, shape, config), normal);
  } finally {
    await file.close();
  }
}

async function writeRandom(
  file: FileHandle,
  total: number,
  { mean, deviation }: Spread,
  normal: () => number,
): Promise<void> {
  for (let done = 0; done < total; done += CHUNK) {
    const values = new Float32Array(Math.min(CHUNK, total - done));
    for (let i = 0; i < values.length; i++) values[i] = mean + deviation * normal();
    await file.appendFile(new Uint8Array(toBfloat16(values).buffer));
  }
}

/** Nearly normal: the sum of the four bytes of a random word, centred, has a standard deviation of 147.8. Fast, and enough here. */
function normalNumbers(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => {
    const word = generator.next();
    return ((word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510) / 147.8;
  };
}
