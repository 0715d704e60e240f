/**
 * An experiment is data: which samples it asks for, which conditions are scored, which of them are compared and how the comparisons are
 * shown. The runner, the journal, the statistics and the report are the same for all; a user's own is a file of this form. A run's record
 * holds the whole of it, so this is the form of a file as well.
 */
import { z } from 'zod';
import { conditionSchema, PROMPTS } from '../../priming/condition.js';
import { surrogate } from '../../priming/surrogate.js';

const name = z.string().min(1);

/** What can be measured beside NLLs. */
const OUTCOMES = ['temperature', 'contrast', 'recall'] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** What an experiment may be given besides its own conditions. */
const ARMS = ['machinery', 'no_document', 'target_form'] as const;

export type Arm = (typeof ARMS)[number];

/** An experiment's results get a folder of its name. */
const id = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u,
    'expected a name of letters, digits, ".", "_" and "-", at most 100: it names a folder',
  );

/** A treatment against its lower bound. With an upper bound it also says how much of the gap it closes. */
export const comparisonSchema = z.strictObject({
  treatment: name.describe('A condition’s name.'),
  baseline: name.describe('The condition that it is compared with.'),
  otherwise: name.optional().describe('The baseline for a model that lacks a segment which the first one needs.'),
  control: name
    .optional()
    .describe(
      'The treatment with a prefix without content: its gain over the baseline is machinery, what the treatment has more is content.',
    ),
  oracle: name.optional().describe('The upper bound: the share of its gain is told.'),
  family: name
    .optional()
    .describe(
      'P-values are corrected over the comparisons of one family; comparisons that name no family form one together.',
    ),
});

export type Comparison = z.infer<typeof comparisonSchema>;

/** A sum of conditions' NLLs, weighted; positive is better where the weights are baseline 1, treatment -1. */
const contrastSchema = z.strictObject({
  name: name.describe('The contrast’s name.'),
  terms: z.record(name, z.number()).describe('Weights of conditions, each under the condition’s name.'),
  otherwise: z
    .record(name, z.number())
    .optional()
    .describe('The terms for a model that lacks a segment which the first ones need.'),
  share_of: name.optional().describe('Another contrast of the group that this one is a share of.'),
});

export type Contrast = z.infer<typeof contrastSchema>;

/** Contrasts that are read together: a decomposition, a two by two, head-to-heads. One family for Holm's correction. */
const contrastGroupSchema = z.strictObject({
  title: name.describe('The group’s title.'),
  note: z.string().default('').describe('What a reader should know.'),
  contrasts: z.array(contrastSchema).min(1).describe('The contrasts that are read together.'),
  family: z.array(name).optional().describe('Contrasts whose p is corrected; all when left out.'),
  equivalence_margin: z.number().positive().optional().describe('Margin, in Cohen’s d, for tests of equivalence to 0.'),
  decomposition: z.boolean().default(false).describe('Bars of shares instead of effects.'),
  verdict: name
    .optional()
    .describe(
      'The group gets a verdict, from its contrasts that are named H, W, P0, V, P*, I, L and S; intervals of all groups that say the same here hold together.',
    ),
});

export type ContrastGroup = z.infer<typeof contrastGroupSchema>;

/** Effects along an axis: lengths, numbers of words, repetitions. */
const curveSchema = z.strictObject({
  title: name.describe('The figure’s title.'),
  axis: name.describe('The axis’s title.'),
  series: z
    .array(
      z.strictObject({
        name: name.describe('The line’s name.'),
        points: z
          .array(
            z.strictObject({
              x: z.union([z.number(), z.string()]).describe('The point’s place on the axis.'),
              treatment: name.describe('A condition’s name.'),
              baseline: name.describe('What it is compared with.'),
            }),
          )
          .min(1)
          .describe('The line’s points.'),
      }),
    )
    .describe('The figure’s lines.'),
});

/** An order of the treatments given beforehand, and the question whether the effect follows it: Spearman's correlation of rank and d. */
const orderSchema = z.strictObject({
  title: name.describe('The order’s title.'),
  treatments: z
    .array(name)
    .min(3)
    .describe('Treatments in the order that is expected, the one with the largest effect first.'),
  baseline: name.describe('What they are compared with.'),
});

/** The best of several treatments, chosen and measured on different samples. */
const selectionSchema = z.strictObject({
  title: name.describe('The choice’s title.'),
  treatments: z.array(name).min(2).describe('The treatments that are chosen from.'),
  baseline: name.describe('What they are compared with.'),
});

/** Two conditions that are the same by construction. */
const identitySchema = z.strictObject({
  name: name.describe('The identity’s name.'),
  left: name.describe('A condition’s name.'),
  right: name.describe('Name of the condition that must be the same.'),
  otherwise: name.optional().describe('The right side for a model that lacks a segment which the first one needs.'),
  within_window: z
    .boolean()
    .default(false)
    .describe(
      'Only for inputs that fit into the encoder’s sliding window, because rows between others take up places in it.',
    ),
  relative: z.literal(true).optional().describe('Not asked of models with learned positions, because rows are moved.'),
});

/** The figures that others found with one model. */
const authorsSchema = z.strictObject({
  model: name.describe('The model that the log is of.'),
  d: z
    .record(name, z.number())
    .describe(
      'The log’s d of comparisons, each under its treatment, or under `treatment over baseline` where several have that treatment.',
    ),
  nll: z.record(name, z.number()).optional().describe('Mean NLL of conditions, in nats a token.'),
});

