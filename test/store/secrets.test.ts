/** What a program may log of what it holds: no password, no key. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { hubSettings } from '../../src/hub/settings.js';
import { llmSettings } from '../../src/llm/settings.js';
import { InProcessBackend } from '../../src/store/backends/in-process.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';

const SECRET = 'hunter2-of-the-store';

function shown(value: unknown): string {
  const views = [inspect(value), inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })];
  return [...views, JSON.stringify(value), String(value), JSON.stringify({ ...(value as object) })].join('\n');
}

it('a store shows neither the password of its address nor keys nor the salt, and hosts are told them', async () => {
  const s3 = { endpoint: 'http://127.0.0.1:1', credentials: { accessKeyId: `${SECRET}-id`, secretAccessKey: SECRET } };
  const store = await openStore('s3://bucket/ads', { s3, tenantSalt: `${SECRET}-salt` });
  onTestFinished(() => store.close());
  expect(shown(store)).not.toContain(SECRET);
  expect(shown({ items: [{ memory: { source: store } }] })).not.toContain(SECRET);
  expect(inspect(store)).toContain('s3://bucket/ads');
  expect(store.address).toMatchObject({ location: 's3://bucket/ads', options: { s3 } });

  const address = { location: `redis://user:${SECRET}@host:6379/0`, options: {} };
  const other = new DirectedStore(new InProcessBackend(Number.POSITIVE_INFINITY), '', address);
  expect(shown(other)).not.toContain(SECRET);
  expect(other.address).toBe(address);
});

it.skipIf(!existsSync(REDIS_SERVER))('what a server that refuses a password says of it shows no password', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const error: unknown = await openStore(`redis://user:${SECRET}@127.0.0.1:${server.port}`).catch((failure) => failure);
  expect(error).toMatchObject({ code: 'STORE_DENIED' });
  expect(shown(error)).not.toContain(SECRET);
});

it('settings show none either', async () => {
  const folder = await temporaryFolder();
  const llm = llmSettings({ DKV_LLM_BASE_URL: 'http://host/v1', DKV_LLM_MODEL: 'a', DKV_LLM_API_KEY: SECRET }, folder);
  const hub = hubSettings({ HF_TOKEN: SECRET, HF_HOME: folder }, folder);
  expect(shown(llm)).not.toContain(SECRET);
  expect(shown(hub)).not.toContain(SECRET);
});

it('a relative folder is the one of the working folder at the call', async () => {
  const before = process.cwd();
  const [here, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
  onTestFinished(() => process.chdir(before));
  process.chdir(here);
  const opening = openStore('ads');
  process.chdir(elsewhere);
  const store = await opening;
  onTestFinished(() => store.close());
  expect(await readdir(elsewhere)).toEqual([]);
  expect(await readdir(here)).toEqual(['ads']);
  expect(store.address).toMatchObject({ location: path.join(here, 'ads') });
});
