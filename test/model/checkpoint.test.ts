import { existsSync } from 'node:fs';
import { open, readdir, readFile, readlink, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/base/errors.js';
import { openCheckpoint, weightsDigest } from '../../src/model/checkpoint.js';
import { cachedDigest } from '../../src/model/checkpoint-digest.js';
import { readFloat32, readHeader, toBfloat16, toFloat32 } from '../../src/model/files/safetensors.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { editTensors, floatsOf, readTensors, type StoredTensors, writeTensors } from '../support/safetensors.js';

const FIRST_NORM = 'model.decoder.layers.0.self_attn.k_norm.weight';

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
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('neither a file model.safetensors nor'));
    await writeFile(path.join(folder, 'pytorch_model-00001-of-00002.bin'), 'a pickle');
    await expect(openCheckpoint(folder)).rejects.toMatchObject(
      invalid('stand in pytorch_model-00001-of-00002.bin', 'docs/troubleshooting.md'),
    );
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
    await editTensors(path.join(folder, 'model.safetensors'), (tensors) => tensors.delete(FIRST_NORM));
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
    for (const [dtype, bytes] of [
      ['F8_E4M3', 16],
      ['I32', 64],
      ['F64', 128],
    ] as const) {
      await editTensors(path.join(folder, 'model.safetensors'), (tensors) => {
        tensors.set(FIRST_NORM, { dtype, shape: [16], bytes: Buffer.alloc(bytes) });
      });
      await expect(openCheckpoint(folder)).rejects.toMatchObject({
        code: 'MODEL_UNSUPPORTED',
        message: expect.stringContaining(dtype),
      });
    }
  });

  it('takes the one file before shards, and says that there is an index', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    const sharded = await openCheckpoint(folder);
    expect(sharded.notices).toEqual([]);
    const before = await weightsDigest(sharded);
    const all: StoredTensors = new Map();
    for (const shard of ['00001', '00002', '00003']) {
      const file = path.join(folder, `model-${shard}-of-00003.safetensors`);
      for (const [name, tensor] of await readTensors(file)) all.set(name, tensor);
    }
    await writeTensors(path.join(folder, 'model.safetensors'), all);
    await rm(path.join(folder, 'model-00002-of-00003.safetensors'));
    const single = await openCheckpoint(folder);
    expect(single.notices).toEqual([expect.stringContaining('model.safetensors.index.json: passed over')]);
    expect(await weightsDigest(single)).toBe(before);
    // Not complete, it is no reason to take the shards in silence.
    all.delete(FIRST_NORM);
    await writeTensors(path.join(folder, 'model.safetensors'), all);
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('model.safetensors: no tensor', FIRST_NORM));
  });

  it('refuses a tensor that is in two shards', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    const [first, second] = ['00001', '00002'].map((shard) => path.join(folder, `model-${shard}-of-00003.safetensors`));
    const [name, tensor] = [...(await readTensors(first!))][0]!;
    await editTensors(second!, (tensors) => tensors.set(name, tensor));
    await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid('00002', name, '00001'));
  });

  it('says which tensors of the text model nothing reads', async () => {
    const folder = await copyOfFixture('one-kv-head');
    await editTensors(path.join(folder, 'model.safetensors'), (tensors) => {
      tensors.set('model.decoder.layers.0.self_attn.q_proj.bias', { dtype: 'F32', shape: [1], bytes: floatsOf(1) });
      tensors.set('model.encoder.vision_tower.weight', { dtype: 'F32', shape: [1], bytes: floatsOf(1) });
    });
    const { notices } = await openCheckpoint(folder);
    expect(notices).toEqual([
      expect.stringMatching(/model\.decoder\.layers\.0\.self_attn\.q_proj\.bias have no place/),
    ]);
  });

  it('calls a Git LFS pointer what it is, in place of any file', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1234567\n`;
    for (const [fixture, name] of [
      ['one-kv-head', 'model.safetensors'],
      ['one-kv-head', 'config.json'],
      ['sharded-bf16', 'model-00002-of-00003.safetensors'],
      ['sharded-bf16', 'model.safetensors.index.json'],
    ] as const) {
      const folder = await copyOfFixture(fixture);
      await writeFile(path.join(folder, name), pointer);
      await expect(openCheckpoint(folder)).rejects.toMatchObject(invalid(name, 'Git LFS pointer', 'git lfs pull'));
    }
  });

  it('has the same digest however weights are named and sharded, and another when one bit changes', async () => {
    const folder = await copyOfFixture('one-kv-head');
    const before = await weightsDigest(await openCheckpoint(folder));
    await editTensors(path.join(folder, 'model.safetensors'), (tensors) => {
      for (const [name, tensor] of [...tensors]) {
        if (!name.startsWith('model.encoder.')) continue;
        tensors.delete(name);
        tensors.set(name.replace('model.encoder.', 'model.encoder.text_model.'), tensor);
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

describe('copies of a tensor', () => {
  const TABLE = 'model.encoder.embed_tokens.weight';
  const END_OF_IMAGE = 'model.encoder.embed_tokens.eoi_embedding';
  const COPIES = [
    [TABLE, 'model.decoder.embed_tokens.weight'],
    [TABLE, 'lm_head.out_proj.weight'],
    [TABLE, 'model.encoder.text_model.embed_tokens.weight'],
    [END_OF_IMAGE, 'model.decoder.embed_tokens.eoi_embedding'],
    ['model.encoder.layers.1.mlp.up_proj.weight', 'model.encoder.text_model.layers.1.mlp.up_proj.weight'],
  ] as const;
  const digestOf = async (folder: string) => cachedDigest(await openCheckpoint(folder), path.join(folder, 'cache'));

  it.each(COPIES)('pass where %s equals %s, and are refused by both names where they differ', async (one, other) => {
    const folder = await copyOfFixture('one-kv-head');
    const file = path.join(folder, 'model.safetensors');
    const digest = await digestOf(folder);
    const change = (at: number, value: number) =>
      editTensors(file, (tensors) => {
        const { bytes, ...shape } = tensors.get(one)!;
        const copy = Buffer.from(bytes);
        if (at >= 0) copy.writeFloatLE(value, at * 4);
        tensors.set(other, { ...shape, bytes: copy });
      });
    await change(-1, 0);
    expect(await digestOf(folder)).toBe(digest);
    await change(21, 3.5);
    const width = (await readTensors(file)).get(one)!.shape.length === 1 ? '21' : '0,21';
    await expect(digestOf(folder)).rejects.toMatchObject(invalid('model.safetensors'));
    const message = await digestOf(folder).catch(messageOf);
    for (const part of [one, other, `first at [${width}]`, '3.5']) expect(message).toContain(part);
  });

  it('are compared by value where their types differ, over all of a large table', async () => {
    const folder = await copyOfFixture('large-vocabulary');
    const file = path.join(folder, 'model.safetensors');
    await editTensors(file, (tensors) => {
      const { bytes, ...table } = tensors.get(TABLE)!;
      const values = toFloat32(Uint8Array.from(bytes).buffer, bytes.length / 2, 'BF16');
      tensors.set(TABLE, { ...table, dtype: 'F32', bytes: Buffer.from(values.buffer) });
      tensors.set('lm_head.out_proj.weight', { ...table, bytes });
    });
    await digestOf(folder);
    await editTensors(file, (tensors) => {
      const { bytes } = tensors.get('lm_head.out_proj.weight')!;
      bytes[bytes.length - 1]! ^= 1;
    });
    await expect(digestOf(folder)).rejects.toMatchObject(invalid(TABLE, 'lm_head.out_proj.weight', '[32999,'));
  });

  it.runIf(existsSync('/proc/self/fd'))('leave no file open', async () => {
    const folder = await copyOfFixture('one-kv-head');
    const file = path.join(folder, 'model.safetensors');
    const isOpen = async () => {
      const handles = await readdir('/proc/self/fd');
      const targets = await Promise.all(handles.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return targets.includes(await realpath(file));
    };
    for (const value of [0, 1]) {
      await editTensors(file, (tensors) => {
        const { bytes, ...table } = tensors.get(TABLE)!;
        const copy = Buffer.from(bytes);
        copy[7]! ^= value;
        tensors.set('lm_head.out_proj.weight', { ...table, bytes: copy });
      });
      await digestOf(folder).catch(messageOf);
      expect(await isOpen()).toBe(false);
    }
  });

  it('are refused where their shapes differ', async () => {
    const folder = await copyOfFixture('one-kv-head');
    await editTensors(path.join(folder, 'model.safetensors'), (tensors) => {
      tensors.set('lm_head.out_proj.weight', { dtype: 'F32', shape: [1, 32], bytes: Buffer.alloc(128) });
    });
    await expect(openCheckpoint(folder)).rejects.toMatchObject(
      invalid('lm_head.out_proj.weight', '[1,32]', '[320,32]'),
    );
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
