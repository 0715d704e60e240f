/**
 * Does int8 hold what float32 gives? Rounding to 8 bits is harmless for most models and not for all: where a few channels are far larger than the
 * others, those lose their digits. So the drift of NLLs is measured on a fixed text while a model is compiled, and what drifts far is refused.
 */
import { type DriftOptions, measureDrift } from './engine/drift.js';
import { DkvError } from './errors.js';
import type { Checkpoint } from './model/checkpoint.js';
import type { CompiledModel, Drift } from './model/compile.js';
import type { Tokenizer } from './model/tokenizer.js';

/** Mean absolute drift, in nats a token. The effects of priming that experiments find are of the order of a tenth. */
export const DRIFT_NOTICE = 0.02;
export const DRIFT_REFUSAL = 0.05;

/** What the encoder reads, and what is scored given it: several kinds of text, so that many channels of a model are at work. */
const TEXTS: readonly (readonly [document: string, target: string])[] = [
  [
    'Harbour Lane Cycles repairs bicycles of every make. A full service costs 45 euros and takes two working days; punctures are mended while you wait. Open Monday to Saturday from 9 to 18.',
    'What does a full service of a bicycle cost, and how long does it take?',
  ],
  [
    'The Aral Sea was once the fourth largest lake in the world. After the rivers that feed it were diverted to irrigate cotton fields in the 1960s, it lost nine tenths of its water within fifty years.',
    'It lost nine tenths of its water because the rivers were diverted to irrigate cotton.',
  ],
  [
    'Model KX-200 desk lamp, brushed steel, 9 W LED, 800 lumens, three levels of brightness, USB-C socket. Height 42 cm. Price: $59.90 including shipping. Two years of guarantee.',
    'The lamp is 42 cm high, gives 800 lumens and costs $59.90.',
  ],
  [
    'To make the dough, mix 500 g of flour with 325 ml of lukewarm water, 10 g of salt and 5 g of yeast. Knead for ten minutes, let it rest for an hour, and bake it at 240 degrees for half an hour.',
    'how long do you bake bread and at what temperature',
  ],
  [
    'The meeting of the city council on 14 March was adjourned after four hours. Councillors could not agree on the budget for schools, and the vote will be repeated in April, the mayor said.',
    'The vote on the budget will be repeated in April.',
  ],
  [
    'In a sorted array, binary search halves the interval that can contain the key at each step, so that it needs at most about log2(n) comparisons. A linear scan needs n of them in the worst case.',
    'Binary search needs at most about log2(n) comparisons.',
  ],
  [
    'Aspirin should not be given to children under sixteen without advice from a doctor. Side effects include stomach pain and, rarely, bleeding. Do not take it together with other blood thinners.',
    'Can children take aspirin? Not without advice from a doctor.',
  ],
  [
    'Guesthouse Alpenblick: twelve rooms with balcony and a view of the lake, breakfast included, dogs welcome. Double room from 98 euros a night, ten per cent off for stays of a week or longer.',
    'Are dogs allowed, and is breakfast included in the price of the room?',
  ],
];

/**
 * Measures a compiled model on this package's text.
 * @throws what `measureDrift` throws
 */
export function measureTextDrift(
  checkpoint: Checkpoint,
  compiled: CompiledModel,
  tokenizer: Tokenizer,
  options: DriftOptions = {},
): Promise<Drift> {
  const { bosTokenId } = compiled.config;
  const samples = TEXTS.map(([document, target]) => ({
    tokenIds: Int32Array.from([bosTokenId, ...tokenizer.encode(document)]),
    target: tokenizer.encode(target),
  }));
  return measureDrift(checkpoint, compiled, samples, options);
}

/** In words, for users. */
export function describeDrift({ meanAbsolute, mean, largest, tokens }: Drift): string {
  const sign = mean < 0 ? '-' : '+';
  return `NLLs differ from float32's by ${meanAbsolute.toFixed(3)} nats a token in the mean (${sign}${Math.abs(mean).toFixed(3)} with their signs; at most ${largest.toFixed(2)}; ${tokens} tokens)`;
}

/**
 * @param name of the model
 * @returns what the user should be told; undefined where the drift is small
 * @throws DkvError DRIFT_LARGE, unless it is to be ignored
 */
export function driftNotice(name: string, drift: Drift, ignoreDrift = false): string | undefined {
  if (drift.meanAbsolute <= DRIFT_NOTICE) return undefined;
  const found = `As int8, ${name}: ${describeDrift(drift)}.`;
  if (drift.meanAbsolute > DRIFT_REFUSAL && !ignoreDrift) {
    throw new DkvError(
      'DRIFT_LARGE',
      `${found} More than ${DRIFT_REFUSAL} would hide what experiments look for. Use --precision bfloat16 or float32, or go on with --ignore-drift.`,
    );
  }
  return `${found} Effects of this size cannot be told from rounding.`;
}
