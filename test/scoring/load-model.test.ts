/** What a model may be called, here and in a file elsewhere. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { BUILT_IN_MODEL, findModel, modelFrom } from '../../src/scoring/load-model.js';
import { temporaryFolder } from '../support/fixtures.js';

it('the built-in model has plain names, and a folder of such a name comes first', async () => {
  const folder = await temporaryFolder();
  for (const name of ['tiny', 'built-in']) {
    expect(await findModel(name)).toEqual({ directory: BUILT_IN_MODEL, name: 'tiny' });
    expect(modelFrom(name, folder)).toBe(name);
    await mkdir(path.join(folder, name));
    expect(modelFrom(name, folder)).toBe(path.join(folder, name));
  }
  expect(await findModel(path.join(folder, 'built-in'))).toEqual({
    directory: path.join(folder, 'built-in'),
    name: 'built-in',
  });
});
