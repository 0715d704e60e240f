import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, weightsDigest } from '../../src/model/checkpoint.js';
import { readFloat32, readHeader, toBfloat16, toFloat32 } from '../../src/model/safetensors.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';

const FIRST_NORM = 'model.decoder.layers.0.self_attn.k_norm.weight';

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** Rewrites the JSON header of a safetensors file, leaving its data as it is. */
async function editHeader(file: string, edit: (header: Header) => void): Promise<void> {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Header;
  edit(header);
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  await writeFile(file, Buffer.concat([prefix, text, bytes.subarray(8 + length)]));
}

const invalid = (...parts: string[]) => ({
  code: 'CHECKPOINT_INVALID',
  message: expect.stringMatching(new RegExp(parts.map((part) => part.replace(/[.[\]]/g, '\\$&')).join('.*'))),
});

describe('checkpoint', () => {
  it('gives both name forms the same canonical names', async () => {
    const plain = await openCheckpoint(referenceFixture('one-kv-head'));
    const nested = await openCheckpoint(referenceFixture('several-kv-heads'));
    const name = 'encoder.layers.0.mlp.up_proj.weight';
    expect(plain.tensors.get(name)!.name).toBe('model.encoder.layers.0.mlp.up_proj.weight');
    expect(nested.tensors.get(name)!.name).toBe('model.encoder.text_model.layers.0.mlp.up_proj.weight');
    expect([...plain.tensors.keys()].filter((key) => key.startsWith('embed_tokens'))).toHaveLength(2);
  });

  it('leaves vision tensors unread: a shard may lack their bytes', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    const index = JSON.parse(await readFile(path.join(folder, 'model.safetensors.index.json'), 'utf8'));
    for (const name of Object.keys(index.weight_map)) {
      if (name.includes('vision_tower')) index.weight_map[name] = 'never-downloaded.safetensors';
    }
    await writeFile(path.join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
    const { tensors } = await openCheckpoint(folder);
    expect([...tensors.values()].some(({ name }) => name.includes('vision'))).toBe(false);
  });

  it('names the folder when it is not there', async () => {
    await expect(openCheckpoint('/no/such/folder')).rejects.toMatchObject(invalid('/no/such/folder', 'no such folder'));
  });

  it('names the missing weights file', async () => {
    const folder = await copyOfFixture('one-kv-head');
    await rm(path.join(folder, 'model.safetensors'));
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('model.safetensors', 'no such file'));
  });

  it('names the missing shard', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    await rm(path.join(folder, 'model-00002-of-00003.safetensors'));
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('model-00002-of-00003.safetensors'));
  });

  it('names a tensor that the index puts into the wrong shard', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    const file = path.join(folder, 'model.safetensors.index.json');
    const index = JSON.parse(await readFile(file, 'utf8'));
    const from = index.weight_map[FIRST_NORM];
    index.weight_map[FIRST_NORM] = from.includes('00001')
      ? from.replace('00001-', '00002-')
      : from.replace(/0000\d-/, '00001-');
    await writeFile(file, JSON.stringify(index));
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid(FIRST_NORM));
  });

  it('refuses an index that points outside the folder', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    const file = path.join(folder, 'model.safetensors.index.json');
    const index = JSON.parse(await readFile(file, 'utf8'));
    index.weight_map[FIRST_NORM] = '../../etc/passwd';
    await writeFile(file, JSON.stringify(index));
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('outside the folder'));
  });

  it('names a missing tensor and the shape that the config calls for', async () => {
    const folder = await copyOfFixture('one-kv-head');
    await editHeader(path.join(folder, 'model.safetensors'), (header) => delete header[FIRST_NORM]);
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('model.safetensors', FIRST_NORM, '[16]'));
  });

  it('names file, tensor, found and expected when a shape contradicts the config', async () => {
    const folder = await copyOfFixture('one-kv-head');
    const file = path.join(folder, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    config.decoder.intermediate_size = 50;
    await writeFile(file, JSON.stringify(config));
    await expect(openCheckpoint(folder)).rejects.toMatchObject(
      invalid('model.safetensors', 'model.decoder.layers.0.mlp.gate_proj.weight', '[48,32]', '[50,32]'),
    );
  });

  it('refuses element types that it cannot read', async () => {
    const folder = await copyOfFixture('one-kv-head');
    await editHeader(path.join(folder, 'model.safetensors'), (header) => (header[FIRST_NORM]!.dtype = 'F8_E4M3'));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('F8_E4M3'),
    });
  });

  it('has the same digest however weights are named and sharded, and another when one bit changes', async () => {
    const folder = await copyOfFixture('one-kv-head');
    const before = await weightsDigest(await openCheckpoint(folder));
    await editHeader(path.join(folder, 'model.safetensors'), (header) => {
      for (const name of Object.keys(header).filter((key) => key.startsWith('model.encoder.'))) {
        header[name.replace('model.encoder.', 'model.encoder.text_model.')] = header[name]!;
        delete header[name];
      }
    });
    const renamed = await openCheckpoint(folder);
    expect(await weightsDigest(renamed)).toBe(before);

    const tensor = renamed.tensors.get('decoder.norm.weight')!;
    const handle = await open(tensor.file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, tensor.offset);
    await handle.write(Buffer.of(byte[0]! ^ 1), 0, 1, tensor.offset);
    await handle.close();
    expect(await weightsDigest(await openCheckpoint(folder))).not.toBe(before);
  });
});

