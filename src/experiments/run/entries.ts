/** What a block's computation gives: its trials, or why a sample has none. */
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { shortestFloat32 } from '../../base/float32.js';
import { ItemsFailedError } from '../../engine/engine.js';
import type { Entry, ProbeTrial, Trial } from '../../runs/schema/entry.js';
import { scored, targetScore } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { scoredSchema } from '../../wire/score.js';
import type { Block, PlannedTrial } from '../plan/block.js';
import { type Answers, answersOf, saidRecord } from './answers.js';
import { keptText } from './kept-text.js';
import { layersOf, probeSample } from './probe.js';
import type { StartedRun } from './start.js';

export async function entriesOf(
  block: Block,
  { configuration: { experiment }, keepsTexts }: Pick<StartedRun, 'configuration' | 'keepsTexts'>,
  { engine, tokenizer }: Model,
  signal: AbortSignal | undefined,
): Promise<Entry[]> {
  if (experiment.unit === 'probe') {
    const layers = layersOf(experiment.layers, engine.info.shape.encoder.layers);
    const made: Entry[] = [];
    for (const { sample } of block.units) {
      const trials = block.trials.filter((trial) => trial.sample === sample);
      if (trials.length === 0) continue;
      try {
        const probed = await probeSample(engine, trials, layers, signal);
        const broken = notFiniteMeasure(probed);
        const whole = probed.map((trial, i) => ({ ...trial, ...prefixesOf(trials[i]!, keepsTexts) }));
        made.push(...(broken ? [{ sample: sample.id, rejected: broken }] : whole));
      } catch (error) {
        if (!(error instanceof ItemsFailedError)) throw error;
        made.push({ sample: sample.id, rejected: error.errors.get(0)!.message });
      }
    }
    return made;
  }
  const answers = await answersOf(engine, block.trials, experiment.outcomes ?? [], tokenizer, signal);
  // A sample stands under all conditions or under none: what is compared is the same samples, whichever condition broke.
  const rejected = new Map<string, string>();
  for (const [i, { sample, condition }] of block.trials.entries()) {
    const own = answers[i]!;
    if (own instanceof DkvError && !rejected.has(sample.id)) {
      rejected.set(sample.id, `under condition ${condition.name}: ${own.message}`);
    }
  }
  return [
    ...[...rejected].map(([sample, reason]) => ({ sample, rejected: reason })),
    ...block.trials.flatMap((trial, i) => {
      const own = answers[i]!;
      return own instanceof DkvError || rejected.has(trial.sample.id) ? [] : [trialOf(trial, own, keepsTexts)];
    }),
  ];
}

/** Attention that vanishes in single precision leaves nothing to divide by. */
function notFiniteMeasure(trials: readonly ProbeTrial[]): string | undefined {
  for (const { condition, layers } of trials) {
    for (const { layer, measures } of layers) {
      const broken = Object.entries(measures).find(([, value]) => !Number.isFinite(value));
      if (broken) return `under condition ${condition}: ${broken[0]} of layer ${layer} is ${broken[1]}`;
    }
  }
  return undefined;
}

function trialOf(trial: PlannedTrial, { nlls, tempered, wrong, said }: Answers, keepsTexts: boolean): Trial {
  const { sample, condition, parts, jointDiffers, leak } = trial;
  const { prefixTokens, documentTokens, cutTokens } = parts[0]!.input;
  const score = scored({ ...targetScore(nlls), prefixTokens, documentTokens, cutTokens });
  return {
    sample: sample.id,
    condition: condition.name,
    ...z.encode(scoredSchema, score),
    ...(tempered && { tempered_nlls: tempered.map((own) => Array.from(own, shortestFloat32)) }),
    ...(wrong && { wrong_nlls: wrong.map((own) => targetScore(own).nll) }),
    ...(said && { said: saidRecord(said, sample.answer, keepsTexts) }),
    ...(jointDiffers !== undefined && { joint_differs: jointDiffers }),
    ...(leak && { leak }),
    ...prefixesOf(trial, keepsTexts),
  };
}

/** The texts that stood before the document, in the condition's own pass and in its further ones. */
function prefixesOf({ parts }: PlannedTrial, keepsTexts: boolean): Pick<Trial, 'prefix' | 'also_prefixes'> {
  const [own, ...also] = parts.map(({ prefix }) => (prefix === undefined ? null : keptText(prefix, keepsTexts)));
  return {
    ...(own != null && { prefix: own }),
    ...(also.some((prefix) => prefix !== null) && { also_prefixes: also }),
  };
}
