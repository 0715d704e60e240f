import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { hubSettings } from '../../src/hub/settings.js';
import { readConfig } from '../../src/model/families/families.js';
import { type PullModelOptions, parseModelReference, pullModel } from '../../src/scoring/pull-model.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';

const ID = 'google/sharded';
let hub: HubStandIn;
let home: string;
let commit: string;

beforeEach(async () => {
  hub = await HubStandIn.start();
  home = await temporaryFolder();
  const folder = await copyOfFixture('sharded-bf16');
  await writeFile(
    path.join(folder, 'tokenizer.json'),
    await readFile(path.join(referenceFixture('text'), 'tokenizer.json')),
  );
  commit = await hub.publish(ID, folder);
});
afterEach(() => hub.stop());

const pull = (id = ID, variables: NodeJS.ProcessEnv = {}, options: PullModelOptions = {}) =>
  pullModel(
    parseModelReference(id)!,
    hubSettings({ HF_HOME: home, HF_ENDPOINT: hub.url, ...variables }, home),
    options,
  );

const repository = () => path.join(home, 'hub', 'models--google--sharded');
const isShard = (url: string) => /model-0000\d-of/.test(url);

describe('pulling a model', () => {
  it("makes Python's layout, with digests for names and links for files", async () => {
    const pulled = await pull();
    expect(pulled).toEqual({ directory: path.join(repository(), 'snapshots', commit), repository: ID, commit });
    expect(await readFile(path.join(repository(), 'refs/main'), 'utf8')).toBe(commit);
    const names = (await readdir(pulled.directory)).sort();
    expect(names).toEqual([
      'config.json',
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
      'tokenizer.json',
    ]);
    for (const name of names) {
      const link = path.join(pulled.directory, name);
      expect((await lstat(link)).isSymbolicLink()).toBe(true);
      expect(await readlink(link)).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}([0-9a-f]{24})?$/);
      const wanted = name === 'tokenizer.json' ? 'text' : 'sharded-bf16';
      expect(await readFile(link)).toEqual(await readFile(path.join(referenceFixture(wanted), name)));
    }
    expect((await readdir(path.join(repository(), 'blobs'))).filter((name) => name.includes('incomplete'))).toEqual([]);
  });

  it('takes only what is needed: no example outputs, no shard of vision parts alone', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    const index = JSON.parse(await readFile(path.join(folder, 'model.safetensors.index.json'), 'utf8'));
    for (const name of Object.keys(index.weight_map)) {
      if (name.includes('vision_tower')) index.weight_map[name] = 'vision.safetensors';
    }
    await writeFile(path.join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
    await writeFile(path.join(folder, 'vision.safetensors'), Buffer.alloc(50_000));
    await writeFile(path.join(folder, 'tokenizer.json'), '{}');
    await hub.publish('google/vision', folder);
    const { directory } = await pull('google/vision');
    const names = await readdir(directory);
    expect(names).not.toContain('vision.safetensors');
    expect(names).not.toContain('cases.json');
    expect(hub.requests.some(({ url }) => url.includes('vision.safetensors') || url.includes('cases'))).toBe(false);
  });

  it('asks for nothing twice', async () => {
    await pull();
    hub.requests.length = 0;
    await pull();
    expect(hub.requests.map(({ url }) => url.replace(/\?.*/, ''))).toEqual([`/api/models/${ID}/revision/main`]);
    hub.requests.length = 0;
    await pull(`${ID}@${commit}`);
    expect(hub.requests).toEqual([]);
  });

  it('finds what Python has downloaded, whole files by their size', async () => {
    // Python's folder: the same names, made by another program.
    const { directory } = await pull();
    const shard = path.join(directory, 'model-00002-of-00003.safetensors');
    await truncate(path.join(directory, await readlink(shard)), 100);
    hub.requests.length = 0;
    await pull();
    const downloads = hub.requests.filter(({ url }) => url.includes('/resolve/'));
    expect(downloads.map(({ url }) => path.basename(url))).toEqual(['model-00002-of-00003.safetensors']);
    expect((await stat(shard)).size).toBe(
      (await stat(path.join(referenceFixture('sharded-bf16'), path.basename(shard)))).size,
    );
  });

  it('downloads in parallel and reports bytes up to the total', async () => {
    hub.fault = () => ({ millisecondsPerPiece: 20 });
    const seen: [number, number][] = [];
    await pull(ID, {}, { onProgress: (done, total) => seen.push([done, total]) });
    const [done, total] = seen.at(-1)!;
    expect(done).toBe(total);
    expect(total).toBeGreaterThan(200_000);
    const firstShards = hub.requests.filter(({ host, url }) => host === 'content' && isShard(url));
    expect(firstShards).toHaveLength(3);
  });

  it('notices a new commit under the same branch', async () => {
    await pull();
    const folder = await copyOfFixture('one-kv-head');
    await writeFile(path.join(folder, 'tokenizer.json'), '{}');
    const next = await hub.publish(ID, folder);
    expect((await pull()).commit).toBe(next);
    expect((await pull(`${ID}@${commit}`)).commit).toBe(commit);
  });
});

