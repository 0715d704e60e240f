/** The sentences of a report: what stands above its numbers, how they were made, and what the run was for. */

import { counted } from '../../base/counted.js';
import { isOlder } from '../../experiments/analysis/renew.js';
import { describeLiterals } from '../../model/tokenizer/literal-tokens.js';
import { describeLeftOut } from '../../runs/left-out.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { DependenceRecord, Summary } from '../../runs/schema/summary.js';
import { DRIFT_NOTICE, describeDrift } from '../../scoring/drift.js';
import { FEWEST_FOR_BOOTSTRAP } from '../../stats/cluster-variance.js';
import { FEWEST_FOR_TEST } from '../../stats/mean-inference.js';
import { TOP_SAMPLES } from '../../stats/robust.js';
import { fixed, isTold, percent, signed } from './format.js';
import { isPrimary } from './labels.js';

/** Lower bound, middle, upper bound: what every table of gains is about. */
export const FRAMING =
  'Lower bound: the document alone, cached once. Upper bound: the real query in front of the document, one encoder pass for each query and document. Middle: a surrogate in its place, cached once. The question is how much of the gap the middle closes.';

const METHODS = [
  'Gain = NLL of the baseline minus NLL of the condition, per target token, paired by sample; positive is better.',
  `Mean: interval and p (two-sided) are of one test, so p is at most .05 exactly where the 95% interval does not hold 0. Its standard error is cluster-robust (CR1), its distribution the symmetric studentised bootstrap over clusters (9,999 draws of |t*|, seeded; p is never below .0001); with ${FEWEST_FOR_TEST} to ${FEWEST_FOR_BOOTSTRAP - 1} clusters CR2 and Student’s t with Satterthwaite’s degrees of freedom; with fewer neither interval nor p.`,
  'Trimmed mean: without the lowest and the highest fifth. Robust d: .642 times the trimmed mean over the winsorised standard deviation, which is d for normal data. Both with percentile intervals over clusters: they hold what they should where a few samples carry a mean.',
  'd, nominal: Cohen’s d of the samples, mean over standard deviation; its interval is for normal independent data, on heavy tails too narrow, and decides nothing.',
  'Capped mean: no token counts more than ln V, what a model that knows nothing would have. Above ln V: share of samples whose baseline NLL per token is above it. 25 largest: share of the whole gain in the 25 samples that gain or lose most; > 100 where all others together go the other way, < 0 where these 25 do. Win: share strictly above 0, ties apart; Wilson’s interval at the number of samples over their design effect, with t.',
  'Holm, Bonferroni, and Benjamini and Hochberg (BH) correct the p of the mean over its family: the comparisons that see the same. Exchangeable arms: 10,000 random sign flips ask whether the two arms could be exchanged sample by sample, which is more than equal means. Wilcoxon’s signed ranks (zero differences dropped; p = 1 below 10 others), sign flips and the t-test know no clusters.',
  '% of oracle is the ratio of mean gains with Fieller’s set, printed as it is where it is not bounded: the oracle’s gain is then not told from 0. Trimmed: the ratio of trimmed means. Authors’ % is their ratio of the two d.',
];

/** The sentence for a summary of an older version that cannot be made again, because its trials are not in the folder. */
const OLDER =
  'The statistics are those of an older version, whose trials are not in this folder: intervals are of a bootstrap (BCa for mean and d), p is of the t-test without clusters beyond the data set’s own, and there are no robust d, capped means, ties and shares of the largest gains.';

const IMPORTED_CAP =
  'Capped means of an imported run cap a sample’s mean NLL, because there are no tokens: they are not those of a run here.';

const NO_CAP =
  'There are no capped means: the run does not say how many tokens its model knows. “dkv run --resume” with that model adds it.';

const COLUMNS =
  'Deployable: made without the query. Target leak: share of samples whose prefix contains the scored text.';

