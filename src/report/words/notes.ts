/** The sentences of a report: what stands above its numbers, how they were made, and what the run was for. */
import { describeLiterals } from '../../model/tokenizer/literal-tokens.js';
import { describeLeftOut } from '../../runs/left-out.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Summary } from '../../runs/schema/summary.js';
import { DRIFT_NOTICE, describeDrift } from '../../scoring/drift.js';
import { fixed, percent, pValue, signed, withInterval } from './format.js';
import { isPrimary } from './labels.js';

/** Lower bound, middle, upper bound: what every table of gains is about. */
export const FRAMING =
  'Lower bound: the document alone, cached once. Upper bound: the real query in front of the document, one encoder pass for each query and document. Middle: a surrogate in its place, cached once. The question is how much of the gap the middle closes.';

const METHODS = [
  'Gain = NLL of the baseline minus NLL of the condition, per target token, paired by sample; positive is better.',
  'Intervals are 95%: bootstrap over clusters of samples (10,000 resamples, seeded; BCa for mean and d), Wilson’s for the share of wins (strictly above 0), large-sample for the second interval of d.',
  'p is two-sided: t-test, Wilcoxon’s signed ranks (zero differences dropped; p = 1 below 10 others), 10,000 random sign flips. Holm, Bonferroni, and Benjamini and Hochberg (BH) correct the t-test’s p over its family: the comparisons that see the same.',
  '% of oracle is the ratio of mean gains (joint bootstrap; Fieller’s interval in the second table), undefined (–) where the oracle’s own gain is not distinguishably above 0. Authors’ % is their ratio of the two d.',
].join(' ');

const COLUMNS =
  'Deployable: made without the query. Target leak: share of samples whose prefix contains the scored text.';

/** How the numbers were made. */
export function methods(summary: Summary): string[] {
  const { comparisons, detectable_d, samples, smoke_run, ranking, probe } = summary;
  const units = ranking ? `${ranking.pools} pools` : `${samples.scored} samples`;
  const power = `Power: with ${units}, a single comparison finds |d| of ${fixed(detectable_d, 2)} or more with 80% power at the 5% level${smoke_run ? '; this is a smoke run' : ''}.`;
  const made = summary.configuration.imported ? [] : [describePasses(summary)];
  return [...(comparisons.length > 0 ? [METHODS] : []), ...(probe ? [] : [COLUMNS, power]), ...made];
}

function describePasses({ passes: { encoder, decoder, naive_encoder }, probe }: Summary): string {
  const saved = encoder > 0 && naive_encoder > encoder ? `, ${fixed(naive_encoder / encoder, 1)} times as many` : '';
  const made = `${count(encoder)} of the encoder${probe ? '' : ` and ${count(decoder)} of the decoder`}`;
  return `Forward passes: ${made}; a loop over samples and conditions would make ${count(naive_encoder)} of the encoder${saved}.`;
}

export const HARDNESS_NOTE =
  'Does priming help more where the baseline finds the answer hard? Plotted against the NLL that the gain is computed from, a gradient appears out of nothing; so hardness is taken from the odd answer tokens and the gain from the even ones, and swapped. The coupled axis of the research is shown beside it.';

/** What must stand above the numbers. */
export function warnings({ configuration, smoke_run, samples, ranking, identities }: Summary): string[] {
  const { experiment, model } = configuration;
  const lines: string[] = [];
  if (smoke_run) {
    const found = ranking ? `${ranking.pools} pools` : `${samples.scored} samples`;
    lines.push(`Smoke run: no conclusions. ${found}; the protocol asks for ${experiment.protocol.samples}.`);
  }
  if (model.built_in) {
    lines.push(
      'Results of the built-in model: it is small, trained on generated advertisements, and trained to use a query in the encoder. They say how this model behaves, nothing about T5Gemma 2.',
    );
  }
  if (configuration.imported) lines.push(describeImport(configuration));
  lines.push(...describeLeftOut(configuration.left_out ?? []));
  if (samples.literal) {
    const { samples: found, tokens, pieces } = samples.literal;
    const literals = describeLiterals(found, 'samples', tokens, configuration.control_tokens ?? 'keep', pieces);
    if (literals) lines.push(literals);
  }
  if (model.drift && model.drift.mean_absolute > DRIFT_NOTICE) {
    lines.push(
      `Computed as int8, whose NLLs are ${describeDrift(model.drift)}: effects that are not much larger cannot be told from rounding.`,
    );
  }
  const broken = identities.filter(({ holds }) => holds === false);
  if (broken.length > 0) {
    lines.push(
      `Conditions that are the same by construction gave different numbers (${broken.map(({ name }) => name).join('; ')}): something is wrong with the computation.`,
    );
  }
  return lines;
}

