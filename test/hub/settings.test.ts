import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseModelReference } from '../../src/hub/pull-model.js';
import { hubSettings, Secret } from '../../src/hub/settings.js';
import { temporaryFolder } from '../support/fixtures.js';

describe('hub settings', () => {
  it('have the defaults of Python', async () => {
    const nowhere = await temporaryFolder();
    expect(hubSettings({ XDG_CACHE_HOME: nowhere }, nowhere)).toEqual({
      endpoint: 'https://huggingface.co',
      cacheDirectory: path.join(nowhere, 'huggingface/hub'),
      token: undefined,
      tokenSource: undefined,
      offline: false,
    });
    expect(hubSettings({}, nowhere).cacheDirectory).toBe(path.join(os.homedir(), '.cache/huggingface/hub'));
  });

  it('follow the environment', async () => {
    const home = await temporaryFolder();
    const settings = hubSettings(
      { HF_HOME: home, HF_ENDPOINT: 'http://127.0.0.1:9/', HF_HUB_OFFLINE: 'TRUE', HF_TOKEN: ' hf_one\n' },
      home,
    );
    expect(settings).toMatchObject({
      endpoint: 'http://127.0.0.1:9',
      cacheDirectory: path.join(home, 'hub'),
      offline: true,
      tokenSource: 'HF_TOKEN',
    });
    expect(settings.token!.reveal()).toBe('hf_one');
    expect(hubSettings({ HF_HOME: home, HF_HUB_CACHE: '/elsewhere' }, home).cacheDirectory).toBe('/elsewhere');
  });

  it('take the token from the variable, else from the file', async () => {
    const home = await temporaryFolder();
    await writeFile(path.join(home, 'token'), 'hf_login\n');
    expect(hubSettings({ HF_HOME: home }, home)).toMatchObject({ tokenSource: path.join(home, 'token') });
    await writeFile(path.join(home, 'other'), 'hf_other');
    const other = hubSettings({ HF_HOME: home, HF_TOKEN_PATH: path.join(home, 'other') }, home);
    expect(other.token!.reveal()).toBe('hf_other');
    expect(hubSettings({ HF_HOME: home, HF_TOKEN: 'hf_variable' }, home).token!.reveal()).toBe('hf_variable');
  });

  it('read .env of the working folder for what the environment leaves open', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'work'));
    await writeFile(path.join(folder, 'work/.env'), 'HF_TOKEN="hf_dotenv"\nHF_ENDPOINT=http://from.dotenv\n');
    const settings = hubSettings({ HF_HOME: folder, HF_ENDPOINT: 'http://from.shell' }, path.join(folder, 'work'));
    expect(settings.endpoint).toBe('http://from.shell');
    expect(settings.token!.reveal()).toBe('hf_dotenv');
  });
});

describe('a secret', () => {
  it('does not show in any of the usual ways', () => {
    const secret = new Secret('hf_veryPrivate');
    const shown = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(secret, { showHidden: true }),
    ];
    for (const text of shown) expect(text).not.toContain('hf_very');
  });
});

describe('a model reference', () => {
  it.each([
    ['google/t5gemma-2-270m-270m', { repository: 'google/t5gemma-2-270m-270m', revision: 'main' }],
    ['org/name@v1.0', { repository: 'org/name', revision: 'v1.0' }],
    ['org/name@refs/pr/3', { repository: 'org/name', revision: 'refs/pr/3' }],
    ['./org/name', undefined],
    ['/org/name', undefined],
    ['../name', undefined],
    ['name', undefined],
    ['a/b/c', undefined],
    ['org/name@', undefined],
  ])('%s', (text, reference) => {
    expect(parseModelReference(text)).toEqual(reference);
  });
});
