/** Where fixtures lie, and folders that go away with the test. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures');

/** Of T5Gemma 2. */
export const REFERENCE_FIXTURES = path.join(FIXTURES, 'reference');

/** Fixtures of every family, by its class in transformers. */
export const FAMILY_FIXTURES: Readonly<Record<string, string>> = {
  T5Gemma2ForConditionalGeneration: REFERENCE_FIXTURES,
  T5ForConditionalGeneration: path.join(FIXTURES, 'reference-t5'),
  BartForConditionalGeneration: path.join(FIXTURES, 'reference-bart'),
};

export function referenceFixture(name: string): string {
  return path.join(REFERENCE_FIXTURES, name);
}

/** An empty folder, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of a fixture, to be damaged. */
export async function copyOfFixture(name: string): Promise<string> {
  const folder = path.join(await temporaryFolder(), name);
  await cp(referenceFixture(name), folder, { recursive: true });
  return folder;
}
