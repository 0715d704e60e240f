import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { llmSettings } from '../../src/llm/settings.js';
import { temporaryFolder } from '../support/fixtures.js';
import { watchWarnings } from '../support/warnings.js';

const given = { DKV_LLM_BASE_URL: 'http://127.0.0.1:9/v1/', DKV_LLM_MODEL: 'gemma' };

describe('settings of the language model', () => {
  it('are none when no endpoint is named', async () => {
    const nowhere = await temporaryFolder();
    expect(llmSettings({}, nowhere)).toBeUndefined();
    expect(llmSettings({ DKV_LLM_BASE_URL: ' ', DKV_LLM_MODEL: 'gemma' }, nowhere)).toBeUndefined();
  });

  it('are read from the environment', async () => {
    const nowhere = await temporaryFolder();
    expect(llmSettings(given, nowhere)).toEqual({
      baseUrl: 'http://127.0.0.1:9/v1',
      model: 'gemma',
      apiKey: undefined,
      pricePerMillionTokens: undefined,
    });
    const settings = llmSettings(
      { ...given, DKV_LLM_API_KEY: ' sk-private\n', DKV_LLM_PRICE_INPUT: '0.15', DKV_LLM_PRICE_OUTPUT: '.6' },
      nowhere,
    )!;
    expect(settings.apiKey!.reveal()).toBe('sk-private');
    expect(settings.pricePerMillionTokens).toEqual({ input: 0.15, output: 0.6 });
    expect(inspect(settings) + JSON.stringify(settings)).not.toContain('sk-private');
  });

  it('are read from .env for what the environment leaves open, but for the address', async () => {
    const folder = await temporaryFolder();
    const warnings = watchWarnings();
    await writeFile(
      path.join(folder, '.env'),
      'DKV_LLM_MODEL=from-file\nDKV_LLM_API_KEY="sk-file"\nDKV_LLM_MAX_TOKENS=200\nDKV_LLM_BASE_URL=http://evil.example/v1\n',
    );
    expect(llmSettings({ DKV_LLM_API_KEY: 'sk-mine' }, folder)).toBeUndefined();
    const settings = llmSettings({ DKV_LLM_BASE_URL: 'https://llm.example/v1' }, folder)!;
    expect(settings).toMatchObject({ baseUrl: 'https://llm.example/v1', model: 'from-file', maxTokens: 200 });
    expect(settings.apiKey!.reveal()).toBe('sk-file');
    expect(llmSettings({ ...given, DKV_LLM_MODEL: 'from-shell' }, folder)!.model).toBe('from-shell');
    // Each is said once.
    const file = path.join(folder, '.env');
    expect(await warnings()).toEqual([
      `DKV_LLM_BASE_URL in ${file} is ignored: addresses and paths are taken from the environment only (export DKV_LLM_BASE_URL=...).`,
      `DKV_LLM_API_KEY is taken from ${file}.`,
    ]);
  });

  it('name and size the limit of tokens', async () => {
    const nowhere = await temporaryFolder();
    const limited = { ...given, DKV_LLM_TOKEN_LIMIT: 'max_completion_tokens', DKV_LLM_MAX_TOKENS: '400' };
    expect(llmSettings(limited, nowhere)).toMatchObject({ tokenLimit: 'max_completion_tokens', maxTokens: 400 });
  });

  it.each([
    [{ DKV_LLM_BASE_URL: 'not an address' }, 'DKV_LLM_BASE_URL: expected an http'],
    [{ DKV_LLM_BASE_URL: 'ftp://host/v1' }, 'DKV_LLM_BASE_URL: expected an http'],
    [{ DKV_LLM_BASE_URL: 'https://me:s3cret@host/v1' }, 'without user, password'],
    [{ DKV_LLM_BASE_URL: 'https://host/v1?key=s3cret' }, 'DKV_LLM_API_KEY'],
    [{ DKV_LLM_MODEL: undefined }, 'DKV_LLM_MODEL: expected the name'],
    [{ DKV_LLM_API_KEY: 's3cret with spaces' }, 'DKV_LLM_API_KEY: expected letters'],
    [{ DKV_LLM_TOKEN_LIMIT: 'tokens' }, 'DKV_LLM_TOKEN_LIMIT: expected max_tokens or max_completion_tokens'],
    [{ DKV_LLM_MAX_TOKENS: 'many' }, 'DKV_LLM_MAX_TOKENS: expected a number'],
    [{ DKV_LLM_MAX_TOKENS: '0' }, 'DKV_LLM_MAX_TOKENS: '],
    [{ DKV_LLM_PRICE_INPUT: 'cheap' }, 'DKV_LLM_PRICE_INPUT: '],
    [{ DKV_LLM_PRICE_OUTPUT: '-1' }, 'DKV_LLM_PRICE_OUTPUT: '],
  ])('refuse %j', async (changes, message) => {
    const nowhere = await temporaryFolder();
    const read = () => llmSettings({ ...given, ...changes }, nowhere);
    expect(read).toThrow(expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }));
    expect(read).not.toThrow('s3cret');
  });
});
