/**
 * Does int8 hold what float32 gives? Rounding to 8 bits is harmless for most models and not for all: where a few channels are far larger than the
 * others, those lose their digits. So the drift of NLLs is measured on a fixed text while a model is compiled, and what drifts far is refused. The same is asked
 * of 16 bits where a device computes in them (device-drift.ts).
 */

import { DkvError } from '../base/errors.js';
import { type DriftOptions, type DriftSample, measureDrift } from '../engine/drift.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { CompiledModel } from '../model/compiled.js';
import type { Drift } from '../model/manifest.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';

/**
 * The mean absolute drift, in nats per token, above which users are told. The effects of priming that experiments find are of the order of a tenth.
 */
export const DRIFT_NOTICE = 0.02;
export const DRIFT_REFUSAL = 0.05;

interface Text {
  readonly document: string;
  readonly questions: readonly (readonly [query: string, answer: string])[];
}

/** Advertisements with queries and their answers: texts of the kind that this package is for, with names, numbers and prices. */
const TEXTS: readonly Text[] = [
  {
    document:
      'Who would like to drive my Vastevia ZR-770? It is a station wagon in silver gray. New inspection due July next year, Cost: EUR 15,300, Motor 121 horsepower, Fuel type: natural gas, Mileage of the car: 212,000 km, Find us at 6 Balra Square, Wiltobridge, The price includes a set of winter tires and a roof rack, Ring (303) 555-0176, Year of construction: 2003. The engine does not run on gasoline. The photo shows the beige one of last year. The number for faxes is 0161 496 0964.',
    questions: [
      ['Find the year of construction', '2003'],
      ['Show me what I pay for the station wagon', 'EUR 15,300'],
    ],
  },
  {
    document:
      'Do you need a card game? Take a look at the Hungry Beetle. Recommended for clever minds - You can return it for 76 days - Under warranty for 60 months - Open to visitors from 5 - Cost: £11 - The price includes a cloth bag, a rule book and a tin box - Delivered within 4 working days - Material used: recycled paper. The price does not include a score pad. A good buy for many years.',
    questions: [
      ['How much is the card game?', '£11'],
      ['who should use Hungry Beetle', 'clever minds'],
    ],
  },
  {
    document:
      'Do you need a smartwatch? Take a look at the Lindvisen Cricket Plus. Nobody will love it more than beginners. The price covers a second strap, while you pay extra for a screen cover. At checkout the code Z6Y8Z gives you a discount. Send it back within 92 days, sale items within seven days. The price was EUR 225 and is now EUR 176 for the smartwatch. A full battery lasts nine days; with the older model it was eight days. A good buy for many years.',
    questions: [
      ['how much is the smartwatch', 'EUR 176'],
      ['for how long smartwatch run without charging', 'nine days'],
    ],
  },
  {
    document:
      'We invite you to the wine festival Lucky Pear Fest! We expect 30 stalls after 24 stalls last year. If you belong to the teachers, you save 12%. The price was €22 and is now €15.95 for the entry ticket. Everything else can be found online at www.lucky-pear-fest.example. Our phone is 020 7946 0340 and our fax 0161 496 0788. Please park at the end of the road and not in front of the church. Find us at the Dalbowell Square in Tremlostead. We have moved it from August 17 to September 15.',
    questions: [
      ['when is Lucky Pear Fest', 'September 15'],
      ['where is Lucky Pear Fest', 'the Dalbowell Square in Tremlostead'],
    ],
  },
  {
    document:
      'Do you need a phrasebook? Read Modest Lantern. Its customers are happy: 4.1 out of 5. You wait 4 to 5 days for your delivery, on the islands 1 week. The phrasebook was written by Sonja Rosfalow with pictures by Nadia Olmdaman. There are 224 pages in the new edition. It is best for people who travel a lot, but we do not recommend it for beginners. The standard shipping fee is EUR 4.95. Enter the code MELODY15, since SUMMER20 is no longer valid. You can have the phrasebook for EUR 12.50. Take a look at www.modest-lantern.example on the web. A good present for a friend.',
    questions: [
      ['what do I pay for the phrasebook now', 'EUR 12.50'],
      ['Find the cost of standard shipping', 'EUR 4.95'],
    ],
  },
  {
    document:
      'Do you know The Marble Table? It is a cheese shop that we love. You can enjoy a play corner for children at The Marble Table. Today the price for the cheese plate is EUR 20; the earlier price was EUR 28. There is free parking across the street. By phone you reach us at 0161 496 0548. The cheese shop is open 9:30 to 20:00 on weekdays. Please note that there is no tasting table. Our Sunday hours are 10:00 to 14:30. You will meet Bianca Plinsowood, who runs the cheese shop. The cheese shop has been here since 1895.',
    questions: [
      ['what number ring reach The Marble Table', '0161 496 0548'],
      ['Name the special feature of the cheese shop', 'a play corner for children'],
    ],
  },
  {
    document:
      'Here is the Bramdomont Quill 9, a scarf that we like a lot. Nobody will love it more than cyclists. On the scales it shows 130 g. The weight of the older model was 220 g. The price was $87 and is now $54.50 for the scarf. If you do not like the scarf, you have 60 days to return it. You wait 4 working days for your delivery, on the islands 2 weeks. You pay $2.50 for standard shipping. You can return sale items within 13 days. Get yours before they are gone.',
    questions: [
      ['what pay for scarf now', '$54.50'],
      ['How long may I send the scarf back?', '60 days'],
    ],
  },
  {
    document:
      'Little Table Evenings is an organ concert for you and your friends. Call 020 7946 0028 or send your fax to 01632 960484. Our web address is www.little-table-evenings.example, no longer www.lazy-sailor.example. All it takes to make the ticket yours is 53.99 euros. The date of the organ concert is Monday, 21 August. Hear and see The Wandering Turnip Band on stage. The code that works now is X9V8X. The code X6R5Z is no longer valid. You should plan 50 minutes for it. The duration last year was three hours. Find us at the Orvkiman Hall in Gulloburn. Last year it took place at the Dalnuton Barn in Sketmomere.',
    questions: [
      ['what pay for ticket now', '53.99 euros'],
      ['where organ concert take place', 'the Orvkiman Hall in Gulloburn'],
    ],
  },
  {
    document:
      'Do you need a dining table? Take a look at the Zelnawick Delta 60. Customer rating 4.3 out of 5 stars | From the maker Zelnawick | It comes from Portugal | Cost: $1,150 | Recommended for families with children | Material used: pine wood | Ring (415) 555-0164 | Time for assembly (two people): 55 minutes. Formerly the material was solid oak. You buy it from the seller Fillasen. We do not recommend it for large families. Come by or order online.',
    questions: [
      ['How much is the dining table?', '$1,150'],
      ['the country of origin', 'Portugal'],
    ],
  },
  {
    document:
      'Come to Dunvawell & Daughters, a tea shop with good people. Our address is 11 Yardo Square, Sablohaven and our phone number 07700 900420. Guests find free parking by the river. If you belong to the seniors, you save 8%. At Dunvawell & Daughters you can pay in cash or by card. Most people come for smoked black tea. We sell the tin of tea at a price of €10.50. Guests enjoy a small café. Please note that there is no tasting table. We are looking forward to you.',
    questions: [
      ['how customers pay', 'in cash or by card'],
      ['How much less do seniors pay?', '8%'],
    ],
  },
  {
    document:
      'We are happy to show you the Yarkadel Zephyr 30, a kayak by Yarkadel. Time for delivery: five working days | Of fiberglass | Period for returns: 98 days | From the workshop of Yarkadel | Warranty on the kayak: seven years | Made for quiet lakes | Can carry 160 kg | Cost: 609 euros | Color of the kayak: wine red | Voucher code: WAFFLE50. The delivery time to the islands is three weeks. The maximum load of the light version is 130 kg.',
    questions: [
      ['Show me what I pay for the kayak', '609 euros'],
      ['how long delivery kayak', 'five working days'],
    ],
  },
  {
    document:
      'A visit to The Foggy Beetle, your Italian restaurant, is always worth it. Everything else can be found online at www.foggy-beetle.example. The web address www.dalgawick.example has been closed. The Italian restaurant is open 11:30 to 21:00 on weekdays. The Italian restaurant has tables by the river but no roof terrace. The chef of the Italian restaurant is Nadia Calfiwell. Your car can stand behind the building. Do you have questions? The number to call is (303) 555-0164. The number for faxes is (415) 555-0196.',
    questions: [
      ['who cooks The Foggy Beetle', 'Nadia Calfiwell'],
      ['what web address', 'www.foggy-beetle.example'],
    ],
  },
];

