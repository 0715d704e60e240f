/** What a run found, said twice: a sentence for everybody, and one with the numbers of its tests. */
import { surrogate as surrogateOf } from '../../priming/surrogate.js';
import type { Comparison, Experiment } from '../../runs/schema/experiment.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { ProbeMeasure, ProbeSummary } from '../../runs/schema/probe.js';
import type { Summary } from '../../runs/schema/summary.js';
import type { Estimate } from '../../stats/gains.js';
import { fixed, isTold, nats, percent, pOf, pValue, ratio, signed, withInterval } from './format.js';
import { boundOf, conditionOf, documentForm, isPrimary, visibilityOf } from './labels.js';
import { retention } from './retention.js';

/** The share of the oracle's gain from which a surrogate is said to work. */
const WORKS_FROM = 0.8;

/**
 * The finding of a run in plain words: what hiding leaves, where that is asked, then its primary comparison by NLL or by a ranking's first measure, or what a probe
 * measured. Undefined where nothing is compared.
 */
export function finding(summary: Summary): string | undefined {
  const compared = comparedFinding(summary);
  const kept = compared === undefined ? undefined : retention(summary);
  const sentences = kept === undefined ? compared : `${kept} ${compared}`;
  return sentences !== undefined && summary.smoke_run ? `In this smoke run, ${uncapital(sentences)}` : sentences;
}

function comparedFinding({ configuration: { experiment }, comparisons, ranking, probe }: Summary): string | undefined {
  const byNll = comparisons.find((comparison) => isPrimary(experiment, comparison));
  if (byNll) {
    const target = experiment.target === 'answer' ? 'answers' : 'queries';
    const words = { better: `${target} easier to predict`, worse: `${target} harder to predict`, of: target };
    return said(experiment, byNll, byNll.gain, words, `${withInterval(byNll.gain.mean, nats)} nats a token`);
  }
  if (probe) return probeFinding(probe);
  const [measure] = ranking?.measures ?? [];
  const ranked = ranking?.comparisons.find((comparison) => isPrimary(experiment, comparison));
  if (!ranked || !measure) return undefined;
  const difference = ranked.differences[0]!;
  const words = { better: 'rankings better', worse: 'rankings worse', of: 'rankings' };
  return said(experiment, ranked, difference, words, `${measure.name} ${withInterval(difference.mean, nats)}`);
}

/** How far prefixes move the document's states in the last layer, and whether in the direction that the real query moves them. */
function probeFinding({ conditions, layers }: ProbeSummary): string | undefined {
  const inLastLayer = (measure: ProbeMeasure) =>
    conditions.flatMap(({ name, measures }) => {
      const value = measures.find((entry) => entry.name === measure)?.by_layer.at(-1);
      return value ? [{ name, said: `${name} ${withInterval(value, (x) => fixed(x, 2))}` }] : [];
    });
  const shifts = inLastLayer('shift');
  if (shifts.length === 0) return undefined;
  const others = inLastLayer('cosine').filter(({ name }) => name !== 'oracle');
  const moved = `In the last layer (${layers.at(-1)}), prefixes move the document’s states away from those of the document alone by an L2 distance of: ${shifts.map(({ said }) => said).join('; ')}.`;
  if (others.length === 0) return moved;
  return `${moved} Cosine with the direction in which the real query moves them: ${others.map(({ said }) => said).join('; ')}.`;
}

interface Words {
  readonly better: string;
  readonly worse: string;
  readonly of: string;
}

function said(
  experiment: Experiment,
  { treatment, baseline }: Pick<Comparison, 'treatment' | 'baseline'>,
  { mean, trimmed_mean: trimmed }: Pick<GainRecord, 'mean' | 'trimmed_mean'>,
  { better, worse, of }: Words,
  size: string,
): string {
  const subject = describeCondition(experiment, treatment);
  const other = describeCondition(experiment, baseline);
  const names = `${treatment} against ${baseline}`;
  if (mean.value === null || mean.low === null) {
    return `Too few independent samples to tell what ${subject} does to ${of}, against ${other}: ${size}, without an interval (${names}).`;
  }
  if (!isTold(mean)) {
    return `${capital(subject)} had no effect on ${of} that can be told from 0, against ${other}: ${size} (${names}).${dissent(mean, trimmed)}`;
  }
  return `${capital(subject)} made ${mean.value > 0 ? better : worse} than ${other} did: ${size} (${names}).${dissent(mean, trimmed)}`;
}

