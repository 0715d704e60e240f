/** The authors' records as runs: folders that are reported, compared and read like those of this program, and that say what they are. */
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { fileError, forgetPartial, makeFolder, partialName } from '../../base/files.js';
import { shortestFloat32 } from '../../base/float32.js';
import { JournalWriter } from '../../runs/journal.js';
import { writeRecord } from '../../runs/record.js';
import { writeSummary } from '../../runs/run-folder.js';
import { writeSamples } from '../../runs/samples.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import { ownerOf } from '../../runs/schema/journal-head.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { Summary } from '../../runs/schema/summary.js';
import { TRIALS_FILE } from '../../runs/schema/trials.js';
import { summarize } from '../analysis/summarize.js';
import { EXPERIMENTS } from '../catalogue/registry.js';
import { restricted } from '../plan/conditions.js';
import type { AuthorsRecord } from './records.js';

/** A record as a run: all that its folder holds. */
export interface ImportedRun {
  readonly summary: Summary;
  readonly samples: readonly SampleRecord[];
  readonly trials: readonly Trial[];
}

/** Seconds of statistics. */
export function runOf({ experiment: id, source, samples: recorded }: AuthorsRecord): ImportedRun {
  const declared = EXPERIMENTS[id]!;
  const known = new Set(Object.keys(recorded[0]!.nlls));
  const configuration: Configuration = {
    experiment: ofRecord(declared, known),
    imported: source,
    samples: recorded.length,
    seed: declared.seed,
    dataset: {
      name: declared.protocol.dataset,
      revision: 'microsoft/ms_marco v1.1, validation; the commit is not recorded',
      licence: 'numbers without texts; the texts are under Microsoft’s terms for MS MARCO',
      selection: 'as the research’s notebooks took them, in their order',
      digest: source.digest,
    },
    model: {
      name: 'google/t5gemma-2-4b-4b',
      built_in: false,
      fingerprint: 'not recorded',
      precision: 'bfloat16',
      vocabulary: 262_144,
      window: 1024,
    },
    device: 'not recorded',
    max_tokens: declared.protocol.max_tokens,
    // One text at a time.
    batch_tokens: declared.protocol.max_tokens,
    writer: null,
  };
  const ids = recorded.map((_, at) => String(at).padStart(String(recorded.length - 1).length, '0'));
  const trials = recorded.flatMap(({ nlls, prefixTokens }, at) =>
    Object.entries(nlls).map(([condition, nll]): Trial => {
      const prefix_tokens = condition === 'bare' ? 0 : prefixTokens[condition];
      return {
        sample: ids[at]!,
        condition,
        nll,
        nll_sum: nll,
        num_tokens: 1,
        token_nlls: [shortestFloat32(nll)],
        ...(prefix_tokens !== undefined && { prefix_tokens }),
        cut: false,
      };
    }),
  );
  const samples = ids.map((sample): SampleRecord => ({ id: sample }));
  const passes = { encoder: 0, decoder: 0, naive_encoder: 0 };
  return { summary: summarize(configuration, trials, samples, passes), samples, trials };
}

/**
 * The experiment of an imported record. None of its comparisons was named beforehand: the primary comparison that the experiment declares concerns
 * our own runs, and so do its arms, which the research did not have.
 */
function ofRecord(declared: Experiment, known: ReadonlySet<string>): Experiment {
  const { primary: _primary, arms: _arms, ...experiment } = restricted(declared, (condition) => known.has(condition));
  return experiment;
}

/** @throws DkvError RUN_EXISTS where the folder is there already */
export async function expectNew(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw fileError(error, directory);
  });
  if (!found) return;
  throw new DkvError('RUN_EXISTS', `${directory} is there already. Choose another folder with --out, or remove it.`);
}

/**
 * Writes runs into a new folder, each into one of its experiment's name; the folder appears when all of them are whole.
 * @throws DkvError RUN_EXISTS, DISK_FULL, FILES_UNUSABLE; then nothing is left
 */
export async function writeImported(directory: string, runs: readonly ImportedRun[]): Promise<void> {
  await expectNew(directory);
  await makeFolder(path.dirname(path.resolve(directory)));
  const temporary = partialName(path.resolve(directory));
  try {
    for (const { summary, samples, trials } of runs) {
      const folder = path.join(temporary, summary.configuration.experiment.id);
      await makeFolder(folder);
      const written = await writeSamples(folder, samples);
      const record = await writeRecord(folder, summary.configuration, {}, { samples: written });
      const journal = await JournalWriter.open(path.join(folder, TRIALS_FILE), ownerOf(record));
      try {
        await journal.append(trials);
      } finally {
        await journal.close();
      }
      await writeSummary(folder, summary);
    }
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw fileError(error, directory);
  } finally {
    forgetPartial(temporary);
  }
}