/** The sentences on how the numbers were made. */
export function methods(summary: Summary): string[] {
  const { comparisons, detectable_d, samples, smoke_run, ranking, probe } = summary;
  const units = ranking ? counted(ranking.pools, 'pool') : counted(samples.scored, 'sample');
  const power = `Power: with ${units}${worth(summary)}, a single comparison finds |d| of ${fixed(detectable_d, 2)} or more with 80% power at the 5% level${smoke_run ? '; this is a smoke run' : ''}.`;
  return [
    ...(comparisons.length > 0 || ranking ? (isOlder(summary) ? [OLDER] : METHODS) : []),
    ...(comparisons.length > 0 && !isOlder(summary) && summary.vocabulary === undefined ? [NO_CAP] : []),
    ...(summary.configuration.imported ? [IMPORTED_CAP] : []),
    ...(probe ? [] : [COLUMNS, power]),
    ...(summary.configuration.imported ? [] : [describePasses(summary)]),
  ];
}

/** A sentence on the primary comparison's samples, where they are worth fewer independent ones. */
function worth({ configuration: { experiment }, comparisons, samples }: Summary): string {
  const primary = comparisons.find((comparison) => isPrimary(experiment, comparison));
  const effective = primary?.gain.effective_samples ?? samples.scored;
  return Math.round(effective) < samples.scored
    ? `, worth ${fixed(effective, 0)} independent ones in the primary comparison`
    : '';
}

function describePasses({ passes: { encoder, decoder, naive_encoder }, probe }: Summary): string {
  const saved = encoder > 0 && naive_encoder > encoder ? `, ${fixed(naive_encoder / encoder, 1)} times as many` : '';
  const made = `${count(encoder)} of the encoder${probe ? '' : ` and ${count(decoder)} of the decoder`}`;
  return `Forward passes: ${made}; a loop over samples and conditions would make ${count(naive_encoder)} of the encoder${saved}.`;
}

export const HARDNESS_NOTE =
  'Does priming help more where the baseline finds the answer hard? Plotted against the NLL that the gain is computed from, a gradient appears out of nothing. Split tokens: hardness from the odd answer tokens, the gain from the even ones, and swapped; it says something only where the two halves agree on what is hard. Oldham’s axis: the mean of both arms, which takes the coupling out where the arms vary alike. Coupled: the axis of the research. Relative: the gain as a share of the baseline’s NLL in that fifth; the same in all fifths where the gain is proportional.';

/** The warnings that must stand above the numbers. */
export function warnings(summary: Summary): string[] {
  const { configuration, smoke_run, samples, ranking, identities } = summary;
  const { experiment, model } = configuration;
  const lines: string[] = [];
  if (smoke_run) {
    const found = ranking ? counted(ranking.pools, 'pool') : counted(samples.scored, 'sample');
    const asked = summary.plan ? 'the plan asks for more' : `the protocol asks for ${experiment.protocol.samples}`;
    lines.push(`Smoke run: no conclusions. ${found}; ${asked}.`);
  }
  const apart = summary.plan?.deviations.length ?? 0;
  if (apart > 0) {
    lines.push(`Not as planned in ${apart} ${apart === 1 ? 'point' : 'points'}: they are listed with the plan.`);
  }
  if (model.built_in) {
    lines.push(
      'Results of the built-in model: it is small, trained on generated advertisements, and trained to use a query in the encoder. They say how this model behaves, nothing about T5Gemma 2.',
    );
  }
  if (configuration.imported) lines.push(describeImport(configuration));
  if (configuration.writer === 'self') {
    lines.push(
      'The texts that surrogates ask of a language model (llm:...) were written by the model of this run. It takes no instructions: what it writes about a document may be a query or not. The texts are in written.json, or their digests where texts are kept out.',
    );
  }
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
  lines.push(...outlierWarnings(summary));
  if (samples.rejected.length > 0) lines.push(describeRejected(samples, ranking !== undefined));
  if (ranking?.screening?.passed === false) {
    lines.push(`${screeningNote(ranking)!} What this model hardly ranks shows nothing of what helps to rank it.`);
  }
  const broken = identities.filter(({ holds }) => holds === false);
  if (broken.length > 0) {
    lines.push(
      `Conditions that are the same by construction gave different numbers (${broken.map(({ name }) => name).join('; ')}): something is wrong with the computation.`,
    );
  }
  const untested = identities.filter(({ holds }) => holds === null);
  if (untested.length > 0) {
    lines.push(
      `Could not be tested in this run: ${untested.map(({ name }) => name).join('; ')}. No sample fits into the encoder’s window, which ${untested.length === 1 ? 'this identity needs' : 'these identities need'}.`,
    );
  }
  return lines;
}