describe('safetensors', () => {
  it('says that a file was cut off', async () => {
    const folder = await copyOfFixture('one-kv-head');
    const file = path.join(folder, 'model.safetensors');
    await truncate(file, 100_000);
    await expect(readHeader(file)).rejects.toMatchObject(invalid('model.safetensors', 'cut off'));
    await truncate(file, 200);
    await expect(readHeader(file)).rejects.toMatchObject(invalid('truncated'));
    await truncate(file, 5);
    await expect(readHeader(file)).rejects.toMatchObject(invalid('only 5 bytes'));
  });

  it('says that a file is something else', async () => {
    const file = path.join(await temporaryFolder(), 'model.safetensors');
    await writeFile(file, '<html><body>404 Not Found, and some more text so that it is long enough</body></html>');
    await expect(readHeader(file)).rejects.toMatchObject(invalid('not a safetensors file'));
  });

  it('says that a header lies about a size', async () => {
    const folder = await copyOfFixture('one-kv-head');
    const file = path.join(folder, 'model.safetensors');
    await editHeader(file, (header) => (header[FIRST_NORM]!.shape = [15]));
    await expect(readHeader(file)).rejects.toMatchObject(invalid(FIRST_NORM, 'needs 60 bytes'));
  });

  it('reads the same values in chunks of any size', async () => {
    const { tensors } = await openCheckpoint(referenceFixture('one-kv-head'));
    const tensor = tensors.get('embed_tokens.weight')!;
    const read = async (chunk: number) => {
      const values: number[] = [];
      for await (const part of readFloat32(tensor, chunk)) values.push(...part);
      return values;
    };
    const whole = await read(1 << 20);
    expect(whole).toHaveLength(320 * 32);
    expect(await read(7)).toEqual(whole);
    expect(await read(1024)).toEqual(whole);
  });

  it('widens bfloat16 and float16 exactly', () => {
    const widen = (type: 'BF16' | 'F16', ...bits: number[]) => [
      ...toFloat32(Uint16Array.from(bits).buffer, bits.length, type),
    ];
    expect(widen('BF16', 0x3f80, 0xc049, 0x0000, 0x7f80, 0x0001)).toEqual([
      1,
      -3.140625,
      0,
      Number.POSITIVE_INFINITY,
      2 ** -133,
    ]);
    expect(widen('F16', 0x3c00, 0xc248, 0x7bff, 0x0400, 0x0001, 0x8001, 0x7c00)).toEqual([
      1,
      -3.140625,
      65504,
      2 ** -14,
      2 ** -24,
      -(2 ** -24),
      Number.POSITIVE_INFINITY,
    ]);
    expect(widen('F16', 0x7e00)[0]).toBeNaN();
  });

  it('rounds to the nearest bfloat16, ties to even', () => {
    const rounded = (value: number) => toFloat32(toBfloat16(Float32Array.of(value)).buffer, 1, 'BF16')[0];
    expect(rounded(1)).toBe(1);
    expect(rounded(Math.sqrt(640))).toBe(25.25);
    expect(rounded(Math.sqrt(2560))).toBe(50.5);
    expect(rounded(1 + 2 ** -8)).toBe(1);
    expect(rounded(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(rounded(1 + 2 ** -8 + 2 ** -20)).toBe(1 + 2 ** -7);
    expect(rounded(-3.4e38)).toBe(Number.NEGATIVE_INFINITY);
    expect(rounded(Number.NaN)).toBeNaN();
  });
});
