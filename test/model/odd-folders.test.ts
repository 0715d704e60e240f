/** Hostile or odd model folders: the right numbers, or an error that names the file and has a code. Nothing in between. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DkvError, type ErrorCode } from '../../src/base/errors.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { dkv } from '../support/dkv.js';
import { copyOfFixture, temporaryFolder } from '../support/fixtures.js';
import { editTensors, readTensors, type StoredTensors, writeTensors } from '../support/safetensors.js';

// biome-ignore lint/suspicious/noExplicitAny: configs are edited freely here
type Json = Record<string, any>;

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1234567\n`;
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const TABLE = 'model.encoder.embed_tokens.weight';
const HEAD = 'lm_head.out_proj.weight';
const NORM = 'model.decoder.norm.weight';

/** Makes a good folder odd. @returns the folder, where that is another one */
type Make = (folder: string) => Promise<unknown>;

/** The numbers of the good folder, or the error and a part of its message. */
type Outcome = 'right' | readonly [code: ErrorCode, part: string];

const invalid = (part: string): Outcome => ['CHECKPOINT_INVALID', part];
const unsupported = (part: string): Outcome => ['MODEL_UNSUPPORTED', part];

const write =
  (name: string, content: string | Uint8Array): Make =>
  (folder) =>
    writeFile(path.join(folder, name), content);
const remove =
  (name: string): Make =>
  (folder) =>
    rm(path.join(folder, name));
const folderAt =
  (name: string): Make =>
  async (folder) => {
    await rm(path.join(folder, name), { force: true });
    await mkdir(path.join(folder, name));
  };