/** The answers from the document alone and from the document behind its query, all of it visible: what experiments compare. */
export function driftSamples(tokenizer: Tokenizer): DriftSample[] {
  const read = (text: string) => tokenizer.encodeFramed(text);
  return TEXTS.flatMap(({ document, questions }) => {
    const targets = questions.map(([, answer]) => tokenizer.encode(answer));
    const behind = questions.map(([query], i) => ({ tokenIds: read(`${query}\n${document}`), targets: [targets[i]!] }));
    return [{ tokenIds: read(document), targets }, ...behind];
  });
}

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
  return measureDrift(checkpoint, compiled, driftSamples(tokenizer), options);
}

/** A drift as records hold it, in nats per token. */
export interface DriftRecord {
  readonly method: string;
  readonly tokens: number;
  readonly mean_absolute: number;
  readonly mean: number;
  readonly largest: number;
}

export function driftRecord({ method, tokens, meanAbsolute, mean, largest }: Drift): DriftRecord {
  return { method, tokens, mean_absolute: meanAbsolute, mean, largest };
}

/** Describes a drift in words, for users. */
export function describeDrift({ mean_absolute, mean, largest, tokens, method }: DriftRecord): string {
  const sign = mean < 0 ? '-' : '+';
  return `${mean_absolute.toFixed(3)} nats a token from ${method}, in the mean of ${tokens} tokens (${sign}${Math.abs(mean).toFixed(3)} with signs, at most ${largest.toFixed(2)})`;
}

/**
 * @param name of the model
 * @param computedAs how it is computed: a precision, or one on a device
 * @returns what the user should be told; undefined where the drift is small
 * @throws DkvError DRIFT_LARGE, unless it is to be ignored
 */
export function driftNotice(name: string, drift: Drift, ignoreDrift = false, computedAs = 'int8'): string | undefined {
  if (drift.meanAbsolute <= DRIFT_NOTICE) return undefined;
  const found = `As ${computedAs} the NLLs of ${name} are ${describeDrift(driftRecord(drift))}.`;
  if (drift.meanAbsolute > DRIFT_REFUSAL && !ignoreDrift) {
    throw new DkvError(
      'DRIFT_LARGE',
      `${found} More than ${DRIFT_REFUSAL} would hide what experiments look for. Use --precision ${computedAs === 'int8' ? 'bfloat16 or float32' : 'float32'}, or go on with --ignore-drift.`,
    );
  }
  return `${found} Effects that are not much larger cannot be told from rounding.`;
}