/** What a reader of numbers has to know that this program did not compute. */
function describeImport({ imported, model }: Configuration): string {
  return `Imported from ${imported!.file}: these numbers are the authors’ own, of ${model.name} in ${model.precision}, and nothing here was computed by this program’s engine. Each is the mean over an answer’s tokens, known to a step of ${model.precision} (0.0039 nats between 0.5 and 1, 0.0156 between 2 and 4, 0.125 between 16 and 32) and no finer. Only conditions that they scored are here; single tokens and texts are not.`;
}

/** A surrogate works if it keeps this share of the oracle's gain. */
const WORKS_FROM = 0.8;

/** The comparison that was named beforehand, in a sentence; undefined where nothing is compared by NLL. */
export function headline({ configuration, comparisons, smoke_run }: Summary): string | undefined {
  const primary = comparisons.find((comparison) => isPrimary(configuration.experiment, comparison));
  if (!primary) return undefined;
  const { treatment, baseline, gain, corrected, oracle, share } = primary;
  const sentence = `Primary comparison${configuration.experiment.primary ? ', named beforehand' : ''}: ${treatment} against ${baseline}, mean gain ${withInterval(gain.mean, (x) => signed(x, 3))} nats per token, d ${withInterval(gain.d, (x) => signed(x, 2))}, p ${pValue(gain.p.t)} (Holm over ${corrected.family_size}: ${pValue(corrected.holm)}).`;
  if (oracle === undefined || oracle === treatment) return sentence;
  if (share.value === null || primary.authors_share === null) {
    return `${sentence} Its share of the oracle’s gain is undefined: that gain is not distinguishably above 0.`;
  }
  const kept = ` It keeps ${withInterval(share, (x) => percent(x))} percent of the oracle’s gain`;
  if (smoke_run || share.low === null || share.high === null) return `${sentence}${kept}.`;
  const verdict =
    share.low >= WORKS_FROM ? 'it works' : share.high < WORKS_FROM ? 'it does not work' : 'the run does not decide it';
  return `${sentence}${kept}; by the margin fixed beforehand (${WORKS_FROM * 100}% or more) ${verdict}.`;
}

/** How samples were treated, one sentence each. */
export function sampleNotes({ samples, configuration, comparisons }: Summary): string[] {
  const excluded = comparisons[0]?.hardness.split.excluded_samples ?? 0;
  const together =
    samples.clusters < samples.scored ? ` They form ${samples.clusters} clusters that are resampled whole.` : '';
  if (configuration.imported) {
    return [
      `${samples.scored} samples, each with one number a condition: there is no hardness by split tokens.${together}`,
    ];
  }
  const notes = [
    `${samples.scored} samples scored, ${samples.rejected.length} rejected, ${samples.cut} with a document cut to keep ${configuration.max_tokens} tokens.${together}`,
    `Tokenised as one string (full, published), prefix and document get other token ids than tokenised apart (exact) in ${samples.joint_differs} samples.`,
  ];
  if (excluded > 0)
    notes.push(`Hardness on split tokens leaves out ${excluded} samples whose answer is a single token.`);
  const shown = samples.rejected.slice(0, REJECTIONS_SHOWN);
  for (const { sample, rejected } of shown) notes.push(`Rejected ${sample}: ${rejected}`);
  const hidden = samples.rejected.length - shown.length;
  return hidden > 0 ? [...notes, `${hidden} more were rejected; trials.jsonl has the reasons.`] : notes;
}

const REJECTIONS_SHOWN = 20;

function count(value: number): string {
  return value.toLocaleString('en');
}
