/**
 * The authors' log as data: figures that the research published, each with the file it comes from, by experiment and model. They stand in
 * `data/authors-log.yaml` and nowhere else. Knows nothing of runs.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { fileError } from '../../base/files.js';
import { parse } from '../../base/parse.js';

const text = z.string().min(1);
const effects = z.strictObject({
  gain: z.number().optional(),
  d: z.number().optional(),
  win: z.number().optional(),
  p: z.number().optional(),
  share: z.number().optional(),
  authors_share: z.number().optional(),
});

/** What the log says of a comparison or a contrast: the mean gain in nats a token, d, percent of wins, p of the t-test, percent of the whole. */
export type LoggedEffects = z.infer<typeof effects>;

const fifths = z.array(z.number()).length(5);

const entrySchema = z.strictObject({
  model: text,
  samples: z.number().int().positive(),
  sources: z.array(text).min(1),
  notes: z.array(text).default([]),
  conditions: z.record(text, z.strictObject({ nll: z.number() })).default({}),
  /** The effects of comparisons, under the treatment or `treatment over baseline`. */
  comparisons: z.record(text, effects).default({}),
  /** The effects of contrasts, by the group's title and the contrast's name. */
  contrasts: z.record(text, z.record(text, effects)).default({}),
  orders: z.record(text, z.strictObject({ rho: z.number(), p: z.number() })).default({}),
  /** The hardness of comparisons: fifths by the bare document's NLL, the easiest first, and Pearson's correlation. */
  hardness: z
    .record(text, z.strictObject({ n: fifths, bare: fifths, gain: fifths, r: z.number() }).partial())
    .default({}),
  ranking: z
    .strictObject({
      /** The measures of rankings, by measure and condition; p is Wilcoxon's. */
      measures: z.record(
        text,
        z.record(
          text,
          z.strictObject({
            mean: z.number(),
            difference: z.number().optional(),
            d: z.number().optional(),
            p: z.number().optional(),
          }),
        ),
      ),
      /** The differential signal, by condition; `p_greater` is one-sided, `positive` is the percentage of queries. */
      differential: z.record(
        text,
        z.strictObject({
          relevant: z.number(),
          others: z.number(),
          mean: z.number(),
          d: z.number(),
          p_greater: z.number(),
          positive: z.number(),
        }),
      ),
    })
    .optional(),
  /** The measures of a probe, by measure (or a sum of measures), condition and layer. */
  probe: z.record(text, z.record(text, z.record(z.string().regex(/^\d+$/), z.number()))).default({}),
  /** Figures that no run here measures, by their names. */
  others: z.record(text, z.union([z.number(), z.array(z.number())])).default({}),
});

/** What the log says of an experiment with one model. */
export type LogEntry = z.infer<typeof entrySchema>;

const logSchema = z.strictObject({
  repository: text,
  revision: text,
  experiments: z.record(text, z.array(entrySchema).min(1)),
});

const FILE = path.resolve(import.meta.dirname, '../../../data/authors-log.yaml');

let read: z.infer<typeof logSchema> | undefined;

/**
 * The log by experiment: those of the catalogue under their ids, others under the research's own names. Read when it is first asked for.
 * @throws DkvError FILES_UNUSABLE, INPUT_INVALID where the file is not as the package has it
 */
export function authorsLog(): Readonly<Record<string, readonly LogEntry[]>> {
  read ??= readLog();
  return read.experiments;
}

function readLog(): z.infer<typeof logSchema> {
  const advice = 'It is part of the package: install directed-kvcache again.';
  let value: unknown;
  try {
    value = parseYaml(readFileSync(FILE, 'utf8'));
  } catch (error) {
    const cause = fileError(error, FILE, advice);
    if (cause instanceof DkvError) throw cause;
    throw new DkvError('INPUT_INVALID', `${FILE}: no YAML (${messageOf(error)}). ${advice}`, { cause: error });
  }
  return parse(logSchema, value, 'INPUT_INVALID', FILE, advice);
}
