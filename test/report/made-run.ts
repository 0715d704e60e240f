/** Run folders without a model: trials are drawn, everything else is as a run leaves it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { shortestFloat32 } from '../../src/base/float32.js';
import { Random } from '../../src/base/random.js';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { JournalWriter } from '../../src/runs/journal.js';
import { writeRecord } from '../../src/runs/record.js';
import { writeSamples } from '../../src/runs/samples.js';
import type { Configuration } from '../../src/runs/schema/configuration.js';
import { sumOf, type Trial } from '../../src/runs/schema/entry.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import { ownerOf } from '../../src/runs/schema/journal-head.js';
import type { FinishedRun } from '../../src/runs/schema/run.js';
import type { SampleRecord } from '../../src/runs/schema/sample.js';
import { sealedFile } from '../../src/runs/schema/sealed.js';
import type { Summary } from '../../src/runs/schema/summary.js';

export interface MadeRun {
  readonly samples?: number;
  readonly model?: Partial<Configuration['model']>;
  readonly dataset?: string;
  readonly texts?: SampleRecord['texts'];
  /** Candidates of each pool; no pools when left out. */
  readonly candidates?: number;
  /** Another draw of the same. */
  readonly draw?: number;
  /** Of each target; drawn when left out. */
  readonly tokens?: number;
}

/** Conditions with a prefix are better by 0.5 nats, the oracle by one, the rest is noise. */
export function madeRun(experiment: Experiment, options: MadeRun = {}): Omit<FinishedRun, 'record'> {
  const { configuration, trials, samples } = madeTrials(experiment, options);
  const passes = { encoder: 100, decoder: 300, naive_encoder: 250 };
  return { summary: summarize(configuration, trials, samples, passes), trials, samples };
}

/** The same without statistics, which take seconds for large runs. */
export function madeTrials(experiment: Experiment, options: MadeRun = {}) {
  const { samples: count = 40, candidates = 0 } = options;
  const configuration: Configuration = {
    experiment,
    samples: candidates > 0 ? count / candidates : count,
    seed: 1,
    dataset: {
      name: options.dataset ?? 'made-up',
      revision: '1',
      licence: 'none',
      selection: 'all',
      digest: 'd'.repeat(64),
    },
    model: {
      name: 'some/model',
      built_in: false,
      fingerprint: 'f'.repeat(64),
      precision: 'float32',
      window: null,
      ...options.model,
    },
    device: 'cpu',
    max_tokens: 8192,
    batch_tokens: 512,
    writer: null,
  };
  const random = new Random('made run', ...(options.draw === undefined ? [] : [options.draw]));
  const samples = Array.from(
    { length: count },
    (_, i): SampleRecord => ({
      id: `s${String(i).padStart(4, '0')}`,
      ...(candidates > 0 && {
        pool: `p${Math.floor(i / candidates)}`,
        candidate: `c${i % candidates}`,
        grade: i % candidates === 0 ? 3 : (i % candidates) % 2,
        relevant: 2,
      }),
      ...(options.texts && { texts: options.texts }),
    }),
  );
  const trials = samples.flatMap(({ id }) => {
    const num_tokens = options.tokens ?? 1 + random.below(6);
    return experiment.conditions.map(({ name, surrogate }): Trial => {
      const gain = surrogate === undefined ? 0 : surrogate === 'oracle' ? 1 : 0.5;
      const token_nlls = Array.from({ length: num_tokens }, () =>
        shortestFloat32(Math.fround(2 + 2 * random.float() - gain)),
      );
      const nll_sum = sumOf(token_nlls);
      const prefix_tokens = surrogate === undefined ? 0 : 6;
      const rows = { num_tokens, prefix_tokens, document_tokens: 80, cut: false };
      return { sample: id, condition: name, nll: nll_sum / num_tokens, nll_sum, token_nlls, ...rows };
    });
  });
  return { configuration, trials, samples };
}

/** Leaves the run in a folder, as `dkv run` does. */
export async function writeRun(
  directory: string,
  { summary, trials, samples }: Omit<FinishedRun, 'record'>,
): Promise<Summary> {
  await mkdir(directory, { recursive: true });
  const written = await writeSamples(directory, samples);
  const versions = { 'onnxruntime-node': '1.0.0' };
  const record = await writeRecord(directory, summary.configuration, versions, { samples: written });
  const journal = await JournalWriter.open(path.join(directory, 'trials.jsonl'), ownerOf(record));
  await journal.append([...trials]);
  await journal.close();
  await writeFile(path.join(directory, 'summary.json'), sealedFile(summary));
  return summary;
}
