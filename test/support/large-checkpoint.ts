/** A checkpoint with a large vocabulary, all weights zero: for tests of memory and of interruption, not of numbers. */
import { open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { familyOf, parseConfig } from '../../src/model/families/families.js';
import { referenceFixture } from './fixtures.js';

const HIDDEN_SIZE = 128;

export async function writeLargeCheckpoint(folder: string, vocabularySize: number): Promise<void> {
  const json = JSON.parse(await readFile(path.join(referenceFixture('one-kv-head'), 'config.json'), 'utf8'));
  for (const stack of [json.encoder.text_config, json.decoder]) {
    stack.vocab_size = vocabularySize;
    stack.hidden_size = HIDDEN_SIZE;
  }
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(json));
  const header: Record<string, unknown> = {};
  let end = 0;
  const config = parseConfig(json, 'config.json');
  const family = familyOf(config);
  for (const [name, shape] of family.tensors(config)) {
    const size = 2 * shape.reduce((a, b) => a * b, 1);
    header[family.writtenName(name)] = { dtype: 'BF16', shape, data_offsets: [end, end + size] };
    end += size;
  }
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path.join(folder, 'model.safetensors'), 'w');
  await file.write(Buffer.concat([prefix, text]));
  // The zeros need no disk: the file is as long as it should be and has a hole.
  await file.truncate(8 + text.length + end);
  await file.close();
}
