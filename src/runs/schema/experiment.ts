/**
 * An experiment is data: which samples it asks for, which conditions are scored, which of them are compared and how the comparisons are
 * shown. The runner, the journal, the statistics and the report are the same for all; a user's own is a file of this form. A run's record
 * holds the whole of it, so this is the form of a file as well.
 */
import { z } from 'zod';
import { conditionSchema, PROMPTS } from '../../priming/condition.js';
import { surrogate } from '../../priming/surrogate.js';

const name = z.string().min(1);

/** An experiment's results get a folder of its name. */
const id = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u,
    'expected a name of letters, digits, ".", "_" and "-", at most 100: it names a folder',
  );

/** A treatment against its lower bound. With an upper bound it also says how much of the gap it closes. */
export const comparisonSchema = z.strictObject({
  treatment: name,
  baseline: name,
  /** The baseline for a model that lacks a segment which the first one needs. */
  otherwise: name.optional(),
  oracle: name.optional(),
  /** P-values are corrected over the comparisons of one family; all that name none are one. */
  family: name.optional(),
});

export type Comparison = z.infer<typeof comparisonSchema>;

/** A sum of conditions' NLLs, weighted; positive is better where the weights are baseline 1, treatment -1. */
const contrastSchema = z.strictObject({
  name,
  terms: z.record(name, z.number()),
  /** Another contrast of the group that this one is a share of. */
  share_of: name.optional(),
});

export type Contrast = z.infer<typeof contrastSchema>;

/** Contrasts that are read together: a decomposition, a two by two, head-to-heads. One family for Holm's correction. */
const contrastGroupSchema = z.strictObject({
  title: name,
  note: z.string().default(''),
  contrasts: z.array(contrastSchema).min(1),
  /** Contrasts whose p is corrected; all when left out. */
  family: z.array(name).optional(),
  /** Margin, in Cohen's d, for tests of equivalence to 0. */
  equivalence_margin: z.number().positive().optional(),
  /** Bars of shares instead of effects. */
  decomposition: z.boolean().default(false),
});

export type ContrastGroup = z.infer<typeof contrastGroupSchema>;

/** Effects along an axis: lengths, numbers of words, repetitions. */
const curveSchema = z.strictObject({
  title: name,
  axis: name,
  series: z.array(
    z.strictObject({
      name,
      points: z.array(z.strictObject({ x: z.union([z.number(), z.string()]), treatment: name, baseline: name })).min(1),
    }),
  ),
});

/** Does the effect follow an order of the treatments given beforehand? Spearman's correlation of rank and d. */
const orderSchema = z.strictObject({ title: name, treatments: z.array(name).min(3), baseline: name });

/** The best of several treatments, chosen and measured on different samples. */
const selectionSchema = z.strictObject({ title: name, treatments: z.array(name).min(2), baseline: name });

/** Two conditions that are the same by construction. */
const identitySchema = z.strictObject({
  name,
  left: name,
  right: name,
  /** The right side for a model that lacks a segment which the first one needs. */
  otherwise: name.optional(),
  /** Only for inputs that fit into the encoder's sliding window, because rows between others take up places in it. */
  within_window: z.boolean().default(false),
  /** Only for models that know no places of rows, but their distances: rows are moved as a whole. */
  relative: z.literal(true).optional(),
});

/** What the research's log says of one model. */
const authorsSchema = z.strictObject({
  model: name,
  /** Of a comparison: its treatment, or `treatment over baseline` where several have that treatment. */
  d: z.record(name, z.number()),
  /** Mean NLL of conditions, in nats a token. */
  nll: z.record(name, z.number()).optional(),
});

export type AuthorsFigures = z.infer<typeof authorsSchema>;

export const experimentSchema = z.strictObject({
  id,
  title: name,
  question: name,
  /** What is scored: a sample's answer, the candidates of a pool, or nothing (what happens in the encoder is measured). */
  unit: z.enum(['sample', 'pool', 'probe']).default('sample'),
  protocol: z
    .strictObject({
      /** Samples or pools that the protocol asks for; a run with fewer is a smoke run. */
      samples: z.number().int().positive(),
      /** The research's dataset, by its name here. */
      dataset: z.string().default('ms-marco'),
      /** Rows that the encoder may read. */
      max_tokens: z.number().int().positive().default(2048),
      /** Of the target's tokens the first ones that are scored; all when left out. */
      target_tokens: z.number().int().positive().optional(),
    })
    .prefault({ samples: 500 }),
  /** Seed of everything drawn at random. */
  seed: z.number().int().default(42),
  /** Which samples a dataset is asked for. */
  rule: z.enum(['standard', 'length', 'factoid']).default('standard'),
  /** Texts to make documents longer with, at least. */
  padding: z.number().int().nonnegative().default(0),
  /** Of the padding, sample i begins at text i times this one. */
  padding_step: z.number().int().positive().default(50),
  /** What is scored. */
  target: z.enum(['answer', 'query']).default('answer'),
  /** What the decoder reads before the target, in conditions that do not say it themselves. */
  prompt: z.enum(PROMPTS).default('none'),
  conditions: z.array(conditionSchema).min(1),
  comparisons: z.array(comparisonSchema).default([]),
  /** The one comparison that was named beforehand; the first when left out. */
  primary: z.strictObject({ treatment: name, baseline: name }).optional(),
  contrasts: z.array(contrastGroupSchema).default([]),
  curves: z.array(curveSchema).default([]),
  orders: z.array(orderSchema).default([]),
  /** Conditions that must give the same NLLs; a run says when they do not. */
  identities: z.array(identitySchema).default([]),
  selections: z.array(selectionSchema).default([]),
  /** Of a ranking: names as in `measure`. */
  measures: z.array(name).default([]),
  /** Of a probe: layers whose attention and whose output is read; those that the model does not have are left out. */
  layers: z.strictObject({ attention: z.array(z.number().int()), hidden: z.array(z.number().int()) }).optional(),
  /** Shown beside a run of the same model, data and N. */
  authors: z.union([authorsSchema, z.array(authorsSchema).min(1)]).optional(),
});

export type Experiment = z.infer<typeof experimentSchema>;
export type ExperimentDeclaration = z.input<typeof experimentSchema>;

/** Every surrogate that an experiment uses. */
export function specificationsOf({ conditions }: Pick<Experiment, 'conditions'>): string[] {
  const encodings = conditions.flatMap((condition) => [condition, ...(condition.also ?? [])]);
  return [...new Set(encodings.flatMap((encoding) => encoding.surrogate ?? []))];
}

/** Does it need texts by a language model? */
export function asksLanguageModel(experiment: Pick<Experiment, 'conditions'>): boolean {
  return specificationsOf(experiment).some((specification) => surrogate(specification).preparation?.by === 'llm');
}
