/**
 * Can a model be trusted as an instrument? Checks that have a right answer, run on AdWorld's test advertisements, before any
 * experiment is believed: what must be exactly nothing, what must vanish, what must be there.
 *
 * `pass` and `fail` are for what has a right answer; `finding` is for what is worth knowing and has none.
 */
import type { Ad, AdQuestion } from '../../adworld/ad.js';
import { generateAd } from '../../adworld/adworld.js';
import { DkvError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import { splitWords } from '../../base/words.js';
import { present } from '../../priming/condition.js';
import { buildInput, type InputTexts, type Visibility } from '../../priming/input.js';
import { surrogate } from '../../priming/surrogate.js';
import { type InputToScore, scoreInputs } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { cohensD, mean } from '../../stats/describe.js';
import { bcaInterval, bootstrap, type Interval } from '../../stats/interval.js';

export interface SanityCheck {
  readonly name: string;
  /** What the check asks, in one sentence. */
  readonly question: string;
  readonly state: 'pass' | 'fail' | 'finding';
  readonly result: string;
}

export interface SanityOptions {
  readonly samples: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** The same architecture with random weights, where one can be had: it must gain nothing. */
  readonly random?: Model;
  readonly onProgress?: (done: number, total: number) => void;
}

/** One advertisement, one of its questions, another of them, and things of another advertisement. */
interface Item {
  readonly ad: Ad;
  readonly asked: AdQuestion;
  readonly sibling: AdQuestion;
  readonly other: { readonly document: string; readonly query: string; readonly answer: string };
}

/** What several checks compare with: mean NLLs, everything visible, of the document alone and behind the real question. */
interface Known {
  readonly bare: readonly number[];
  readonly oracle: readonly number[];
}

const RESAMPLES = 4000;

const QUERYLESS_SURROGATES = ['doc_kw', 'template', 'lead'].map((name) => surrogate(name).make);

export async function runSanity(model: Model, options: SanityOptions): Promise<SanityCheck[]> {
  if (options.samples < 8)
    throw new DkvError('INPUT_INVALID', `${options.samples} samples are too few; take at least 8.`);
  const items = itemsOf(options);
  const checks: SanityCheck[] = [];
  const known: Known = {
    bare: await meanNlls(model, items, options, bare),
    oracle: await meanNlls(model, items, options, asks('full')),
  };
  const steps = [
    () => sameTwice(model, items, options, known),
    () => answersRight(model, items, options),
    () => queries(model, items, options, known),
    () => documents(model, items, options, known),
    () => shuffledAnswers(model, items, options),
    () => randomWeights(items, options),
    () => strangers(items),
    () => attentionOnBos(model, items, options),
  ];
  for (const [i, step] of steps.entries()) {
    if (options.signal?.aborted) throw new DkvError('CANCELLED', 'The checks were stopped.');
    checks.push(...(await step()));
    options.onProgress?.(i + 1, steps.length);
  }
  return checks;
}

function itemsOf({ samples, seed }: SanityOptions): Item[] {
  const ads = Array.from({ length: samples }, (_, index) => generateAd({ seed, split: 'test', index }));
  const asked = ads.map((ad) => {
    const questions = new Random('sanity', seed, ad.id).shuffle(ad.questions);
    const first = questions[0]!;
    return { first, second: questions.find(({ answer }) => answer !== first.answer)! };
  });
  return ads.map((ad, i) => {
    const partner = (i + Math.floor(samples / 2)) % samples;
    const { query, answer } = asked[partner]!.first;
    return {
      ad,
      asked: asked[i]!.first,
      sibling: asked[i]!.second,
      other: { document: ads[partner]!.text, query, answer },
    };
  });
}

/** Mean NLL of each item's answer when `of` says what the encoder reads and the decoder sees. */
async function meanNlls(
  model: Model,
  items: readonly Item[],
  { maxTokens, signal }: SanityOptions,
  of: (item: Item) => InputTexts & { visibility: Visibility; answer?: string },
): Promise<number[]> {
  const { tokenizer, engine } = model;
  const inputs = items.map((item): InputToScore => {
    const { visibility, answer = item.asked.answer, document, prefix } = of(item);
    const part = present(tokenizer, { visibility }, document, prefix, { maxTokens });
    return { parts: [part], prompt: new Int32Array(0), target: tokenizer.encode(answer) };
  });
  const nlls = await scoreInputs(engine, inputs, signal ? { signal } : {});
  return nlls.map((tokens) => mean(tokens));
}

const bare = ({ ad }: Item) => ({ document: ad.text, visibility: 'full' as const });
const bareHidden = ({ ad }: Item) => ({ document: ad.text, visibility: 'exact' as const });
const asks = (visibility: Visibility) => (item: Item) => ({
  document: item.ad.text,
  prefix: item.asked.query,
  visibility,
});

/** The same input twice, in two requests, is exactly the same number. */
async function sameTwice(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
  { bare: first }: Known,
): Promise<SanityCheck[]> {
  const second = await meanNlls(model, items, options, bare);
  const largest = Math.max(...first.map((nll, i) => Math.abs(nll - second[i]!)));
  return [
    {
      name: 'A/A',
      question: 'Is the same condition, computed twice, exactly the same?',
      state: largest === 0 ? 'pass' : 'fail',
      result: `largest difference ${largest}`,
    },
  ];
}

/** The gate of training: answers found when everything is visible. A gate, never a result. */
async function answersRight(model: Model, items: readonly Item[], options: SanityOptions): Promise<SanityCheck[]> {
  const { tokenizer, engine } = model;
  const limits = { maxTokens: options.maxTokens };
  const inputs = items.map(({ ad, asked }) =>
    buildInput(tokenizer, { document: ad.text, prefix: asked.query }, 'joint', limits),
  );
  const signal = options.signal ? { signal: options.signal } : {};
  const states = await engine.encode(inputs, signal);
  const generated = await engine.generate(
    states.map((s) => ({ memory: [{ states: s, start: 0, end: s.rows }], prompt: new Int32Array(0), maxTokens: 24 })),
    signal,
  );
  const normal = (text: string) => splitWords(text.toLowerCase()).join(' ').replace(/\.$/, '');
  const right = generated.filter(
    ({ tokenIds }, i) => normal(tokenizer.decode(tokenIds)) === normal(items[i]!.asked.answer),
  );
  return [
    {
      name: 'answers',
      question: 'Does it answer when the question stands in the encoder and everything is visible?',
      state: 'finding',
      result: `${right.length} of ${items.length} exactly right (taught to the built-in model: a gate, not a result)`,
    },
  ];
}

/** The real query must help, more than a sibling query of the same advertisement, and also where the answer is in neither. */
async function queries(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
  known: Known,
): Promise<SanityCheck[]> {
  const checks: SanityCheck[] = [];
  const hidden: Known = {
    bare: await meanNlls(model, items, options, bareHidden),
    oracle: await meanNlls(model, items, options, asks('exact')),
  };
  for (const [visibility, { bare: lower, oracle }] of [
    ['full', known],
    ['exact', hidden],
  ] as const) {
    const sibling = await meanNlls(model, items, options, ({ ad, sibling }) => ({
      document: ad.text,
      prefix: sibling.query,
      visibility,
    }));
    const help = [
      expectGain(`oracle, ${visibility}`, 'Does the real question in front of the document help?', lower, oracle),
      expectGain(
        `sibling, ${visibility}`,
        'Does it help more than another question about the same document?',
        sibling,
        oracle,
      ),
    ];
    // With rows hidden it is what the experiments ask: a finding, not something that has to be so.
    checks.push(...(visibility === 'exact' ? help.map((check) => ({ ...check, state: 'finding' as const })) : help));
    if (visibility !== 'full') continue;
    const absent = items.flatMap(({ asked }, i) => (contains(asked.query, asked.answer) ? [] : [i]));
    const of = (values: readonly number[]) => absent.map((i) => values[i]!);
    const check = expectGain(
      'answer not given away',
      'Does it help where no word of the answer stands in the question?',
      of(lower),
      of(oracle),
    );
    checks.push({ ...check, result: `${check.result}; ${absent.length} of ${items.length} questions` });
  }
  return checks;
}

/** The document must matter: without it, or with another one, the answer is harder. */
async function documents(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
  { oracle }: Known,
): Promise<SanityCheck[]> {
  const without = await meanNlls(model, items, options, ({ asked }) => ({
    document: '',
    prefix: asked.query,
    visibility: 'full',
  }));
  const wrong = await meanNlls(model, items, options, ({ asked, other }) => ({
    document: other.document,
    prefix: asked.query,
    visibility: 'full',
  }));
  return [
    expectGain('no document', 'Is the answer harder without the document?', without, oracle),
    expectGain('wrong document', 'Is it harder with another document?', wrong, oracle),
  ];
}

/** With answers of other advertisements, the question's help must vanish. */
async function shuffledAnswers(model: Model, items: readonly Item[], options: SanityOptions): Promise<SanityCheck[]> {
  const foreign = (of: (item: Item) => InputTexts & { visibility: Visibility }) => (item: Item) => ({
    ...of(item),
    answer: item.other.answer,
  });
  const lower = await meanNlls(model, items, options, foreign(bare));
  const oracle = await meanNlls(model, items, options, foreign(asks('full')));
  const { text, interval } = gainOf(lower, oracle);
  return [
    {
      name: 'shuffled answers',
      question: 'Does the help vanish when the answer belongs to another document?',
      state: interval.low <= 0 ? 'pass' : 'fail',
      result: text,
    },
  ];
}

async function randomWeights(items: readonly Item[], options: SanityOptions): Promise<SanityCheck[]> {
  const question = 'Does a model of the same shape with random weights gain nothing?';
  if (!options.random) {
    return [
      { name: 'random weights', question, state: 'finding', result: 'not made: too large to be made by the way' },
    ];
  }
  const lower = await meanNlls(options.random, items, options, bare);
  const oracle = await meanNlls(options.random, items, options, asks('full'));
  const { text, mean: gain } = gainOf(lower, oracle);
  // Random logits move a little with the input; what must not be there is a gain of any size.
  return [{ name: 'random weights', question, state: gain < 0.05 ? 'pass' : 'fail', result: text }];
}

/** What is tested must not have been trained on; surrogates must not be queries in disguise. */
async function strangers(items: readonly Item[]): Promise<SanityCheck[]> {
  const training = Array.from({ length: 2000 }, (_, index) => generateAd({ split: 'train', index }));
  const known = {
    documents: new Set(training.map(({ text }) => text)),
    names: new Set(training.flatMap(({ names }) => names)),
    phrasings: new Set(training.flatMap(({ questions }) => questions.map(({ template }) => template))),
  };
  const shared = {
    documents: items.filter(({ ad }) => known.documents.has(ad.text)).length,
    names: items.flatMap(({ ad }) => ad.names).filter((name) => known.names.has(name)).length,
    phrasings: items.filter(({ asked }) => known.phrasings.has(asked.template)).length,
  };
  const asQuery = new Set(
    [...training, ...items.map(({ ad }) => ad)].flatMap(({ questions }) => questions.map(({ query }) => query)),
  );
  const samples = items.map(({ ad, asked }) => ({
    id: ad.id,
    document: ad.text,
    query: asked.query,
    answer: asked.answer,
  }));
  const disguised = samples.filter((sample, index) =>
    QUERYLESS_SURROGATES.some((make) => asQuery.has(make(sample, { index, samples, seed: 0 }))),
  ).length;
  return [
    {
      name: 'held out',
      question: 'Are documents, names and phrasings of the test new to training?',
      state: shared.documents + shared.names + shared.phrasings === 0 ? 'pass' : 'fail',
      result: `${shared.documents} documents, ${shared.names} names, ${shared.phrasings} phrasings shared with 2000 training ads`,
    },
    {
      name: 'surrogates',
      question: 'Is no surrogate one of the queries?',
      state: disguised === 0 ? 'pass' : 'fail',
      result: `${disguised} of ${items.length} are`,
    },
  ];
}

/** Where there is no attention sink on BOS, hiding BOS says nothing about sinks. */
async function attentionOnBos(model: Model, items: readonly Item[], options: SanityOptions): Promise<SanityCheck[]> {
  const { tokenizer, engine } = model;
  const { heads, layers: count } = engine.info.shape.encoder;
  const layers = Array.from({ length: count }, (_, layer) => layer);
  const few = items.slice(0, 16).map(({ ad }) => buildInput(tokenizer, { document: ad.text }, 'segments', options));
  const probed = await engine.probe(
    few,
    { hidden: [], attention: layers },
    options.signal ? { signal: options.signal } : {},
  );
  const shares = layers.map((layer) =>
    mean(
      probed.flatMap(({ attention, states: { rows } }) => {
        const probabilities = attention.get(layer)!;
        // Document rows that can see BOS at all: a sliding window hides it from the others.
        const shares: number[] = [];
        for (let row = 1; row < rows; row++) {
          let share = 0;
          for (let head = 0; head < heads; head++) share += probabilities[(head * rows + row) * rows]! / heads;
          if (share > 0) shares.push(share);
        }
        return mean(shares);
      }),
    ),
  );
  const even = 1 / mean(few.map(({ tokenIds }) => tokenIds.length));
  return [
    {
      name: 'attention on BOS',
      question: 'Is BOS an attention sink? (Without one, hiding it says nothing about sinks.)',
      state: 'finding',
      result: `${shares.map((share, layer) => `layer ${layer} ${(100 * share).toFixed(1)}%`).join(', ')}; an even share would be ${(100 * even).toFixed(1)}%`,
    },
  ];
}

/** Passes when the treatment's NLL is lower than the other's beyond the interval. */
function expectGain(
  name: string,
  question: string,
  lower: readonly number[],
  treatment: readonly number[],
): SanityCheck {
  const { text, interval } = gainOf(lower, treatment);
  return { name, question, state: interval.low > 0 ? 'pass' : 'fail', result: text };
}

function gainOf(
  lower: readonly number[],
  treatment: readonly number[],
): { text: string; mean: number; interval: Interval } {
  const gains = lower.map((nll, i) => nll - treatment[i]!);
  const center = mean(gains);
  const [replicates] = bootstrap(
    gains.length,
    (indices) => [mean(Array.from(indices, (i) => gains[i]!))],
    RESAMPLES,
    new Random('sanity bootstrap'),
  );
  const jackknife = gains.map((gain) => (center * gains.length - gain) / (gains.length - 1));
  const interval = bcaInterval(replicates!, center, jackknife) ?? { low: Number.NaN, high: Number.NaN };
  const [low, high] = [interval.low, interval.high].map((x) => x.toFixed(2));
  const text = `${center.toFixed(2)} nats [${low}, ${high}], d ${cohensD(gains).toFixed(2)}`;
  return { text, mean: center, interval };
}

function contains(text: string, answer: string): boolean {
  const words = new Set(splitWords(text.toLowerCase().replace(/[^\p{L}\p{N}\s]/gu, ' ')));
  return splitWords(answer.toLowerCase().replace(/[^\p{L}\p{N}\s]/gu, ' ')).some((word) => words.has(word));
}
