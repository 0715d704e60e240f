/** Corpora, plans and catalogues for tests of fleets, with the built-in model. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makePlan, type PlanOptions } from '../../src/fleet/make-plan.js';
import type { NamedPlan } from '../../src/fleet/plan.js';
import { BUILT_IN_MODEL, type Model } from '../../src/scoring/load-model.js';
import type { CatalogueFiles } from '../../src/store/generations/files.js';
import { GenerationReader } from '../../src/store/generations/layers.js';
import type { Generation } from '../../src/store/generations/manifest.js';
import { inspectEntry } from '../../src/store/records/entry.js';

export const HOW = { visibility: 'exact', statesPrecision: 'int8', maxTokens: 64 } as const;

/** A row, with its id, text and title. */
export function adOf(number: number, text = `Lamp number ${number} ${'for a desk '.repeat(number % 5)}`): string {
  return JSON.stringify({ id: `ad ${number}`, text, title: `Lamp ${number}`, price: number });
}

/** Rows, of which of two ids a later one counts or is rejected, and two are no documents. */
export function mixedRows(count: number): string[] {
  return [
    ...Array.from({ length: count }, (_, number) => adOf(number)),
    JSON.stringify({ id: 'ad 3', text: 'A later row', title: 'It counts' }),
    JSON.stringify({ id: 'ad 4', text: 'Without a title it is rejected' }),
    '{"id": "empty", "text": ""}',
    '{broken',
  ];
}

export async function writeRows(folder: string, name: string, rows: readonly string[]): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, rows.map((row) => `${row}\n`).join(''));
  return file;
}

/** About six rows a chunk, each document also behind its title. */
export function planned(
  files: CatalogueFiles,
  model: Model,
  inputs: string | readonly string[],
  options: Partial<PlanOptions> = {},
): Promise<NamedPlan> {
  return makePlan(files, model, {
    inputs: typeof inputs === 'string' ? [inputs] : inputs,
    reference: BUILT_IN_MODEL,
    precision: 'float32',
    how: HOW,
    chunkRows: 6,
    surrogates: ['title'],
    ...options,
  });
}

/** The ids of a generation's documents with their keys, each once, and how often each id was met. */
export async function documentsIn(files: CatalogueFiles, generation: Generation): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { slot, entry } of new GenerationReader(files, generation).documents()) {
    const { id, variants } = inspectEntry(entry, slot);
    if (found.has(id)) throw new Error(`${id} is there twice.`);
    found.set(id, JSON.stringify(variants));
  }
  return found;
}
