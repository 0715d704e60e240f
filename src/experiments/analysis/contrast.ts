/** How well each condition tells right answers from wrong ones, and whether a treatment tells them better. */
import { DkvError } from '../../base/errors.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { ContrastOutcome } from '../../runs/schema/outcomes.js';
import { type SampleRecord, WRONG_ANSWER_CLASSES } from '../../runs/schema/sample.js';
import { contrastArm, standing } from '../../stats/contrast.js';
import { mean } from '../../stats/describe.js';
import type { Sampling } from '../../stats/gains.js';
import { askedField, comparedNames, comparedOf, differences, holmOf } from './compared.js';

/**
 * @param samples those that were scored, in the order of the trials
 * @param samplingOf some of them, by their ids
 * @returns undefined where the experiment does not ask for it, or with fewer than two clusters, of which one would be scored with what it chose
 */
export function summarizeContrast(
  configuration: Configuration,
  trials: (condition: string) => readonly Trial[],
  samples: readonly SampleRecord[],
  sampling: Sampling,
  samplingOf: (ids: readonly string[]) => Sampling,
): ContrastOutcome | undefined {
  const { clusters } = sampling.dependence;
  if (!configuration.experiment.outcomes?.includes('contrast') || clusters.length < 2) return undefined;
  const pairs = comparedOf(configuration);
  const names = comparedNames(configuration, pairs);
  const candidates = new Map(names.map((name) => [name, trials(name).map((trial, s) => nllsOf(trial, samples[s]!))]));
  const arms = new Map(names.map((name) => [name, contrastArm(candidates.get(name)!, clusters)]));
  const count = candidates.get(names[0]!)![0]!.length;
  const gains = (of: 'loss' | 'rank' | 'first' | 'margin', sign: 1 | -1, range?: number) =>
    differences(pairs, (name) => arms.get(name)![of].map((value) => sign * value), sampling, range);
  const [loss, margin] = [gains('loss', -1), gains('margin', 1)];
  const [rank, first] = [gains('rank', -1, count - 1), gains('first', 1, 1)];
  const holm = holmOf(pairs, loss);
  const classes = WRONG_ANSWER_CLASSES.flatMap((from) => {
    const placesOf = ({ wrong_answers = [] }: SampleRecord) =>
      wrong_answers.flatMap((answer, at) => (answer.from === from ? [at + 1] : []));
    const own = samples.flatMap((sample, s) => {
      const places = placesOf(sample);
      return places.length > 0 ? [{ id: sample.id, s, places }] : [];
    });
    if (own.length === 0) return [];
    const among = new Map(
      names.map((name) => {
        const some = own.map(({ s, places }) => {
          const all = candidates.get(name)![s]!;
          return [all[0]!, ...places.map((at) => all[at]!)];
        });
        const beaten = some.map(
          ([right, ...wrong]) =>
            wrong.reduce((sum, nll) => sum + (nll > right! ? 1 : nll === right! ? 0.5 : 0), 0) / wrong.length,
        );
        return [name, { margin: standing(some).margin, beaten }] as const;
      }),
    );
    const ofClass = samplingOf(own.map(({ id }) => id));
    const grown = (of: 'margin' | 'beaten', range?: number) =>
      differences(pairs, (name) => among.get(name)![of], ofClass, range);
    return [{ from, samples: own.length, margin: grown('margin'), beaten: grown('beaten', 1) }];
  });
  return {
    candidates: count,
    conditions: names.map((name) => {
      const arm = arms.get(name)!;
      return {
        name,
        loss: mean(arm.loss),
        rank: mean(arm.rank),
        first: mean(arm.first),
        margin: mean(arm.margin),
        sharpness: arm.sharpness,
      };
    }),
    comparisons: pairs.map(({ treatment, baseline }, c) => ({
      treatment,
      baseline,
      loss: loss[c]!.mean,
      p: loss[c]!.p,
      p_holm: holm[c]!,
      rank: rank[c]!.mean,
      first: first[c]!.mean,
      margin: margin[c]!.mean,
      classes: classes.map((own) => ({
        from: own.from,
        samples: own.samples,
        margin: own.margin[c]!.mean,
        beaten: own.beaten[c]!.mean,
      })),
    })),
  };
}

/**
 * The NLLs of the right answer and of the wrong ones.
 * @throws DkvError RUN_DAMAGED
 */
function nllsOf(trial: Trial, { id, wrong_answers = [] }: SampleRecord): number[] {
  const wrong = askedField(trial, 'wrong_nlls');
  if (wrong.length > 0 && wrong.length === wrong_answers.length) return [trial.nll, ...wrong];
  throw new DkvError(
    'RUN_DAMAGED',
    `The trial of ${id} under ${trial.condition} has ${wrong.length} wrong_nlls, and samples.jsonl has ${wrong_answers.length} wrong answers of it. Bring back the file that was changed from a copy, or repeat the run.`,
  );
}