/** The number of rejected samples and the reasons, the most frequent first. */
function describeRejected({ scored, rejected }: Summary['samples'], pooled: boolean): string {
  const reasons = new Map<string, number>();
  for (const { sample, rejected: text } of rejected) {
    // Of one reason for many samples their names are no part.
    const reason = (text.startsWith(`${sample} `) ? `it${text.slice(sample.length)}` : text).replace(/\.$/, '');
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const said = [...reasons].sort(([, a], [, b]) => b - a).map(([reason, times]) => `${count(times)}: ${reason}`);
  const more = said.length > NAMED ? `; and ${said.length - NAMED} reasons more` : '';
  return `${count(rejected.length)} of ${count(scored + rejected.length)} ${pooled ? 'candidates' : 'samples'} were rejected and are in no number (${said.slice(0, NAMED).join('; ')}${more}).`;
}

/** What the screening of the first pools found, in a sentence; undefined where none is declared. */
export function screeningNote({ screening }: RankingSummary): string | undefined {
  if (!screening) return undefined;
  const { condition, measure, least, pools, mean, passed } = screening;
  const verdict =
    passed === null ? 'the run has too few pools to be screened' : passed ? 'passed' : 'not passed, and gone on with';
  return `Screening of the first ${pools} pools: mean ${measure} of ${condition} ${fixed(mean, 3)}, at least ${least} asked for: ${verdict}.`;
}

/** A note on numbers that this program did not compute. */
function describeImport({ imported, model }: Configuration): string {
  return `Imported from ${imported!.file}: these numbers are the authors’ own, of ${model.name} in ${model.precision}, and nothing here was computed by this program’s engine. Each is the mean over an answer’s tokens, known to a step of ${model.precision} (0.0039 nats between 0.5 and 1, 0.0156 between 2 and 4, 0.125 between 16 and 32) and no finer. Only conditions that they scored are here; single tokens and texts are not.`;
}

/** The share of the gain in the 25 largest above which the mean is called theirs. */
const CARRIED_BY_FEW = 0.4;

/** The lowest coverage of the 95% interval of a mean in docs/benchmarks.md. */
export const LEAST_COVERAGE = '.81';

/** Warnings about means that a few samples carry, for gains that one of the two means tells from 0. Around 0 both means are noise. */
function outlierWarnings({ configuration, comparisons, contrasts, samples }: Summary): string[] {
  const named = [
    ...comparisons.flatMap(({ treatment, baseline, self_test, gain }) =>
      self_test ? [] : [{ name: `${treatment} over ${baseline}`, gain }],
    ),
    ...contrasts.flatMap((group) =>
      group.contrasts.map(({ name, gain }) => ({ name: `${group.title}: ${name}`, gain })),
    ),
  ].filter(({ gain }) => isTold(gain.mean) || isTold(gain.trimmed_mean));
  // Of few samples the 25 largest hold much of any gain: no less than twice what 25 equal ones would.
  const threshold = Math.max(CARRIED_BY_FEW, (2 * TOP_SAMPLES) / samples.scored);
  const carried = named.filter(({ gain }) => (gain.top_share ?? 0) > threshold);
  const apart = named.filter(({ gain }) => differ(gain.mean.value, gain.trimmed_mean.value));
  const first = configuration.experiment.primary ?? configuration.experiment.comparisons[0];
  const list = (all: readonly { readonly name: string }[]) =>
    namesOf(all, first && `${first.treatment} over ${first.baseline}`);
  return [
    ...(carried.length > 0
      ? [
          `More than ${percent(threshold)}% of the gain lies in the ${TOP_SAMPLES} samples that gain or lose most: ${list(carried)}. The 95% interval of such a mean may cover as little as ${LEAST_COVERAGE}: read the trimmed mean and robust d.`,
        ]
      : []),
    ...(apart.length > 0
      ? [`Mean and trimmed mean differ in sign or by more than half: ${list(apart)}. A few samples decide the mean.`]
      : []),
  ];
}

const NAMED = 5;

/** The first few names, the primary comparison before the others. */
function namesOf(all: readonly { readonly name: string }[], primary: string | undefined): string {
  const names = all.map(({ name }) => name);
  const ordered = [...names.filter((name) => name === primary), ...names.filter((name) => name !== primary)];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return ordered.slice(0, NAMED).join('; ') + more;
}

function differ(mean: number | null, trimmed: number | null): boolean {
  if (mean === null || trimmed === null) return false;
  return Math.abs(mean - trimmed) > 0.5 * Math.max(Math.abs(mean), Math.abs(trimmed));
}

/** The sentences on how samples were treated. */
export function sampleNotes({ samples, configuration, comparisons }: Summary): string[] {
  const excluded = comparisons[0]?.hardness.split.excluded_samples ?? 0;
  if (configuration.imported) {
    return [
      `${samples.scored} samples, each with one number a condition: there is no hardness by split tokens.`,
      ...dependenceNotes(samples),
    ];
  }
  const notes = [
    `${counted(samples.scored, 'sample')} scored, ${samples.rejected.length} rejected, ${samples.cut} with a document cut to keep ${configuration.max_tokens} tokens.`,
    ...dependenceNotes(samples),
    `Tokenised as one string (full, published), prefix and document get other token ids than tokenised apart (exact) in ${counted(samples.joint_differs, 'sample')}.`,
  ];
  if (excluded > 0)
    notes.push(`Hardness on split tokens leaves out ${counted(excluded, 'sample')} whose answer is a single token.`);
  const shown = samples.rejected.slice(0, REJECTIONS_SHOWN);
  for (const { sample, rejected } of shown) notes.push(`Rejected ${sample}: ${rejected}`);
  const hidden = samples.rejected.length - shown.length;
  return hidden > 0 ? [...notes, `${hidden} more were rejected; the run’s trials have the reasons.`] : notes;
}

const SHARED: Readonly<Record<DependenceRecord['by'], string>> = {
  sample: 'Every sample has a query of its own and is taken as independent',
  query: 'Samples with the same query are taken as dependent',
  cluster: 'Samples that the data set puts together, and those with the same query, are taken as dependent',
  'question kind':
    'Samples that ask for the same kind of fact are taken as dependent: they share wordings and the shape of their answers',
};

/** The sentences on which samples depend on each other, and what is done about it. */
function dependenceNotes({ dependence, clusters, scored }: Summary['samples']): string[] {
  if (!dependence) return clusters < scored ? [`They form ${counted(clusters, 'cluster')}, resampled whole.`] : [];
  const { by, partners, crossed, largest, icc, partner_icc } = dependence;
  const alike = icc === null ? '' : ` (intraclass correlation of the primary comparison’s gains ${signed(icc, 3)})`;
  const found = `${SHARED[by]}${alike}. ${clusters} clusters are resampled, the largest of ${largest}.`;
  if (partners === 'none') return [found];
  const form =
    partners === 'pairs'
      ? 'Samples lend each other words in pairs'
      : 'Samples lend each other words in one ring, since their number is odd; the ring is cut into pairs, and half of its links are left out';
  const correlation = partner_icc === null ? '' : `; their largest intraclass correlation is ${signed(partner_icc, 3)}`;
  const taken =
    crossed === null
      ? 'They stand in one cluster'
      : `With the clusters above they would hang together in components of more than 5% of the samples, so variances are two-way, with ${crossed} clusters of partners (Cameron, Gelbach and Miller), and never below either one-way variance`;
  return [found, `${form}${correlation}. ${taken}.`];
}

const REJECTIONS_SHOWN = 20;

function count(value: number): string {
  return value.toLocaleString('en');
}
