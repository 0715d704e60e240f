import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { type CompileOptions, compileModel } from '../../src/model/compile.js';
import { expectIntact } from '../../src/model/compiled-folder.js';
import { DigestMemory } from '../../src/model/files/digests.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { writeLargeCheckpoint } from '../support/large-checkpoint.js';

const options = (cacheDirectory: string): CompileOptions => ({
  precision: 'float32',
  embeddingScale: 'exact',
  cacheDirectory,
});

describe('compile', () => {
  it('makes a folder of graphs and weights once, and finds it again', async () => {
    const cache = await temporaryFolder();
    const checkpoint = await openCheckpoint(referenceFixture('several-kv-heads'));
    const first = await compileModel(checkpoint, options(cache));
    expect((await readdir(first.directory)).sort()).toEqual([
      'cross.onnx',
      'encoder.onnx',
      'generate.onnx',
      'manifest.json',
      'score.onnx',
      'weights.bin',
    ]);
    const before = await stat(path.join(first.directory, 'weights.bin'));
    const again = await compileModel(checkpoint, options(cache));
    expect(again).toEqual(first);
    expect((await stat(path.join(first.directory, 'weights.bin'))).mtimeMs).toBe(before.mtimeMs);
    expect(await readdir(path.join(cache, 'models'))).toHaveLength(1);
  });

  it('is another folder for another embedding scale', async () => {
    const cache = await temporaryFolder();
    const checkpoint = await openCheckpoint(referenceFixture('bfloat16-scale'));
    const exact = await compileModel(checkpoint, options(cache));
    const rounded = await compileModel(checkpoint, { ...options(cache), embeddingScale: 'bfloat16' });
    expect(rounded.directory).not.toBe(exact.directory);
  });

  it('does not take new weights under an old name for the old ones', async () => {
    const cache = await temporaryFolder();
    const folder = await copyOfFixture('one-kv-head');
    const old = await compileModel(await openCheckpoint(folder), options(cache));
    const weights = path.join(folder, 'model.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(`${weights}.new`, bytes);
    await rename(`${weights}.new`, weights);
    const swapped = await compileModel(await openCheckpoint(folder), options(cache));
    expect(swapped.weightsDigest).not.toBe(old.weightsDigest);
    expect(swapped.directory).not.toBe(old.directory);
  });

  it('does not load a file with a flipped bit, and names the command that mends it', async () => {
    const cache = await temporaryFolder();
    const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
    const { directory } = await compileModel(checkpoint, options(cache));
    const random = new Random('flips', 1);
    for (const name of await readdir(directory)) {
      const file = path.join(directory, name);
      const bytes = await readFile(file);
      for (let flip = 0; flip < 6; flip++) {
        const damaged = Buffer.from(bytes);
        damaged[random.below(bytes.length)]! ^= 1 << random.below(8);
        await writeFile(file, damaged);
        await expect(compileModel(checkpoint, options(cache)), name).rejects.toMatchObject({
          code: 'CACHE_DAMAGED',
          message: expect.stringMatching(new RegExp(`${directory}: ${name} .*"dkv models verify --remove"`)),
        });
      }
      await writeFile(file, bytes);
    }
    expect((await compileModel(checkpoint, options(cache))).directory).toBe(directory);
  });

  it('does not load what is cut off, missing, or that of another model', async () => {
    const cache = await temporaryFolder();
    const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
    const { directory } = await compileModel(checkpoint, options(cache));
    const refused = () =>
      expect(compileModel(checkpoint, options(cache))).rejects.toMatchObject({ code: 'CACHE_DAMAGED' });
    const other = await compileModel(checkpoint, { ...options(cache), embeddingScale: 'bfloat16' });
    await cp(directory, path.join(cache, 'kept'), { recursive: true });
    await rm(directory, { recursive: true });
    await cp(other.directory, directory, { recursive: true });
    await refused();
    for (const damage of [
      () => truncate(path.join(directory, 'weights.bin'), 1000),
      () => rm(path.join(directory, 'encoder.onnx')),
      () => writeFile(path.join(directory, 'manifest.json'), '{"format":'),
    ]) {
      await rm(directory, { recursive: true });
      await cp(path.join(cache, 'kept'), directory, { recursive: true });
      await compileModel(checkpoint, options(cache));
      await damage();
      await refused();
    }
  });

  it('remembers what it checked: a file that is not touched is not read again', async () => {
    const cache = await temporaryFolder();
    const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
    const { directory, files } = await compileModel(checkpoint, options(cache));
    const reads = async () => {
      const memory = new DigestMemory(cache);
      let bytes = 0;
      await expectIntact(directory, files, { memory, onBytes: (read) => (bytes += read) });
      return bytes;
    };
    expect(await reads()).toBe(0);
    const now = new Date();
    await utimes(path.join(directory, 'weights.bin'), now, now);
    expect(await reads()).toBe(files.find(({ name }) => name === 'weights.bin')!.sizeBytes);
    expect(await reads()).toBe(0);
    // A damaged note is no note.
    for (const name of await readdir(path.join(cache, 'digests'))) {
      const note = path.join(cache, 'digests', name);
      await writeFile(
        note,
        (await readFile(note, 'utf8')).replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
      );
    }
    expect(await reads()).toBe(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  });

  it('stops when told to and leaves nothing behind', async () => {
    const cache = await temporaryFolder();
    const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const stopped = compileModel(checkpoint, { ...options(cache), onProgress, signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await readdir(path.join(cache, 'models'))).toEqual([]);
  });

  it('reports progress up to the size of the weights', async () => {
    const cache = await temporaryFolder();
    const seen: [number, number][] = [];
    const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
    await compileModel(checkpoint, { ...options(cache), onProgress: (done, total) => seen.push([done, total]) });
    expect(seen.map(([done]) => done)).toEqual([...seen.map(([done]) => done)].sort((a, b) => a - b));
    const [done, total] = seen.at(-1)!;
    expect(total - done).toBeGreaterThanOrEqual(0);
    expect(total - done).toBeLessThan(4096);
  });
});

describe('compile of a large checkpoint, in a process of its own', () => {
  const VOCABULARY = 400_000;
  let folder: string;

  beforeAll(async () => {
    folder = path.join(process.env.TMPDIR ?? '/tmp', `dkv-large-${process.pid}`);
    await mkdir(folder, { recursive: true });
    await writeLargeCheckpoint(folder, VOCABULARY);
    return () => rm(folder, { recursive: true, force: true });
  });

  /** Compiles and prints its peak memory; with a share given it prints `reached` there, rests and goes on. */
  function compileInChild(cache: string, share = 2, pauseMs = 0) {
    const script = path.resolve(import.meta.dirname, '../support/compile-child.ts');
    return spawn(process.execPath, ['--import', 'tsx', script, folder, cache, String(share), String(pauseMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  it('needs memory well below the size of what it writes', async () => {
    const cache = await temporaryFolder();
    const child = compileInChild(cache);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    expect((await once(child, 'exit'))[0]).toBe(0);
    const { startBytes, peakBytes, weightsBytes } = JSON.parse(output);
    expect(weightsBytes).toBeGreaterThan(200e6);
    expect(peakBytes - startBytes).toBeLessThan(weightsBytes / 2);
  });

  it('is done by one of two processes, while the other waits', async () => {
    const cache = await temporaryFolder();
    const first = compileInChild(cache, 0.05, 4000);
    await once(first.stdout, 'data');
    const second = compileInChild(cache);
    let output = '';
    second.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const codes = await Promise.all([first, second].map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0]);
    expect(output).toContain(`waiting for process ${first.pid}`);
    expect(JSON.parse(output.split('\n')[1]!).weightsBytes).toBe(0);
    expect(await readdir(path.join(cache, 'models'))).toHaveLength(1);
  });

  it('leaves nothing that loads when it is killed, and cleans up the next time', async () => {
    const cache = await temporaryFolder();
    const models = path.join(cache, 'models');
    for (const share of [0.1, 0.6]) {
      const child = compileInChild(cache, share);
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const left = await readdir(models);
      expect(left.every((name) => name.startsWith('partial-'))).toBe(true);
      expect(left.length).toBeGreaterThan(0);
    }
    const { directory } = await compileModel(await openCheckpoint(folder), options(cache));
    expect(await readdir(models)).toEqual([path.basename(directory)]);
  });
});
