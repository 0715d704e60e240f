/** One sample of a run from its texts to its numbers: what stood before the document, what the decoder saw, what became of the target's NLL. */
import type { Condition } from '../../priming/condition.js';
import { USUAL_SEGMENTS } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import { fixed, signed } from './format.js';
import { conditionOf, describeVisibility, documentForm, primaryOf } from './labels.js';

/** The characters shown of a text. */
const CHARACTERS = 700;

/** The tokens of the target that are shown. */
const TOKENS = 24;

/**
 * The sample whose gain in the primary comparison is the median of those that have texts; of a ranking, of the relevant candidates. Undefined where the
 * run keeps no texts.
 */
export function workedSample({
  summary,
  trials,
  samples,
}: Omit<FinishedRun, 'record'>): { title: string; items: string[] } | undefined {
  const { experiment, model } = summary.configuration;
  const primary = primaryOf(experiment);
  if (!primary) return undefined;
  const of = (name: string) =>
    new Map(trials.filter(({ condition }) => condition === name).map((trial) => [trial.sample, trial]));
  const [treated, before] = [of(primary.treatment), of(primary.baseline)];
  const found = samples
    .flatMap(({ id, texts, grade = 1, relevant = 1 }) => {
      const [after, without] = [treated.get(id), before.get(id)];
      if (!texts || !after || !without || grade < relevant) return [];
      return [{ id, texts, after, without, gain: without.nll - after.nll }];
    })
    .sort((a, b) => a.gain - b.gain || (a.id < b.id ? -1 : 1));
  const sample = found[Math.floor((found.length - 1) / 2)];
  if (!sample) return undefined;
  const { id, texts, after, without, gain } = sample;
  const condition = conditionOf(experiment, primary.treatment);
  const form = documentForm(condition);
  const scored = experiment.target === 'answer' ? 'answer' : 'query';
  const other = scored === 'answer' ? texts.query : texts.answer;
  const tokens = after.token_nlls
    .slice(0, TOKENS)
    .map((nll, t) => `${quoted(texts.target[t] ?? '')} ${fixed(without.token_nlls[t]!, 2)} → ${fixed(nll, 2)}`);
  const more = after.token_nlls.length > TOKENS ? ', …' : '';
  return {
    title: `One sample, ${id}: of all ${samples.some(({ grade }) => grade !== undefined) ? 'relevant documents' : 'samples'} the one whose gain is the median.`,
    items: [
      `Document${form === 'as it is' ? '' : ` (the encoder read it as ${form})`}: ${shortened(texts.document)}`,
      ...(other === '' ? [] : [`${scored === 'answer' ? 'Query' : 'Answer'}: ${shortened(other)}`]),
      `Scored, the ${scored}: ${shortened(scored === 'answer' ? texts.answer : texts.query)}`,
      ...(typeof after.prefix === 'string' && after.prefix !== '' ? [`In front: ${shortened(after.prefix)}`] : []),
      `The decoder sees: ${describeVisibility(condition, model.segments)}. ${describeHidden(condition, after, model.segments)}`,
      `NLL before (${primary.baseline}) ${fixed(without.nll, 3)}, after (${primary.treatment}) ${fixed(after.nll, 3)} nats a token: gain ${signed(gain, 3)}.`,
      `By token, before → after: ${tokens.join(', ')}${more}`,
    ],
  };
}

function describeHidden(
  { visibility, surrogate }: Condition,
  { prefix_tokens }: Trial,
  segments: FinishedRun['summary']['configuration']['model']['segments'] = USUAL_SEGMENTS,
): string {
  if (surrogate === undefined || visibility === 'full') return 'Nothing is hidden.';
  if (visibility === 'published') return 'Hidden: as many of the first rows as prefix and line break have.';
  const seen: readonly string[] = visibility === 'exact' ? ['document'] : visibility;
  const names = {
    bos: 'BOS',
    prefix: `the prefix’s ${prefix_tokens ?? ''} rows`,
    separator: 'the line break’s',
    eos: 'the end of text’s',
  };
  const hidden = Object.entries(names).filter(
    ([name]) => segments.some((segment) => segment === name) && !seen.includes(name),
  );
  return hidden.length > 0 ? `Hidden: ${hidden.map(([, name]) => name).join(', ')}.` : 'Nothing is hidden.';
}

function quoted(token: string): string {
  return `“${token.replaceAll('\n', '↵')}”`;
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > CHARACTERS ? `${characters.slice(0, CHARACTERS).join('')}…` : text;
}
