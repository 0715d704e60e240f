/** An experiment as the command line asks for it, with outcomes and arms. */
import { expect, it } from 'vitest';
import { askedAsFits, askedExperiment } from '../../src/cli/asked-experiment.js';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';

const [samples, pools] = [EXPERIMENTS.exp01!, EXPERIMENTS.exp04b!];

it('has what is asked for, else what its plan has, else its own', async () => {
  const planned = await askedExperiment(samples, { seed: 7, outcomes: ['recall'], arms: ['no_document'] });
  expect(planned).toMatchObject({ seed: 7, prompt: samples.prompt, outcomes: ['recall'], arms: ['no_document'] });
  expect(planned.conditions.map(({ name }) => name)).toContain('no_document');
  expect(await askedExperiment(samples, {}, planned)).toEqual(planned);
  expect(await askedExperiment(samples, { outcomes: ['contrast'], arms: ['target_form'] }, planned)).toMatchObject({
    seed: 7,
    outcomes: ['contrast'],
    arms: ['target_form'],
  });
  expect(await askedExperiment(samples, {})).toEqual(samples);
  expect(await askedExperiment(samples, { outcomes: ['none'] }, planned)).not.toHaveProperty('outcomes');
});

it('is refused what does not fit it, or goes without that among all experiments, which is said', async () => {
  await expect(askedExperiment(pools, { outcomes: ['contrast'] })).rejects.toThrow('Experiment exp04b: the outcome');
  await expect(askedExperiment(pools, { arms: ['no_document'] })).rejects.toThrow('Experiment exp04b: the arm');
  const said: string[] = [];
  const asked = { outcomes: ['contrast' as const], arms: ['no_document' as const, 'machinery' as const] };
  const fitting = await askedAsFits(pools, asked, (sentence) => said.push(sentence));
  expect(fitting.outcomes).toBeUndefined();
  expect(fitting.arms).toEqual(['machinery']);
  expect(said).toHaveLength(2);
  expect(said[0]).toContain('Left out: Experiment exp04b: the outcome "contrast" is of samples');
});

it('is refused none beside others, of one experiment and of all', async () => {
  const asked = { outcomes: ['none' as const, 'recall' as const] };
  const message = '--outcomes none recall: "none" is none at all, and recall stands beside it.';
  await expect(askedExperiment(samples, asked)).rejects.toThrow(message);
  await expect(askedAsFits(samples, asked, () => undefined)).rejects.toThrow(message);
});