describe('which files', () => {
  it('brings what ends a text, where the repository says it', async () => {
    const folder = await copyOfFixture('text');
    await writeFile(path.join(folder, 'generation_config.json'), '{"eos_token_id": [1, 106]}');
    await hub.publish('google/ends', folder);
    const { directory } = await pull('google/ends');
    expect((await readConfig(directory)).stopTokenIds).toEqual([1, 106]);
    expect(await readdir((await pull()).directory)).not.toContain('generation_config.json');
  });

  it('brings one file of weights before shards', async () => {
    const folder = await copyOfFixture('text');
    await writeFile(
      path.join(folder, 'model.safetensors.index.json'),
      '{"weight_map": {"model.norm": "old.safetensors"}}',
    );
    await hub.publish('google/both', folder);
    const { directory } = await pull('google/both');
    expect((await readdir(directory)).filter((name) => name.includes('safetensors'))).toEqual(['model.safetensors']);
    expect((await pull('google/both', { HF_HUB_OFFLINE: '1' })).directory).toBe(directory);
  });

  it('names a list of shards that cannot be read', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    await writeFile(path.join(folder, 'tokenizer.json'), '{}');
    await writeFile(path.join(folder, 'model.safetensors.index.json'), 'version https://git-lfs.github.com/spec/v1\n');
    await hub.publish('google/pointer', folder);
    await expect(pull('google/pointer')).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
  });

  it('names a shard that is listed and not there', async () => {
    const folder = await copyOfFixture('sharded-bf16');
    await writeFile(path.join(folder, 'tokenizer.json'), '{}');
    await rm(path.join(folder, 'model-00002-of-00003.safetensors'));
    await hub.publish('google/torn', folder);
    await expect(pull('google/torn')).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('names model-00002-of-00003.safetensors, which the repository does not have'),
    });
  });
});