/** A sentence where the mean and the trimmed mean do not say the same; empty where they do. */
function dissent(mean: Estimate, trimmed: Estimate): string {
  if (trimmed.value === null || trimmed.low === null) return '';
  const isOpposed = isTold(mean) && isTold(trimmed) && mean.value! > 0 !== trimmed.value > 0;
  if (isTold(mean) === isTold(trimmed) && !isOpposed) return '';
  const says = isOpposed ? 'says the opposite' : isTold(trimmed) ? 'can be told from 0' : 'cannot be told from 0';
  return ` The trimmed mean ${says}: ${withInterval(trimmed, nats)}.`;
}

const SEEN: Readonly<Record<string, string>> = {
  full: 'seen by the decoder',
  exact: 'hidden from the decoder',
  published: 'hidden by the published mask',
  document: 'hidden from the decoder',
};

/** What a condition presents, in the middle of a sentence. Conditions that change more than the prefix are called by their names. */
function describeCondition(experiment: Experiment, name: string): string {
  const condition = conditionOf(experiment, name);
  const bound = boundOf(experiment, name);
  if (bound === 'mechanism') return `“${name}”`;
  const form = documentForm(condition);
  const long = form === 'as it is' ? '' : ` of ${form}`;
  const { surrogate, separator } = condition;
  if (bound === 'lower bound') {
    if (form === 'none') return 'no document';
    return `the document ${separator ? 'behind a line break alone' : 'alone'}${long}`;
  }
  const prefix = bound === 'upper bound' ? 'the real query' : surrogateOf(surrogate!).about;
  const seen = SEEN[visibilityOf(condition)] ?? `the decoder sees ${visibilityOf(condition)}`;
  return `${prefix}${prefix.includes(',') ? ',' : ''} in front of the document${long} (${seen})`;
}

/** A name and an abbreviation keep their capitals. */
function uncapital(sentence: string): string {
  return /^[A-Z][a-z ]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** The tests of the primary comparison by NLL and its share of the oracle's gain; undefined where nothing is compared by NLL. */
export function headline({ configuration, comparisons, smoke_run }: Summary): string | undefined {
  const primary = comparisons.find((comparison) => isPrimary(configuration.experiment, comparison));
  if (!primary) return undefined;
  const { treatment, baseline, gain, corrected, oracle, share, share_trimmed } = primary;
  const robust = gain.robust_d ? `, robust d ${withInterval(gain.robust_d, (x) => signed(x, 2))}` : '';
  const sentence = `Primary comparison${configuration.experiment.primary ? ', named beforehand' : ''}: ${treatment} against ${baseline}, mean gain ${withInterval(gain.mean, nats)} nats per token, p ${pValue(pOf(gain))} (Holm over ${corrected.family_size}: ${pValue(corrected.holm)}); trimmed mean ${withInterval(gain.trimmed_mean, nats)}${robust}; d ${signed(gain.d.value, 2)}, nominal.`;
  if (oracle === undefined || oracle === treatment) return sentence;
  if (share.value === null || primary.authors_share === null) {
    return `${sentence} Its share of the oracle’s gain is undefined: that gain is not above 0.`;
  }
  const whole = comparisons.find((other) => other.treatment === oracle && other.baseline === baseline);
  const total = whole ? ` of ${withInterval(whole.gain.mean, nats)} nats` : '';
  const ofTrimmed =
    share_trimmed && share_trimmed.value !== null
      ? ` (of trimmed means ${withInterval(share_trimmed, (x) => percent(x))})`
      : '';
  const kept = ` That is ${ratio(share)} percent of the oracle’s gain${total}${ofTrimmed}`;
  if ((share.shape ?? 'interval') !== 'interval')
    return `${sentence}${kept}: not bounded, since the oracle’s gain is not told from 0.`;
  // What is done to the encoder is no surrogate that could work.
  const isSurrogate = boundOf(configuration.experiment, treatment) === 'middle';
  if (smoke_run || !isSurrogate || share.low === null || share.high === null) return `${sentence}${kept}.`;
  const verdict =
    share.low >= WORKS_FROM ? 'it works' : share.high < WORKS_FROM ? 'it does not work' : 'the run does not decide it';
  return `${sentence}${kept}; by the margin fixed beforehand (${WORKS_FROM * 100}% or more of the mean) ${verdict}.`;
}
