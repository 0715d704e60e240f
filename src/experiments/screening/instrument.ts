/** Is the model sound as an instrument: repeatable, without gains from random weights, able to answer, and where does it look? */
import { splitWords } from '../../base/words.js';
import { buildInput, segmentsOf } from '../../priming/input.js';
import type { Model } from '../../scoring/load-model.js';
import { mean } from '../../stats/describe.js';
import { gainOf, type SanityCheck, type SanityOptions } from './check.js';
import type { Item } from './items.js';
import { asks, bare, type Known, meanNlls } from './nlls.js';

/** Checks that the same input, in two requests, gives exactly the same number. */
export async function sameTwice(
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
export async function answersRight(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
): Promise<SanityCheck[]> {
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

export async function randomWeights(items: readonly Item[], options: SanityOptions): Promise<SanityCheck[]> {
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

/** Looks for an attention sink on BOS. Without one, hiding BOS says nothing about sinks. */
export async function attentionOnBos(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
): Promise<SanityCheck[]> {
  const name = 'attention on BOS';
  const question = 'Is BOS an attention sink? (Without one, hiding it says nothing about sinks.)';
  if (!segmentsOf(model.tokenizer).has('bos')) {
    return [{ name, question, state: 'finding', result: 'not made: inputs of this model have no BOS' }];
  }
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
      name,
      question,
      state: 'finding',
      result: `${shares.map((share, layer) => `layer ${layer} ${(100 * share).toFixed(1)}%`).join(', ')}; an even share would be ${(100 * even).toFixed(1)}%`,
    },
  ];
}