const config =
  (edit: (config: Json) => void): Make =>
  async (folder) => {
    const file = path.join(folder, 'config.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    edit(json);
    await writeFile(file, JSON.stringify(json));
  };
const tensors =
  (edit: (tensors: StoredTensors) => void): Make =>
  (folder) =>
    editTensors(path.join(folder, WEIGHTS), edit);
const header =
  (edit: (text: string) => string): Make =>
  async (folder) => {
    const bytes = await readFile(path.join(folder, WEIGHTS));
    const start = 8 + Number(bytes.readBigUInt64LE());
    const text = Buffer.from(edit(bytes.subarray(8, start).toString()));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    await writeFile(path.join(folder, WEIGHTS), Buffer.concat([length, text, bytes.subarray(start)]));
  };
const retyped = (dtype: string, factor: number): Make =>
  tensors((all) => {
    const { shape, bytes } = all.get(NORM)!;
    all.set(NORM, { dtype, shape, bytes: Buffer.alloc(bytes.length * factor) });
  });
const copied = (name: string, change = false): Make =>
  tensors((all) => {
    const { bytes, ...table } = all.get(TABLE)!;
    const copy = Buffer.from(bytes);
    if (change) copy[40]! ^= 64;
    all.set(name, { ...table, bytes: copy });
  });

async function shard(folder: string): Promise<void> {
  const all = [...(await readTensors(path.join(folder, WEIGHTS)))];
  const weight_map: Record<string, string> = {};
  for (const part of [0, 1]) {
    const file = `model-0000${part + 1}-of-00002.safetensors`;
    const own = all.filter((_, i) => i % 2 === part);
    await writeTensors(path.join(folder, file), new Map(own));
    for (const [name] of own) weight_map[name] = file;
  }
  await writeFile(path.join(folder, INDEX), JSON.stringify({ weight_map }));
  await rm(path.join(folder, WEIGHTS));
}

const FOLDERS: Record<string, readonly [Outcome, Make]> = {
  'as it is': ['right', async () => undefined],
  'a name with spaces and other letters': [
    'right',
    async (folder) => {
      await rename(folder, `${folder} größe 👟`);
      return `${folder} größe 👟`;
    },
  ],
  'a link to the folder': [
    'right',
    async (folder) => {
      await symlink(folder, `${folder}-link`);
      return `${folder}-link`;
    },
  ],
  'a link to the weights': [
    'right',
    async (folder) => {
      await rename(path.join(folder, WEIGHTS), `${folder}-blob`);
      await symlink(`${folder}-blob`, path.join(folder, WEIGHTS));
    },
  ],
  'in shards': ['right', shard],
  'a stale index beside the weights': [
    'right',
    write(INDEX, JSON.stringify({ weight_map: { [NORM]: 'gone.safetensors' } })),
  ],
  'the head once more, alike': ['right', copied(HEAD)],
  'tensors that nothing reads': [
    'right',
    tensors((all) =>
      all.set('model.decoder.rotary_emb.inv_freq', { dtype: 'F32', shape: [1], bytes: Buffer.alloc(4) }),
    ),
  ],
  'the encoder under its other names': [
    'right',
    tensors((all) => {
      const entries = [...all];
      all.clear();
      for (const [name, tensor] of entries) {
        all.set(name.replace(/^model\.encoder\.(?!vision|multi)/, 'model.encoder.text_model.'), tensor);
      }
    }),
  ],
  'keys that mean nothing': ['right', config((c) => Object.assign(c, { head_dim: 7, note: [null, { x: 1e300 }] }))],
  'tie_word_embeddings false in the decoder': ['right', config((c) => (c.decoder.tie_word_embeddings = false))],

  'no folder': [invalid('no such folder'), async (folder) => `${folder}-not`],
  'a file for a folder': [invalid('is a file'), async (folder) => path.join(folder, 'config.json')],
  'an empty folder': [
    invalid('config.json: no such file'),
    async (folder) => {
      await rm(folder, { recursive: true });
      await mkdir(folder);
    },
  ],
  'links in a circle': [
    ['FILES_UNUSABLE', 'config.json'],
    async (folder) => {
      await rm(path.join(folder, 'config.json'));
      await symlink('config.json', path.join(folder, 'config.json'));
    },
  ],

  'weights: cut off': [invalid('cut off'), (folder) => truncate(path.join(folder, WEIGHTS), 300_000)],
  'weights: cut off in the header': [invalid('truncated'), (folder) => truncate(path.join(folder, WEIGHTS), 900)],
  'weights: with a byte more': [
    invalid('1 bytes behind its last tensor'),
    async (folder) => writeFile(path.join(folder, WEIGHTS), Buffer.alloc(1), { flag: 'a' }),
  ],
  'weights: empty': [invalid('only 0 bytes'), write(WEIGHTS, '')],
  'weights: a Git LFS pointer': [invalid('git lfs pull'), write(WEIGHTS, POINTER)],
  'weights: a web page': [
    invalid('not a safetensors file'),
    write(WEIGHTS, '<!DOCTYPE html><html>404</html>'.repeat(9)),
  ],
  'weights: a pickle': [invalid('not a safetensors file'), write(WEIGHTS, Buffer.from(`PK\x03\x04${'x'.repeat(500)}`))],
  'weights: a folder': [invalid('neither a file'), folderAt(WEIGHTS)],
  'weights: a link to nowhere': [
    invalid('neither a file'),
    async (folder) => {
      await rm(path.join(folder, WEIGHTS));
      await symlink('/no/such/blob', path.join(folder, WEIGHTS));
    },
  ],
  'weights: none': [invalid('neither a file'), remove(WEIGHTS)],
  'weights: a pipe': [
    invalid('neither a file'),
    async (folder) => {
      await rm(path.join(folder, WEIGHTS));
      execFileSync('mkfifo', [path.join(folder, WEIGHTS)]);
    },
  ],
  'weights: a name twice': [
    invalid('name twice'),
    header((text) => text.replace(/("[^"]*norm\.weight":\{[^}]*\})/, '$1,$1')),
  ],
  'weights: overlapping': [
    invalid('lies over another'),
    header((text) => {
      const json = JSON.parse(text);
      json[NORM].data_offsets = json[NORM].data_offsets.map((at: number) => (at >= 4 ? at - 4 : at + 4));
      return JSON.stringify(json);
    }),
  ],
  'weights: with a hole': [
    invalid('belong to none'),
    header((text) => text.replace(/"model\.decoder\.norm[^}]*\},?/, '')),
  ],
  'weights: NaN as a size': [invalid('not JSON'), header((text) => text.replace(/"shape":\[\d+/, '"shape":[NaN'))],
  'weights: a huge size': [
    invalid('tensor'),
    header((text) => text.replace(/"shape":\[\d+/, '"shape":[99999999999999999999')),
  ],
  'weights: 8-bit floats': [unsupported('F8_E4M3'), retyped('F8_E4M3', 0.25)],
  'weights: integers': [unsupported('I64'), retyped('I64', 2)],
  'weights: doubles': [unsupported('F64'), retyped('F64', 2)],
  'weights: a shape turned round': [
    invalid('has shape'),
    tensors((all) => {
      const table = all.get(TABLE)!;
      all.set(TABLE, { ...table, shape: table.shape.toReversed() });
    }),
  ],
  'weights: a tensor missing': [invalid(NORM), tensors((all) => all.delete(NORM))],
  'weights: another head': [invalid(HEAD), copied(HEAD, true)],
  'weights: another table for the decoder': [
    invalid('model.decoder.embed_tokens.weight'),
    copied('model.decoder.embed_tokens.weight', true),
  ],

  'index: a shard missing': [
    invalid('model-00002-of-00002.safetensors'),
    async (folder) => {
      await shard(folder);
      await rm(path.join(folder, 'model-00002-of-00002.safetensors'));
    },
  ],
  'index: shards swapped': [
    invalid('which'),
    async (folder) => {
      await shard(folder);
      const [one, two] = ['1', '2'].map((n) => path.join(folder, `model-0000${n}-of-00002.safetensors`));
      await rename(one!, `${one}.old`);
      await rename(two!, one!);
      await rename(`${one}.old`, two!);
    },
  ],
  'index: out of the folder': [
    invalid('outside the folder'),
    async (folder) => {
      await shard(folder);
      await write(INDEX, JSON.stringify({ weight_map: { [NORM]: '../../etc/passwd' } }))(folder);
    },
  ],
  'index: not JSON': [
    invalid('not JSON'),
    async (folder) => {
      await shard(folder);
      await write(INDEX, '{"weight_map": {')(folder);
    },
  ],
  'index: without weight_map': [
    invalid('weight_map'),
    async (folder) => {
      await shard(folder);
      await write(INDEX, '[]')(folder);
    },
  ],

  'config: none': [invalid('no such file'), remove('config.json')],
  'config: empty': [invalid('is empty'), write('config.json', '')],
  'config: a folder': [invalid('a folder'), folderAt('config.json')],
  'config: a Git LFS pointer': [invalid('git lfs pull'), write('config.json', POINTER)],
  'config: with a byte order mark': [
    invalid('byte order mark'),
    async (folder) => {
      const file = path.join(folder, 'config.json');
      await writeFile(file, `\ufeff${await readFile(file, 'utf8')}`);
    },
  ],
  'config: UTF-16': [
    invalid('UTF-8'),
    async (folder) => {
      const file = path.join(folder, 'config.json');
      await writeFile(file, Buffer.from(`\ufeff${await readFile(file, 'utf8')}`, 'utf16le'));
    },
  ],
  'config: NaN': [
    invalid('not JSON'),
    async (folder) => {
      const file = path.join(folder, 'config.json');
      await writeFile(file, (await readFile(file, 'utf8')).replace(/"hidden_size": ?\d+/, '"hidden_size": NaN'));
    },
  ],
  'config: a number beyond all': [
    invalid('hidden_size'),
    async (folder) => {
      const file = path.join(folder, 'config.json');
      await writeFile(file, (await readFile(file, 'utf8')).replace(/"hidden_size": ?\d+/, '"hidden_size": 1e999'));
    },
  ],
  'config: nested a million times': [
    unsupported('model_type'),
    write('config.json', '['.repeat(1e6) + ']'.repeat(1e6)),
  ],
  'config: null': [unsupported('model_type'), write('config.json', 'null')],
  'config: of another architecture': [unsupported('"gemma3"'), config((c) => (c.model_type = 'gemma3'))],
  'config: of another family': [invalid('d_model'), config((c) => (c.model_type = 't5'))],
  'config: a billion layers': [
    invalid('num_hidden_layers'),
    config((c) => {
      delete c.decoder.layer_types;
      c.decoder.num_hidden_layers = 1e9;
    }),
  ],
  'config: a huge vocabulary': [
    invalid('has shape'),
    config((c) => {
      c.decoder.vocab_size = 9e15;
      c.encoder.text_config.vocab_size = 9e15;
    }),
  ],
  'config: a negative size': [invalid('head_dim'), config((c) => (c.decoder.head_dim = -8))],
  'config: a size missing': [invalid('intermediate_size'), config((c) => delete c.decoder.intermediate_size)],
  'config: a size as text': [invalid('vocab_size'), config((c) => (c.decoder.vocab_size = '512'))],
  'config: no decoder': [invalid('decoder'), config((c) => delete c.decoder)],
  'config: sliding_window null': [invalid('sliding_window is null'), config((c) => (c.decoder.sliding_window = null))],
  'config: part of a head rotated': [
    unsupported('partial_rotary_factor is 0.5'),
    config((c) => (c.encoder.text_config.rope_parameters.full_attention.partial_rotary_factor = 0.5)),
  ],
  'config: untied': [unsupported('tie_word_embeddings'), config((c) => (c.tie_word_embeddings = false))],
  'config: quantised': [unsupported('quantization_config'), config((c) => (c.quantization_config = { bits: 4 }))],
  'generation_config: not JSON': [invalid('generation_config.json'), write('generation_config.json', '{,}')],
  'generation_config: another start': [
    unsupported('decoder_start_token_id is 0'),
    write('generation_config.json', '{"decoder_start_token_id": 0}'),
  ],

  'tokenizer: none': [invalid('tokenizer.json'), remove('tokenizer.json')],
  'tokenizer: empty': [invalid('tokenizer.json'), write('tokenizer.json', '')],
  'tokenizer: a folder': [invalid('tokenizer.json: a folder'), folderAt('tokenizer.json')],
  'tokenizer: a Git LFS pointer': [invalid('git lfs pull'), write('tokenizer.json', POINTER)],
  'tokenizer: cut off': [invalid('tokenizer.json'), (folder) => truncate(path.join(folder, 'tokenizer.json'), 9000)],
  'tokenizer: a list': [invalid('tokenizer.json'), write('tokenizer.json', '[]')],
  'tokenizer: of a larger vocabulary': [
    invalid('vocabulary of 512'),
    async (folder) => {
      const file = path.join(folder, 'tokenizer.json');
      const json = JSON.parse(await readFile(file, 'utf8'));
      // The same number of tokens, so that the ids of the added ones stay.
      const added = new Set(json.added_tokens.map(({ content }: { content: string }) => content));
      const last = Object.keys(json.model.vocab).findLast((token) => !added.has(token))!;
      json.model.vocab[last] = 4000;
      await writeFile(file, JSON.stringify(json));
    },
  ],
  'tokenizer: settings a folder': [invalid('tokenizer_config.json: a folder'), folderAt('tokenizer_config.json')],
};

const TEXTS = [{ document: 'The lamp on the desk costs 24.90 euros.', prefix: 'lamp price', target: '24.90 euros' }];

async function scoreOf(folder: string, cacheDirectory: string): Promise<readonly number[]> {
  const model = await loadModel(folder, { cacheDirectory, threads: 1 });
  try {
    const [score] = await scoreTexts(model, TEXTS, { maxTokens: 64 });
    if (score instanceof DkvError) throw score;
    return [...score!.tokenNlls];
  } finally {
    await model.close();
  }
}

it('tells a program and a user what is no error', async () => {
  const folder = await copyOfFixture('text');
  await write(INDEX, '{"weight_map": {}}')(folder);
  await config((c) => (c.encoder.text_config.max_position_embeddings = 48))(folder);
  const notices: string[] = [];
  const model = await loadModel(folder, { onNotice: (notice) => notices.push(notice) });
  expect(notices).toEqual([expect.stringContaining(`${INDEX}: passed over`)]);
  expect(model.engine.info.shape.trainedTokens).toBe(48);
  await model.close();
  const score = async (length: string) => {
    const input = `${JSON.stringify({ document: TEXTS[0]!.document, target: TEXTS[0]!.target })}\n`;
    return dkv(['score', '--model', folder, '--max-length', length], { input });
  };
  const [long, short] = [await score('49'), await score('48')];
  expect([long.exitCode, short.exitCode]).toEqual([0, 0]);
  for (const { stderr } of [long, short]) expect(stderr).toContain('passed over');
  expect(long.stderr).toContain('Up to 49 tokens are read; this model was made for 48 (max_position_embeddings)');
  expect(short.stderr).not.toContain('max_position_embeddings');
  expect(long.stdout).toBe(short.stdout);
});

describe('odd model folders', () => {
  let right: readonly number[];
  beforeAll(async () => {
    const cache = path.join(process.env.DKV_CACHE!, 'odd-folders');
    right = await scoreOf(path.resolve(import.meta.dirname, '../fixtures/reference/text'), cache);
    expect(right.length).toBeGreaterThan(3);
  });

  it.each(Object.entries(FOLDERS))('%s', async (_, [outcome, make]) => {
    const good = await copyOfFixture('text');
    const other = await make(good);
    const folder = typeof other === 'string' ? other : good;
    const cache = outcome === 'right' ? path.join(process.env.DKV_CACHE!, 'odd-folders') : await temporaryFolder();
    const found = await scoreOf(folder, cache).catch((error: unknown) => error);
    if (outcome === 'right') {
      expect(found).toEqual(right);
      return;
    }
    const [code, part] = outcome;
    expect(found).toBeInstanceOf(DkvError);
    expect(found).toMatchObject({ code, message: expect.stringContaining(part) });
  });
});
