/**
 * Odd files, with what the safetensors library says of each: tools/reference/make_safetensors_fixtures.py made them and asked it.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../src/model/files/safetensors.js';
import { temporaryFolder } from '../support/fixtures.js';

interface OddFile {
  readonly name: string;
  readonly base64: string;
  /** Why the library refuses it, if it does. */
  readonly error: string | null;
}

const { files } = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../fixtures/safetensors/odd.json'), 'utf8'),
) as { files: OddFile[] };

/** Refused here though the library opens them: no name stands for two things, no list for a tensor. */
const STRICTER = [
  'the same name twice, alike',
  'the same name twice, one of them escaped',
  'an unknown field twice',
  'a tensor as a list',
];

describe('odd safetensors files', () => {
  it.each(files)('$name', async ({ name, base64, error }) => {
    const file = path.join(await temporaryFolder(), 'odd.safetensors');
    await writeFile(file, Buffer.from(base64, 'base64'));
    const opened = await readHeader(file).then(
      (tensors) => [...tensors.keys()],
      (reason: unknown) => {
        expect(reason).toMatchObject({ code: 'CHECKPOINT_INVALID', message: expect.stringContaining(file) });
        return undefined;
      },
    );
    expect(opened !== undefined).toBe(error === null && !STRICTER.includes(name));
  });

  it('are of both kinds', () => {
    expect(files.filter(({ error }) => error === null).length).toBeGreaterThan(30);
    expect(files.filter(({ error }) => error !== null).length).toBeGreaterThan(60);
  });
});
