import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';

let hub: HubStandIn;
beforeAll(async () => {
  hub = await HubStandIn.start();
});
afterAll(() => hub.stop());

describe('a model by its name on the hub', () => {
  it('is pulled, run, and run again offline with the same numbers', async () => {
    const home = await temporaryFolder();
    const commit = await hub.publish('google/t5gemma-2-test', referenceFixture('text'), 'gated');
    const env = { HF_HOME: home, HF_ENDPOINT: hub.url, HF_TOKEN: hub.token };
    const run = (out: string, variables: NodeJS.ProcessEnv) =>
      dkv(['run', 'exp01', '--n', '4', '--model', 'google/t5gemma-2-test', '--out', path.join(home, out), '--json'], {
        env: variables,
      });
    const online = await run('online', env);
    expect(online.exitCode).toBe(0);
    expect(online.stderr).toContain('downloading');
    const summary = JSON.parse(online.stdout);
    expect(summary.configuration.model.name).toBe(`google/t5gemma-2-test@${commit.slice(0, 12)}`);

    hub.requests.length = 0;
    const offline = await run('offline', { HF_HOME: home, HF_ENDPOINT: hub.url, HF_HUB_OFFLINE: '1' });
    expect(offline.exitCode).toBe(0);
    expect(hub.requests).toEqual([]);
    expect(JSON.parse(offline.stdout)).toEqual(summary);
    for (const text of [online.stdout, online.stderr, offline.stdout, offline.stderr])
      expect(text).not.toContain(hub.token);
  });

  it('that is gated says how to get in, and never shows the token', async () => {
    await hub.publish('google/closed', referenceFixture('text'), 'gated');
    const env = { HF_HOME: await temporaryFolder(), HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_tokenOfSomebodyElse' };
    const { exitCode, stderr } = await dkv(['score', '--model', 'google/closed'], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`Accept its licence at ${hub.url}/google/closed`);
    expect(stderr).not.toContain('hf_tokenOfSomebodyElse');
  });

  it('never sends a token of the user to an address from .env', async () => {
    const folder = await temporaryFolder();
    const commit = await hub.publish('google/open', referenceFixture('text'), 'open');
    const home = path.join(folder, 'home');
    await mkdir(home);
    await writeFile(path.join(home, 'token'), hub.token);
    await writeFile(path.join(folder, '.env'), `HF_ENDPOINT=${hub.url}\nHF_TOKEN_PATH=${path.join(home, 'token')}\n`);
    hub.requests.length = 0;
    // The right address is one where nobody listens.
    const env = { HF_HOME: home, HF_ENDPOINT: 'http://127.0.0.1:9' };
    const pull = (variables: NodeJS.ProcessEnv) =>
      dkv(['models', 'pull', `google/open@${commit}`], { cwd: folder, env: variables });
    expect(await pull(env)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('HF_TOKEN_PATH in ') });
    expect(hub.requests).toEqual([]);
    await writeFile(path.join(folder, '.env'), `HF_TOKEN=${hub.token}\n`);
    const { exitCode, stdout, stderr } = await pull({ HF_HOME: home, HF_ENDPOINT: hub.url });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(home);
    expect(stderr).toContain(`HF_TOKEN is taken from ${path.join(folder, '.env')}.\n`);
    expect(stdout + stderr).not.toContain(hub.token);
    expect(hub.requests.some(({ authorization }) => authorization === `Bearer ${hub.token}`)).toBe(true);
  });

  it('gives way to a folder of that name', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'google'));
    await rename(await copyOfFixture('text'), path.join(folder, 'google/t5gemma-2-test'));
    const env = { HF_HOME: folder, HF_ENDPOINT: 'http://127.0.0.1:9' };
    const input = '{"document":"a","target":"b"}\n';
    const { exitCode, stdout } = await dkv(['score', '--model', 'google/t5gemma-2-test'], { cwd: folder, env, input });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).num_tokens).toBeGreaterThan(0);
  });
});
