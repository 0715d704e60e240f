import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { hubSettings } from '../../src/hub/settings.js';
import { parseModelReference } from '../../src/scoring/pull-model.js';
import { temporaryFolder } from '../support/fixtures.js';
import { watchWarnings } from '../support/warnings.js';

interface Expected {
  readonly endpoint: string;
  readonly cache: string;
  readonly token: string | null;
  readonly offline: boolean;
}
const ENVIRONMENTS: [Record<string, string>, Expected][] = JSON.parse(
  readFileSync(new URL('../fixtures/hub-environments.json', import.meta.url), 'utf8'),
);

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

  it('take tokens and switches from .env of the working folder, and no address or path', async () => {
    const folder = await temporaryFolder();
    const warnings = watchWarnings();
    await mkdir(path.join(folder, 'work'));
    await writeFile(path.join(folder, 'netrc'), 'machine-password');
    await writeFile(path.join(folder, 'token'), 'hf_login');
    const refused = {
      HF_ENDPOINT: 'http://evil.example',
      HF_HOME: path.join(folder, 'work'),
      HF_HUB_CACHE: path.join(folder, 'work'),
      HUGGINGFACE_HUB_CACHE: path.join(folder, 'work'),
      HF_TOKEN_PATH: path.join(folder, 'netrc'),
    };
    const lines = Object.entries(refused).map(([name, value]) => `${name}=${value}\n`);
    const file = path.join(folder, 'work/.env');
    await writeFile(file, `${lines.join('')}HF_HUB_OFFLINE=1\n`);
    const read = (environment: NodeJS.ProcessEnv) => hubSettings(environment, path.join(folder, 'work'));
    // The user's own token meets the user's own endpoint only.
    expect(read({ HF_HOME: folder })).toMatchObject({
      endpoint: 'https://huggingface.co',
      cacheDirectory: path.join(folder, 'hub'),
      tokenSource: path.join(folder, 'token'),
      offline: true,
    });
    expect(read({ HF_HOME: folder }).token!.reveal()).toBe('hf_login');
    await writeFile(file, 'HF_TOKEN="hf_dotenv"\nHF_ENDPOINT=http://evil.example\n');
    const mixed = read({ HF_HOME: folder, HF_ENDPOINT: 'http://from.shell' });
    expect(mixed).toMatchObject({ endpoint: 'http://from.shell', tokenSource: 'HF_TOKEN in .env', offline: false });
    expect(mixed.token!.reveal()).toBe('hf_dotenv');
    expect(read({ HF_HOME: folder, HF_TOKEN: 'hf_mine' }).token!.reveal()).toBe('hf_mine');
    const ignored = Object.keys(refused).filter((name) => name !== 'HF_HOME');
    expect(await warnings()).toEqual([
      ...ignored.map((name) => expect.stringContaining(`${name} in ${file} is ignored`)),
      `HF_TOKEN is taken from ${file}.`,
    ]);
  });

  it('are not taken from an .env that is no file of settings', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, '.env'));
    expect(hubSettings({ HF_HOME: folder }, folder).token).toBeUndefined();
  });

  // What huggingface_hub 2.4 makes of the same variables (tools/reference/make_hub_fixtures.py).
  it.each(ENVIRONMENTS)('equal those of huggingface_hub for %j', async (environment, expected) => {
    const home = await temporaryFolder();
    const placed = (text: string) => text.replaceAll('HERE', home);
    await mkdir(path.join(home, '.cache/huggingface'), { recursive: true });
    await mkdir(path.join(home, 'other'));
    await writeFile(path.join(home, '.cache/huggingface/token'), 'file-token\n');
    await writeFile(path.join(home, 'other/token'), 'other-token\n');
    const given = Object.entries({ HOME: 'HERE', ...environment }).map(([name, value]) => [name, placed(value)]);
    const { endpoint, cacheDirectory, token, offline } = hubSettings(Object.fromEntries(given), home);
    const found = { endpoint, cache: cacheDirectory, token: token?.reveal() ?? null, offline };
    expect(found).toEqual({ ...expected, cache: placed(expected.cache) });
  });

  it.each([
    [{ HF_ENDPOINT: 'htp://me:s3cret@host' }, 'HF_ENDPOINT is htp://[hidden]@host; expected an http'],
    [{ HF_ENDPOINT: 'huggingface.co' }, 'expected an http or https address'],
    [{ HF_TOKEN: 'machine s3cret' }, 'HF_TOKEN holds no token'],
    [{ HF_TOKEN: 's3cret\x07' }, 'HF_TOKEN holds no token'],
  ])('refuse %j', async (environment, message) => {
    const nowhere = await temporaryFolder();
    const read = () => hubSettings({ HF_HOME: nowhere, ...environment }, nowhere);
    expect(read).toThrow(expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }));
    expect(read).not.toThrow('s3cret');
  });

  it('send no other file that is named as the token', async () => {
    const nowhere = await temporaryFolder();
    await writeFile(path.join(nowhere, '.netrc'), 'machine host login me password s3cret\n');
    const environment = { HF_HOME: nowhere, HF_TOKEN_PATH: path.join(nowhere, '.netrc') };
    expect(() => hubSettings(environment, nowhere)).toThrow('.netrc holds no token');
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
