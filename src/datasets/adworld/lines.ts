/**
 * AdWorld as JSON lines, one advertisement a line, for training and for looking at. Knows no file format but this one and writes
 * wherever the caller says.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ADWORLD_VERSION, type AdRange, DEFAULT_ADWORLD_SEED, generateAd } from './adworld.js';

/** Ads 0 to count - 1 of a split as JSON, without line ends. */
export function* adworldLines({ seed = DEFAULT_ADWORLD_SEED, split, count }: AdRange): Generator<string> {
  for (let index = 0; index < count; index++) {
    const { id, category, item, title, text, facts, questions, unanswerable } = generateAd({ seed, split, index });
    yield JSON.stringify({
      id,
      version: ADWORLD_VERSION,
      seed,
      category,
      item,
      title,
      text,
      facts,
      questions,
      unanswerable,
    });
  }
}

/** Writes the lines to a file; `-` is the standard output. Resolves when all is written. */
export async function writeAdworldLines(range: AdRange, output: string): Promise<void> {
  const stream = output === '-' ? process.stdout : createWriteStream(output);
  for (const line of adworldLines(range)) if (!stream.write(`${line}\n`)) await once(stream, 'drain');
  if (stream === process.stdout) return;
  stream.end();
  await finished(stream);
}
