import { describe, expect, it } from 'vitest';
import { tryDevice } from '../../src/devices/trial.js';
import { doctorSchema } from '../../src/wire/models.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';
import { tellSkipped } from '../support/webgpu.js';

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

/** Whether WebGPU starts here, in software too. */
const hasAdapter = await tryDevice(
  { device: 'webgpu', precision: 'float32', measures: false },
  { cacheDirectory: '/nowhere' },
).then(
  () => true,
  (error) => {
    tellSkipped(error);
    return false;
  },
);

describe('dkv doctor --device', () => {
  const checksOf = async (...args: string[]) => {
    const { exitCode, stdout } = await dkv(['doctor', '--json', '--device', ...args]);
    const checks = doctorSchema.parse(JSON.parse(stdout));
    expect(exitCode).toBe(checks.some(({ state }) => state === 'problem') ? 1 : 0);
    return checks;
  };

  it('tells of one device alone: its start, its numbers, its speed', async () => {
    const checks = await checksOf('cpu');
    expect(checks.map(({ name, state }) => [name, state])).toEqual([
      ['cpu', 'ok'],
      ['arithmetic', 'ok'],
      ['speed', 'ok'],
    ]);
    expect(checks[2]!.measured).toEqual([{ value: expect.any(Number), unit: 'GFLOP/s' }]);
  });

  it('measures nothing on a device that does not start', async () => {
    const [first, ...others] = await checksOf('cuda');
    expect(first!.name).toBe('cuda');
    if (first!.state === 'problem') expect(others).toEqual([]);
  });

  it.runIf(hasAdapter)('has the numbers and the copies of WebGPU', async () => {
    const checks = await checksOf('webgpu');
    expect(checks.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok']);
    expect(checks[2]!.measured!.map(({ unit }) => unit)).toEqual([
      'GFLOP/s',
      'GB/s to the device',
      'GB/s from the device',
    ]);
    for (const { value } of checks[2]!.measured!) expect(value).toBeGreaterThan(0);
  });

  it.each([
    [['--device', 'gpu'], /Allowed choices are cpu, cuda/],
    [['--device', 'webgpu', '--precision', 'tf32'], /DEVICE_UNAVAILABLE.*"cuda" only/],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await dkv(['doctor', ...args]);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