describe('a repository that lacks what is read', () => {
  const WEIGHTS = Buffer.alloc(50_000);
  /** A repository in the form of before safetensors: nothing of it is worth a download. */
  async function publishOld(name: string, without: readonly string[] = []): Promise<string> {
    const folder = await copyOfFixture('text');
    await rm(path.join(folder, 'model.safetensors'));
    for (const file of without) await rm(path.join(folder, file));
    for (const file of ['pytorch_model.bin', 'spiece.model']) await writeFile(path.join(folder, file), WEIGHTS);
    await hub.publish(name, folder);
    return folder;
  }
  const request = (name: string, folder: string, number: number) =>
    hub.publish(name, folder, 'open', `refs/pr/${number}`);
  const downloads = () => hub.requests.filter(({ url }) => /resolve|content/.test(url)).map(({ url }) => url);

  it('with weights as .bin is refused, with the pull request that has safetensors', async () => {
    const old = await publishOld('facebook/old');
    await writeFile(path.join(old, 'README.md'), 'a typing error less');
    await request('facebook/old', old, 2);
    await request('facebook/old', referenceFixture('text'), 11);
    const commit = await request('facebook/old', await copyOfFixture('text'), 4);
    const error = await pull('facebook/old').catch((error: Error) => error);
    expect(error).toMatchObject({ code: 'CHECKPOINT_INVALID' });
    expect((error as Error).message).toMatch(
      /^facebook\/old at [0-9a-f]{7} has no model\.safetensors: its weights stand in pytorch_model\.bin, a Python pickle, .* stands at refs\/pr\/4, a pull request, .*\/facebook\/old\/discussions\/4 .* --model facebook\/old@refs\/pr\/4\.$/,
    );
    expect(downloads()).toEqual([]);
    // The advice is one that can be taken.
    const { directory, ...pulled } = await pull('facebook/old@refs/pr/4');
    expect(pulled).toEqual({ repository: 'facebook/old', commit });
    expect(await readdir(directory)).toContain('model.safetensors');
    expect((await pull('facebook/old@refs/pr/4', { HF_HUB_OFFLINE: '1' })).directory).toBe(directory);
  });

  it('and no pull request that has it says how it is made', async () => {
    const old = await publishOld('google/older', ['tokenizer.json']);
    await writeFile(path.join(old, 'model.safetensors'), WEIGHTS);
    await request('google/older', old, 1);
    await expect(pull('google/older')).rejects.toThrow(
      /has no tokenizer\.json and no model\.safetensors: .*pytorch_model\.bin.*, and its tokenizer stands in spiece\.model alone.*None of its 1 other branches and pull requests.*docs\/troubleshooting\.md/,
    );
    expect(downloads()).toEqual([]);
  });

  it('and nothing else at all says so', async () => {
    await publishOld('google/alone');
    await expect(pull('google/alone')).rejects.toThrow(
      /It has no other branches and no pull requests\. Python writes both/,
    );
  });

  it('and a hub that lists no pull requests says where they are', async () => {
    await publishOld('google/unlisted');
    hub.fault = ({ url }) => (url.includes('/refs') ? { status: 404 } : undefined);
    await expect(pull('google/unlisted')).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining(`${hub.url}/google/unlisted/discussions may have what is missing`),
    });
  });

  it('is not searched for another model than one of Hugging Face’s form', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'weights.gguf'), WEIGHTS);
    await hub.publish('google/gguf', folder);
    await expect(pull('google/gguf')).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('no checkpoint in Hugging Face form'),
    });
    expect(hub.requests.filter(({ url }) => url.includes('/refs'))).toEqual([]);
  });

  it('no pickle is read where both forms lie', async () => {
    const folder = await copyOfFixture('text');
    for (const file of ['pytorch_model.bin', 'training_args.bin', 'tf_model.h5', 'spiece.model'])
      await writeFile(path.join(folder, file), WEIGHTS);
    await hub.publish('google/both-forms', folder);
    const { directory } = await pull('google/both-forms');
    const brought = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    expect((await readdir(directory)).sort()).toEqual(brought);
    expect(downloads().filter((url) => /\.(bin|h5)|spiece/.test(url))).toEqual([]);
  });

  it('another architecture is refused before its weights are brought', async () => {
    const folder = await copyOfFixture('text');
    await writeFile(path.join(folder, 'config.json'), '{"model_type": "bert"}');
    await hub.publish('google/bert', folder);
    await expect(pull('google/bert')).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('"t5gemma2" (T5Gemma 2), "t5" (T5)'),
    });
    expect(downloads().filter((url) => url.includes('safetensors'))).toEqual([]);
  });
});

