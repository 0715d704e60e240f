/**
 * AdWorld as JSON lines, one advertisement a line, for training and for looking at. Knows no file.
 */
import { adSchema } from '../wire/adworld.js';
import { jsonText } from '../wire/text.js';
import { type AdRange, DEFAULT_ADWORLD_SEED, generateAd } from './adworld.js';
import { ADWORLD_VERSION } from './version.js';

/** Ads 0 to count - 1 of a split as JSON, without line ends. */
export function* adworldLines({ seed = DEFAULT_ADWORLD_SEED, split, count }: AdRange): Generator<string> {
  for (let index = 0; index < count; index++) {
    const ad = generateAd({ seed, split, index });
    yield jsonText(adSchema, { ...ad, version: ADWORLD_VERSION, seed });
  }
}