export const experimentSchema = z
  .strictObject({
    id: id.describe('A name of letters, digits, ".", "_" and "-": results get a folder of it.'),
    title: name.describe('The experiment’s title in tables and reports.'),
    question: name.describe('What the experiment asks, in a sentence.'),
    unit: z
      .enum(['sample', 'pool', 'probe'])
      .default('sample')
      .describe(
        'What is scored: a sample’s answer, the candidates of a pool, or nothing (what happens in the encoder is measured).',
      ),
    protocol: z
      .strictObject({
        samples: z
          .number()
          .int()
          .positive()
          .describe('Samples or pools that the protocol asks for; a run with fewer is a smoke run.'),
        dataset: z
          .string()
          .default('ms-marco')
          .describe(
            'The dataset that the protocol is for, by its name here. Where the experiment’s file names its data, it is these, unless the protocol says otherwise.',
          ),
        max_tokens: z.number().int().positive().default(2048).describe('Rows that the encoder may read.'),
        target_tokens: z
          .number()
          .int()
          .positive()
          .optional()
          .describe('How many of the target’s first tokens are scored; all when left out.'),
      })
      .prefault({ samples: 500 })
      .describe('What the protocol asks for.'),
    seed: z.number().int().default(42).describe('Seed of everything drawn at random.'),
    rule: z
      .enum(['standard', 'length', 'factoid'])
      .default('standard')
      .describe('Which samples a dataset is asked for.'),
    padding: z.number().int().nonnegative().default(0).describe('Texts to make documents longer with, at least.'),
    padding_step: z
      .number()
      .int()
      .positive()
      .default(50)
      .describe('Sample i takes the padding from text i times this number on.'),
    target: z.enum(['answer', 'query']).default('answer').describe('What is scored.'),
    prompt: z
      .enum(PROMPTS)
      .default('none')
      .describe('What the decoder reads before the target, in conditions that do not say it themselves.'),
    conditions: z.array(conditionSchema).min(1).describe('How documents are presented.'),
    comparisons: z.array(comparisonSchema).default([]).describe('Treatments against their lower bounds.'),
    primary: z
      .strictObject({
        treatment: name.describe('The comparison’s treatment.'),
        baseline: name.describe('The comparison’s baseline.'),
      })
      .optional()
      .describe('The one comparison that was named beforehand; the first when left out.'),
    contrasts: z.array(contrastGroupSchema).default([]).describe('Weighted sums of conditions, in groups.'),
    curves: z.array(curveSchema).default([]).describe('Effects along an axis.'),
    orders: z.array(orderSchema).default([]).describe('Orders of treatments given beforehand.'),
    identities: z
      .array(identitySchema)
      .default([])
      .describe('Conditions that must give the same NLLs; a run says when they do not.'),
    selections: z.array(selectionSchema).default([]).describe('Choices among treatments, to be cross-validated.'),
    outcomes: z
      .array(z.enum(OUTCOMES))
      .optional()
      .describe(
        'What is measured besides, of samples only. `temperature`: NLLs at ten temperatures, and which part of a gain each arm’s own temperature makes up. `contrast`: how well the answer is told from seven wrong ones. `recall`: whether what the model says greedily holds the answer. The last two are of answers, not of queries.',
      ),
    arms: z
      .array(z.enum(ARMS))
      .optional()
      .describe(
        'What stands beside the experiment’s own conditions. `machinery`: beside every prefix that is compared with a document without one, a prefix without content of as many tokens, under the same mask; each gain is divided into machinery and content. `no_document`: the bare document is compared with none at all. `target_form`: the primary comparison again with a blank, and with a line break, before the target. A record has the conditions that they add.',
      ),
    measures: z.array(name).default([]).describe('Measures of a ranking, by their names.'),
    screening: z
      .strictObject({
        measure: name.describe('A measure of rankings, by its name.'),
        least: z.number().describe('What its mean must be at least.'),
        pools: z.number().int().positive().default(20).describe('How many of the first pools it is the mean of.'),
      })
      .optional()
      .describe(
        'For pools: a run stops after the first of them where the bare document, everything visible, does not rank their candidates so well.',
      ),
    layers: z
      .strictObject({
        attention: z.array(z.number().int()).describe('Layers whose attention is read.'),
        hidden: z.array(z.number().int()).describe('Layers whose output is read.'),
      })
      .optional()
      .describe('Layers that a probe looks into; those that the model does not have are left out.'),
    authors: z
      .union([authorsSchema, z.array(authorsSchema).min(1)])
      .optional()
      .describe(
        'Figures of others for an experiment of one’s own, shown beside a run of the same model, data and N. Those of the research stand in the package, in data/authors-log.yaml; records of its experiments that are older than that file hold some.',
      ),
  })
  .meta({ id: 'experiment' });

export type Experiment = z.infer<typeof experimentSchema>;
export type ExperimentDeclaration = z.input<typeof experimentSchema>;

/** The lower bound: the first condition that is the document alone, as it is. */
export function bareOf({ conditions }: Pick<Experiment, 'conditions'>): Experiment['conditions'][number] | undefined {
  return conditions.find(({ surrogate, document }) => surrogate === undefined && document === undefined);
}

/** Every surrogate that an experiment uses. */
export function specificationsOf({ conditions }: Pick<Experiment, 'conditions'>): string[] {
  const encodings = conditions.flatMap((condition) => [condition, ...(condition.also ?? [])]);
  return [...new Set(encodings.flatMap((encoding) => encoding.surrogate ?? []))];
}

/** Tells whether an experiment needs texts by a language model. */
export function asksLanguageModel(experiment: Pick<Experiment, 'conditions'>): boolean {
  return specificationsOf(experiment).some((specification) =>
    surrogate(specification).preparations.some(({ by }) => by === 'llm'),
  );
}

/** The columns of the data set that an experiment's surrogates are made of. */
export function columnsOf(experiment: Pick<Experiment, 'conditions'>): string[] {
  return [...new Set(specificationsOf(experiment).flatMap((specification) => surrogate(specification).columns))];
}