describe('a mirror that lists names only', () => {
  beforeEach(() => {
    hub.listsNamesOnly = true;
  });

  it('is asked for sizes and digests of what is needed, which are checked', async () => {
    const { directory } = await pull();
    const name = 'model-00001-of-00003.safetensors';
    expect(await readFile(path.join(directory, name))).toEqual(
      await readFile(path.join(referenceFixture('sharded-bf16'), name)),
    );
    expect(await readlink(path.join(directory, name))).toMatch(/\/[0-9a-f]{64}$/);
    const asked = hub.requests.filter(({ method }) => method === 'HEAD').map(({ url }) => path.basename(url));
    expect(asked.sort()).toEqual((await readdir(directory)).sort());
    expect(hub.requests.filter(({ method, host }) => method === 'HEAD' && host === 'content')).toEqual([]);
  });

  it('does not get damaged files past the digest', async () => {
    hub.fault = ({ host, method }) => (host === 'content' && method === 'GET' ? { damaged: true } : undefined);
    await expect(pull()).rejects.toMatchObject({
      code: 'DOWNLOAD_DAMAGED',
      message: expect.stringContaining('digest'),
    });
  });

  it.each<[string, (bytes: Buffer) => string | undefined]>([
    ['the SHA-1 of the content', (bytes) => createHash('sha1').update(bytes).digest('hex')],
    ['something that is no digest', () => '5f3c-17a2b'],
    ['nothing', () => undefined],
  ])('tags files with %s', async (tagged, etag) => {
    hub.etag = etag;
    const { directory } = await pull();
    expect(await readFile(path.join(directory, 'tokenizer.json'))).toEqual(
      await readFile(path.join(referenceFixture('text'), 'tokenizer.json')),
    );
    // What can be checked still is.
    await rm(repository(), { recursive: true });
    hub.fault = ({ host, method }) =>
      host === 'content' && method === 'GET'
        ? tagged.includes('SHA-1')
          ? { damaged: true }
          : { lengthOffBytes: -100 }
        : undefined;
    await expect(pull()).rejects.toMatchObject({ code: expect.stringMatching(/DOWNLOAD_DAMAGED|HUB_UNREACHABLE/) });
  });

  it('is refused where it says no size', async () => {
    hub.fault = ({ method }) => (method === 'HEAD' ? { status: 200 } : undefined);
    await expect(pull()).rejects.toMatchObject({
      code: 'HUB_UNREACHABLE',
      message: expect.stringContaining('how large'),
    });
  });
});

describe('offline', () => {
  it('uses the cache and asks nobody', async () => {
    await pull();
    hub.requests.length = 0;
    expect((await pull(ID, { HF_HUB_OFFLINE: '1' })).commit).toBe(commit);
    expect(hub.requests).toEqual([]);
  });

  it('knows a commit by the beginning that records name it by, and asks nobody where it can be asked either', async () => {
    await pull();
    hub.requests.length = 0;
    const named = `${ID}@${commit.slice(0, 12)}`;
    for (const settings of [{ HF_HUB_OFFLINE: '1' }, {}]) expect((await pull(named, settings)).commit).toBe(commit);
    expect(hub.requests).toEqual([]);
    const [short, other] = [`${ID}@${commit.slice(0, 11)}`, `${ID}@${'0'.repeat(12)}`];
    for (const one of [short, other])
      await expect(pull(one, { HF_HUB_OFFLINE: '1' })).rejects.toThrow('has nothing of');
  });

  it('says what is missing', async () => {
    await expect(pull(ID, { HF_HUB_OFFLINE: '1' })).rejects.toMatchObject({
      code: 'HUB_OFFLINE',
      message: expect.stringContaining('dkv models pull google/sharded'),
    });
    await expect(pull(ID, { TRANSFORMERS_OFFLINE: '1' })).rejects.toThrow(/^TRANSFORMERS_OFFLINE is set/);
    const { directory } = await pull();
    await rm(path.join(directory, 'model-00003-of-00003.safetensors'));
    await expect(pull(ID, { HF_HUB_OFFLINE: '1' })).rejects.toThrow('lacks model-00003-of-00003.safetensors');
  });

  it('goes on with the cache when the hub does not answer, and says so', async () => {
    await pull();
    await hub.stop();
    const notices: string[] = [];
    expect((await pull(ID, {}, { onNotice: (notice) => notices.push(notice) })).commit).toBe(commit);
    expect(notices).toEqual([expect.stringContaining(`as it was at ${commit}`)]);
    hub = await HubStandIn.start();
  });
});

