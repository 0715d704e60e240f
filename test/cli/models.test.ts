import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { copyOfFixture, temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';

const ID = 'google/t5gemma-2-test';
let hub: HubStandIn;
beforeAll(async () => {
  hub = await HubStandIn.start();
});
afterAll(() => hub.stop());

describe('dkv models', () => {
  it('brings, lists, describes, compiles and removes a model', async () => {
    const home = await temporaryFolder();
    const env = { HF_HOME: home, HF_ENDPOINT: hub.url, DKV_CACHE: path.join(home, 'dkv') };
    const folder = await copyOfFixture('text');
    await writeFile(
      path.join(folder, 'README.md'),
      '---\nlibrary_name: transformers\nlicense: gemma\n---\n# A model\n',
    );
    const commit = await hub.publish(ID, folder);
    const models = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await dkv(['models', ...args], { env });
      expect({ exitCode, args, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, args, stderr: '' });
      return stdout;
    };

    const pulled = await models('pull', ID);
    expect(pulled).toContain(`${ID}@${commit.slice(0, 12)}`);
    expect(pulled).toContain('licence: gemma');

    const listed = JSON.parse(await models('list', '--json'));
    expect(listed.checkpoints).toContainEqual(
      expect.objectContaining({ name: ID, commit, size_bytes: expect.any(Number) }),
    );
    expect(listed.compiled).toEqual([]);
    expect(await models('list')).toContain(ID);

    const compiled = (await models('compile', ID, '--precision', 'bfloat16')).trim();
    expect(existsSync(path.join(compiled, 'encoder.onnx'))).toBe(true);
    const info = JSON.parse(await models('info', ID, '--json'));
    expect(info).toMatchObject({
      licence: 'gemma',
      vocabulary: 512,
      stored_as: ['F32'],
      compiled: [{ precision: 'bfloat16', directory: compiled, weights_digest: info.weights_digest }],
    });
    expect(await models('info', ID)).toContain('compiled bfloat16');

    expect(await models('rm', ID)).toContain(compiled);
    expect(existsSync(compiled)).toBe(false);
    await models('rm', ID, '--checkpoint');
    expect(JSON.parse(await models('list', '--json')).checkpoints.map((c: { name: string }) => c.name)).not.toContain(
      ID,
    );
  });

  it('verifies what is compiled, and removes what is damaged', async () => {
    const cache = await temporaryFolder();
    const folder = await copyOfFixture('text');
    const run = (...args: string[]) => dkv(['models', ...args], { env: { DKV_CACHE: cache } });
    const compiled = (await run('compile', folder)).stdout.trim();
    const rounded = (await run('compile', folder, '--precision', 'bfloat16')).stdout.trim();
    expect((await run('verify')).stdout.trim().split('\n').sort()).toEqual(
      [`intact    ${compiled}`, `intact    ${rounded}`].sort(),
    );
    const weights = path.join(compiled, 'weights.bin');
    const bytes = await readFile(weights);
    bytes[bytes.length >> 1]! ^= 4;
    await writeFile(weights, bytes);
    const found = await run('verify', folder, '--json');
    expect(found.exitCode).toBe(1);
    const damage = expect.stringMatching(/weights\.bin has the digest [0-9a-f]{64}, what was written [0-9a-f]{64}/);
    expect(JSON.parse(found.stdout)).toEqual({
      models: expect.arrayContaining([{ directory: compiled, damage }, { directory: rounded }]),
    });
    const refused = await run('compile', folder);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('CACHE_DAMAGED') });
    expect(refused.stderr).toContain('dkv models verify --remove');
    const mended = await run('verify', '--remove');
    expect(mended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`removed   ${compiled}`) });
    expect(existsSync(compiled)).toBe(false);
    expect((await run('compile', folder)).stdout.trim()).toBe(compiled);
    expect((await run('verify')).exitCode).toBe(0);
  });

  it('does not remove a folder of the user', async () => {
    const folder = await copyOfFixture('text');
    const { exitCode, stderr } = await dkv(['models', 'rm', folder, '--checkpoint']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('is a folder of yours and stays');
    expect((await readFile(path.join(folder, 'config.json'))).length).toBeGreaterThan(0);
  });

  it('says that a path cannot be pulled', async () => {
    expect(await dkv(['models', 'pull', './here'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('organisation/name'),
    });
  });
});
