/** A user's own experiment: a file of the form that the built-in ones have, in YAML or JSON, or a module that exports one. */
import path from 'node:path';
import { DkvError, messageOf } from '../../base/errors.js';
import { readText } from '../../base/text-input.js';
import { datasetFrom } from '../../datasets/open.js';
import { modelFrom } from '../../scoring/load-model.js';
import type { DeclaredExperiment } from './declared.js';
import { parseExperiment } from './define.js';

const DATA = ['.yaml', '.yml', '.json'];
const MODULES = ['.ts', '.mts', '.js', '.mjs'];

/** Tells whether this is the name of a file rather than of an experiment. */
export function isExperimentFile(name: string): boolean {
  return [...DATA, ...MODULES].includes(path.extname(name));
}

/**
 * Reads an experiment from a file. Paths of data and models in the file are relative to its folder; the result holds them as absolute paths.
 * @throws DkvError INPUT_INVALID
 */
export async function readExperiment(file: string): Promise<DeclaredExperiment> {
  const invalid = (message: string, cause?: unknown) => new DkvError('INPUT_INVALID', `${file}: ${message}`, { cause });
  let declaration: unknown;
  try {
    declaration = DATA.includes(path.extname(file)) ? await readData(file) : await readModule(file);
  } catch (error) {
    if (error instanceof DkvError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw invalid('no such file.', error);
    throw invalid(`cannot be read as an experiment: ${messageOf(error)}`, error);
  }
  if (typeof declaration !== 'object' || declaration === null) {
    throw invalid('holds no experiment. A module exports one as its default, a YAML file is one.');
  }
  try {
    return await withPathsFrom(path.dirname(path.resolve(file)), parseExperiment(declaration));
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
}

async function withPathsFrom(folder: string, experiment: DeclaredExperiment): Promise<DeclaredExperiment> {
  const { data, model } = experiment;
  return {
    ...experiment,
    ...(data && { data: { ...data, dataset: await datasetFrom(data.dataset, folder) } }),
    ...(model !== undefined && { model: modelFrom(model, folder) }),
  };
}

async function readData(file: string): Promise<unknown> {
  const { parse } = await import('yaml');
  return parse(await readText(file));
}

/** Loads a module under any Node version: types are stripped on the way in, and `directed-kvcache` resolves to this very package. */
async function readModule(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  // Run from source, as the tests do, it is still the built one: all of the source would be translated for it.
  const isSource = import.meta.filename.endsWith('.ts');
  const index = path.resolve(import.meta.dirname, isSource ? '../../../dist/index.js' : '../../index.js');
  const jiti = createJiti(import.meta.url, { alias: { 'directed-kvcache': index }, fsCache: false });
  return jiti.import(path.resolve(file), { default: true });
}