describe('a token', () => {
  it('opens a gated repository, and goes to the hub alone', async () => {
    await hub.publish('google/gated', referenceFixture('text'), 'gated');
    const { directory } = await pull('google/gated', { HF_TOKEN: hub.token });
    expect(await readdir(directory)).toContain('model.safetensors');
    const [own, foreign] = [
      hub.requests.filter((r) => r.host === 'hub'),
      hub.requests.filter((r) => r.host === 'content'),
    ];
    expect(foreign.length).toBeGreaterThan(0);
    expect(own.every(({ authorization }) => authorization === `Bearer ${hub.token}`)).toBe(true);
    expect(foreign.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it.each([
    ['without one', {}],
    ['with one that has not accepted the licence', { HF_TOKEN: 'hf_somebodyElse' }],
  ])('is asked for, with the page of the licence, %s', async (_, variables) => {
    await hub.publish('google/gated', referenceFixture('text'), 'gated');
    const error = await pull('google/gated', variables).catch((e) => e);
    expect(error).toMatchObject({ code: 'HUB_DENIED' });
    expect(error.message).toMatch(new RegExp(`Accept its licence at ${hub.url}/google/gated.*HF_TOKEN`));
    expect(error.message).not.toContain('hf_somebodyElse');
  });

  it('is asked for when the hub does not say whether a repository exists', async () => {
    await hub.publish('google/private', referenceFixture('text'), 'private');
    await expect(pull('google/private')).rejects.toMatchObject({ code: 'HUB_DENIED' });
    await expect(pull('google/private', { HF_TOKEN: 'hf_wrong' })).rejects.toMatchObject({ code: 'HUB_NOT_FOUND' });
  });
});

describe('faults', () => {
  const faultOnce = (matches: (url: string) => boolean, fault: ReturnType<HubStandIn['fault']>) => {
    let done = false;
    hub.fault = ({ url, host }) => {
      if (done || host !== 'content' || !matches(url)) return undefined;
      done = true;
      return fault;
    };
  };

  it('go on where a connection broke, without asking for the bytes again', async () => {
    faultOnce(isShard, { cutAfterBytes: 30_000 });
    await pull();
    const resumed = hub.requests.filter(({ range, host }) => host === 'content' && range);
    expect(resumed).toHaveLength(1);
    expect(Number(/bytes=(\d+)-/.exec(resumed[0]!.range!)![1])).toBeGreaterThan(0);
  });

  it('start anew when the server cannot continue', async () => {
    let cut = false;
    hub.fault = ({ host, range, url }) => {
      if (host !== 'content' || !isShard(url)) return undefined;
      if (range) return { ignoreRange: true };
      if (cut) return undefined;
      cut = true;
      return { cutAfterBytes: 30_000 };
    };
    const { directory } = await pull();
    for (const shard of (await readdir(directory)).filter(isShard)) {
      expect(await readFile(path.join(directory, shard))).toEqual(
        await readFile(path.join(referenceFixture('sharded-bf16'), shard)),
      );
    }
  });

  it.each([
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['503', { status: 503 }],
    ['a cut before the first byte', { cutAfterBytes: 0 }],
    ['a length that is too long', { lengthOffBytes: 1000 }],
  ])('pass: %s', async (_, fault) => {
    faultOnce(() => true, fault);
    expect((await pull()).commit).toBe(commit);
  });

  it.each<[string, ReturnType<HubStandIn['fault']>, string, RegExp]>([
    ['429', { status: 429 }, 'HUB_UNREACHABLE', /answers 429 \(tried 3 times\)/],
    ['500', { status: 500 }, 'HUB_UNREACHABLE', /answers 500/],
    ['404', { status: 404 }, 'HUB_NOT_FOUND', /google\/sharded/],
    ['401', { status: 401 }, 'HUB_DENIED', /HF_TOKEN/],
    ['403', { status: 403 }, 'HUB_DENIED', /Accept its licence/],
    ['418', { status: 418 }, 'HUB_UNREACHABLE', /answers 418/],
    ['a connection that always breaks at once', { cutAfterBytes: 0 }, 'HUB_UNREACHABLE', /tried 3 times/],
    ['a wrong digest', { damaged: true }, 'DOWNLOAD_DAMAGED', /its digest is/],
    ['a length that is too short', { lengthOffBytes: -1000 }, 'HUB_UNREACHABLE', /./],
    ['silence', { silent: true }, 'HUB_UNREACHABLE', /no answer for 8 s/],
  ])('that do not pass end in a clear error within 30 s: %s', async (_, fault, code, message) => {
    hub.fault = ({ host, url }) => (host === 'content' || url.includes('config.json') ? fault : undefined);
    const started = performance.now();
    const error = await pull(ID, { HF_TOKEN: hub.token }).catch((e) => e);
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(hub.token);
    hub.fault = () => undefined;
    expect((await pull()).commit).toBe(commit);
  });

  it('say that something else answers in the place of a hub', async () => {
    hub.fault = ({ url }) => (url.startsWith('/api/') ? { status: 200 } : undefined);
    await expect(pull()).rejects.toMatchObject({
      code: 'HUB_UNREACHABLE',
      message: expect.stringContaining('not as a Hugging Face hub'),
    });
  });

  it('do not read an answer that never ends', async () => {
    hub.fault = () => ({ endless: true });
    await expect(pull()).rejects.toMatchObject({
      code: 'HUB_UNREACHABLE',
      message: expect.stringContaining('longer than 64 MB'),
    });
  });

  it('say that a name, a revision or a file does not exist', async () => {
    await expect(pull('google/nothing', { HF_TOKEN: hub.token })).rejects.toMatchObject({ code: 'HUB_NOT_FOUND' });
    await expect(pull(`${ID}@v9`)).rejects.toMatchObject({
      code: 'HUB_NOT_FOUND',
      message: expect.stringContaining('revision v9'),
    });
    await hub.publish('google/empty', path.join(referenceFixture('text'), '..', '..', 'stats'));
    await expect(pull('google/empty')).rejects.toThrow('has no config.json');
    const older = await copyOfFixture('text');
    await rename(path.join(older, 'tokenizer.json'), path.join(older, 'spiece.model'));
    await hub.publish('google/mt5', older);
    await expect(pull('google/mt5')).rejects.toThrow(
      'has no tokenizer.json: its tokenizer stands in spiece.model alone',
    );
  });

  it('are survived by interrupting again and again', async () => {
    hub.fault = ({ host }) => (host === 'content' ? { millisecondsPerPiece: 100 } : undefined);
    const random = new Random('interrupt');
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 40 + random.below(60));
      await expect(pull(ID, {}, { signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    }
    const ranges = hub.requests.filter(({ range }) => range).length;
    expect(ranges).toBeGreaterThan(0);
    const { directory } = await pull();
    for (const name of (await readdir(directory)).filter(isShard)) {
      expect(await readFile(path.join(directory, name))).toEqual(
        await readFile(path.join(referenceFixture('sharded-bf16'), name)),
      );
    }
  });

  it('do not come from two processes that pull the same', async () => {
    hub.fault = () => ({ millisecondsPerPiece: 5 });
    const both = await Promise.all([pull(), pull()]);
    expect(both[0]).toEqual(both[1]);
    const shardDownloads = hub.requests.filter(({ host, url }) => host === 'content' && isShard(url));
    expect(shardDownloads).toHaveLength(3);
  });
});
