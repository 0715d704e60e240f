import { expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';

it('dkv doctor says what the machine has, and never the token', async () => {
  const hub = await HubStandIn.start();
  try {
    const token = 'hf_very_secret_token';
    const env = { HF_HOME: await temporaryFolder(), HF_ENDPOINT: hub.url, HF_TOKEN: token };
    const { exitCode, stdout, stderr } = await dkv(['doctor', '--json'], { env });
    expect(exitCode).toBe(0);
    expect(stdout + stderr).not.toContain(token);
    const checks: { name: string; state: string; message: string }[] = JSON.parse(stdout);
    const state = (name: string) => checks.find((check) => check.name === name)?.state;
    for (const name of ['Node', 'memory', 'token', 'hub', 'cpu', 'arithmetic'])
      expect([name, state(name)]).toEqual([name, 'ok']);
  } finally {
    await hub.stop();
  }
});

it('dkv doctor notes a hub that cannot be reached', async () => {
  const { exitCode, stdout } = await dkv(['doctor'], { env: { HF_ENDPOINT: 'http://127.0.0.1:9', HF_TOKEN: '' } });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^note +hub +http:\/\/127\.0\.0\.1:9/m);
  expect(stdout).toMatch(/^note +token +none/m);
});
