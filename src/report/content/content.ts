/**
 * What a report says, as data: sections of text, tables and figures, made from a run's record alone. The forms (HTML, Markdown, notebook,
 * LaTeX, pictures) render the same content.
 */

import type { Trial } from '../../runs/schema/entry.js';
import type { LockedPlan, PlanOutcome } from '../../runs/schema/locked-plan.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import type { Summary } from '../../runs/schema/summary.js';
import { contrastPlot, isTwoByTwo, twoByTwoPlot } from '../figures/contrasts.js';
import { curvePlot } from '../figures/curves.js';
import { decompositionPlot, decompositionsOf } from '../figures/decomposition.js';
import { differencePlot, effectPlot, hardnessComparisons, hardnessPlot } from '../figures/effects.js';
import { attentionHeatMap, probePlot } from '../figures/probe.js';
import { rankingPlot } from '../figures/ranking.js';
import { authorsNotes, authorsTables } from '../tables/authors.js';
import { conditionTable } from '../tables/conditions.js';
import {
  contrastNotes,
  contrastTable,
  IDENTITY_NOTE,
  identityTable,
  ORDER_NOTE,
  orderTable,
  SELECTION_NOTE,
  selectionTable,
} from '../tables/contrasts.js';
import {
  effectsOf,
  type GainGroup,
  gainGroups,
  gainTable,
  type HardnessAxis,
  hardnessTable,
  relativeTable,
  reliabilityNote,
  statisticsTable,
} from '../tables/gains.js';
import { origin } from '../tables/origin.js';
import {
  contrastClassTable,
  contrastConditionTable,
  contrastNote,
  contrastOutcomeTable,
  RECALL_NOTE,
  recallConditionTable,
  recallTable,
} from '../tables/outcomes.js';
import { probeNote, probeTable } from '../tables/probe.js';
import {
  DIFFERENTIAL_NOTE,
  differenceTable,
  differentialTable,
  judgedTable,
  measureTable,
  rankingHeadline,
  rankingNote,
  rankingTestTable,
} from '../tables/ranking.js';
import { temperatureNote, temperatureTable } from '../tables/temperature.js';
import { KINDS_NOTE, stepTable, verdictNote, verdictTable } from '../tables/verdict.js';
import { signed, slugOf, withInterval } from '../words/format.js';
import { finding, headline } from '../words/headline.js';
import { FRAMING, HARDNESS_NOTE, methods, sampleNotes, screeningNote } from '../words/notes.js';
import { describeConformity, describeDeviations, describeOutcome, describePlan } from '../words/plan.js';
import { describeVerdicts } from '../words/verdict.js';
import { workedSample } from '../words/worked-sample.js';
import { type Block, figure, note, paragraph, type Section, table } from './block.js';

/** @param noText leaves out the sample that is shown with its texts */
export function contentOf(run: FinishedRun, { noText = false }: { noText?: boolean } = {}): Section[] {
  const { record, summary, trials } = run;
  const { ranking, probe } = summary;
  const found = finding(summary);
  return [
    ...(found === undefined ? [] : [wordsSection(run, found, noText)]),
    ...(summary.plan && record.plan ? [planSection(record.plan.locked, summary.plan)] : []),
    ...(summary.configuration.experiment.curves.length > 0 ? [curveSection(summary)] : []),
    ...(summary.comparisons.length > 0 ? gainSections(summary, trials) : []),
    ...(summary.verdicts ? [verdictSection(summary, summary.verdicts)] : []),
    ...contrastSections(summary),
    ...(ranking ? [rankingSection(summary, ranking)] : []),
    ...(probe ? [probeSection(summary, probe)] : []),
    ...outcomeSections(summary),
    ...(summary.comparisons.length > 0 ? [hardnessSection(summary)] : []),
    ...(probe
      ? []
      : [
          {
            title: 'Conditions',
            blocks: [table('conditions', 'Mean NLL of every condition', conditionTable(summary))],
          },
        ]),
    ...(summary.identities.length > 0
      ? [
          {
            title: 'Identities',
            blocks: [note(IDENTITY_NOTE), table('identities', 'Identities', identityTable(summary))],
          },
        ]
      : []),
    { title: 'Authors’ log', blocks: authorsBlocks(summary) },
    {
      title: 'Methods and samples',
      blocks: [...methods(summary).map(note), { kind: 'list', items: sampleNotes(summary) }],
    },
    { title: 'Origin', blocks: [table('origin', 'Where the numbers come from', origin(record))] },
  ];
}

/** What was found, for readers who will read no table, and one sample of which that is true. */
function wordsSection(run: FinishedRun, found: string, noText: boolean): Section {
  const sample = noText ? undefined : workedSample(run);
  return {
    title: 'In words',
    blocks: [
      paragraph(found),
      ...(run.summary.probe ? [] : [note(FRAMING)]),
      ...(sample ? [paragraph(sample.title), { kind: 'list' as const, items: sample.items }] : []),
    ],
  };
}

function planSection(plan: LockedPlan, outcome: PlanOutcome): Section {
  const deviations = describeDeviations(outcome);
  return {
    title: 'Plan',
    blocks: [
      paragraph(describeConformity(outcome)),
      ...(deviations.length > 0 ? [{ kind: 'list' as const, items: deviations }] : []),
      paragraph(describeOutcome(outcome)),
      ...describePlan(plan).map(note),
    ],
  };
}

/** The largest number of rows in a figure; more are divided by what the decoder sees. */
const ROWS_OF_A_FIGURE = 30;

function gainSections(summary: Summary, trials: readonly Trial[]): Section[] {
  const groups = gainGroups(summary);
  const sentence = headline(summary);
  const pictureOf = (group: GainGroup) => ({ name: `-${group.slug}`, about: `${group.title}. `, shown: [group] });
  const together = groups.filter(({ hasOwnScale }) => !hasOwnScale);
  const pictures: { name: string; about: string; shown: readonly GainGroup[] }[] =
    together.length > 0 && effectsOf(summary).length <= ROWS_OF_A_FIGURE
      ? [{ name: '', about: '', shown: together }, ...groups.filter(({ hasOwnScale }) => hasOwnScale).map(pictureOf)]
      : groups.map(pictureOf);
  return [
    {
      title: 'Gains',
      blocks: [
        ...(sentence === undefined ? [] : [paragraph(sentence)]),
        ...pictures.map(({ name, about, shown }) =>
          figure(
            `effects${name}`,
            `${about}Gain of each condition over its baseline, in nats and in standard deviations; right of 0 is better.`,
            (frame) => effectPlot(summary, shown, frame),
          ),
        ),
        ...groups.flatMap(({ slug, title, comparisons }) => [
          table(`gains-${slug}`, title, gainTable(summary, comparisons)),
          table(`statistics-${slug}`, `${title}: further statistics`, statisticsTable(summary, comparisons), true),
        ]),
      ],
    },
    {
      title: 'Paired differences',
      blocks: pictures.map(({ name, about, shown }) =>
        figure(
          `differences${name}`,
          `${about}How much less surprising the target became, one tick a sample (an even choice of many). Line 5–95%, bar 25–75%, white tick median, white dot mean.`,
          (frame) => differencePlot(summary, shown, trials, frame),
        ),
      ),
    },
  ];
}

function curveSection(summary: Summary): Section {
  const { curves } = summary.configuration.experiment;
  return {
    title: 'Curves',
    blocks: curves.map((curve) =>
      figure(`curve-${slugOf(curve.title)}`, `${curve.title}.`, (frame) => curvePlot(summary, curve, frame)),
    ),
  };
}

function verdictSection({ configuration, samples }: Summary, verdicts: NonNullable<Summary['verdicts']>): Section {
  const by = samples.dependence?.by;
  return {
    title: 'Verdict',
    blocks: [
      { kind: 'list', items: describeVerdicts(verdicts) },
      note(verdictNote(configuration.margin_from)),
      ...(by === 'question kind' ? [note(KINDS_NOTE)] : []),
      table(
        'verdicts',
        'What the gain of each prefix is made of',
        verdictTable(verdicts, by, configuration.margin_from),
      ),
      table('verdict-steps', 'The steps behind the verdicts', stepTable(verdicts, by), true),
    ],
  };
}

function contrastSections(summary: Summary): Section[] {
  const { contrasts, orders, selections, configuration } = summary;
  const declared = configuration.experiment.contrasts;
  const crossed = declared.filter(isTwoByTwo);
  const parts = contrasts.filter(({ decomposition }) => decomposition);
  const others = contrasts.filter(({ decomposition }) => !decomposition);
  const sections: Section[] = [];
  const said = new Set<string>();
  // What was said of one group is not said again of the next.
  const notesOf = (group: Summary['contrasts'][number]) => {
    const fresh = contrastNotes(group, summary.samples.scored).filter((line) => !said.has(line));
    for (const line of fresh) said.add(line);
    return fresh.map(note);
  };
  const tableOf = (group: Summary['contrasts'][number]) =>
    table(`contrasts-${slugOf(group.title)}`, group.title, contrastTable(group));
  if (contrasts.length > 0) {
    sections.push({
      title: 'Contrasts',
      blocks: [
        ...parts.flatMap((group) => [
          ...notesOf(group),
          ...decompositionsOf(group, declared.find(({ title }) => title === group.title)!).map((whole) =>
            figure(
              `decomposition-${slugOf(whole.title)}`,
              `${whole.title}: ${withInterval(whole.total.gain.mean, (x) => signed(x, 3))} nats a token, and ${whole.about}.`,
              (frame) => decompositionPlot(whole, frame),
            ),
          ),
          tableOf(group),
        ]),
        ...(crossed.length > 0
          ? [
              figure(
                'two-by-two',
                'Both factors, all four cells; parallel lines mean that they do not act together.',
                (frame) => twoByTwoPlot(summary, crossed, frame),
              ),
            ]
          : []),
        ...(others.length > 0
          ? [
              figure('contrasts', 'Size of each contrast, in nats and in standard deviations.', (frame) =>
                contrastPlot(summary, others, frame),
              ),
            ]
          : []),
        ...others.flatMap((group) => [tableOf(group), ...notesOf(group)]),
      ],
    });
  }
  if (orders.length > 0) {
    sections.push({ title: 'Order', blocks: [note(ORDER_NOTE), table('orders', 'Orders', orderTable(summary))] });
  }
  if (selections.length > 0) {
    sections.push({
      title: 'Selection',
      blocks: [note(SELECTION_NOTE), table('selections', 'Selections', selectionTable(summary))],
    });
  }
  return sections;
}

function rankingSection(summary: Summary, ranking: NonNullable<Summary['ranking']>): Section {
  const overAll = judgedTable(ranking);
  const { unranked = [] } = ranking;
  const headlines = [rankingHeadline(summary, ranking), screeningNote(ranking)].filter((line) => line !== undefined);
  const without = unranked.length > 0 ? ` None could be scored of ${unranked.join(', ')}, which count 0.` : '';
  return {
    title: 'Ranking',
    blocks: [
      paragraph(`${ranking.pools} judged pools with ${ranking.candidates} scored candidates.${without}`),
      ...headlines.map(paragraph),
      note(rankingNote(ranking)),
      figure('ranking', 'Measures of each condition.', (frame) => rankingPlot(summary, ranking, frame)),
      table('ranking', 'Measures over the judged pools with a relevant candidate', measureTable(summary, ranking)),
      ...(overAll ? [table('ranking-judged', `Measures over all ${ranking.pools} judged pools`, overAll)] : []),
      table('ranking-differences', 'Differences to the baseline', differenceTable(summary, ranking)),
      table('ranking-tests', 'Tests of the differences', rankingTestTable(summary, ranking), true),
      note(DIFFERENTIAL_NOTE),
      table('differential', 'Differential signal', differentialTable(summary, ranking)),
    ],
  };
}

function probeSection({ configuration }: Summary, probe: NonNullable<Summary['probe']>): Section {
  return {
    title: 'Inside the encoder',
    blocks: [
      note(probeNote(configuration.model.segments)),
      figure('attention', 'Where the document’s rows look: mean share of their attention.', (frame) =>
        attentionHeatMap(probe, frame),
      ),
      figure('probe', 'Means by layer.', (frame) => probePlot(probe, frame)),
      table('probe', 'By layer', probeTable(probe), true),
    ],
  };
}

function hardnessSection(summary: Summary): Section {
  const shown = hardnessComparisons(summary).length;
  const form =
    shown < summary.comparisons.length
      ? ' Only comparisons with the form of document and beginning of the target that the primary one has.'
      : '';
  return {
    title: 'Hardness',
    blocks: [
      note(HARDNESS_NOTE),
      note(reliabilityNote(summary)),
      figure('hardness', `Mean gain by fifth of hardness.${form}`, (frame) => hardnessPlot(summary, frame)),
      ...AXES.flatMap(({ axis, title }) => {
        const content = hardnessTable(summary, axis);
        return content
          ? [table(`hardness-${axis}`, `Mean gain in nats by fifth of hardness, ${title}`, content, true)]
          : [];
      }),
      table(
        'hardness-relative',
        'Gain in percent of the baseline’s NLL, by fifth of that NLL',
        relativeTable(summary),
        true,
      ),
    ],
  };
}

/** What was measured beside NLLs. */
function outcomeSections(summary: Summary): Section[] {
  const { temperature, contrast, recall } = summary;
  const sections: Section[] = [];
  if (temperature) {
    sections.push({
      title: 'Temperature',
      blocks: [
        note(temperatureNote(temperature)),
        table(
          'temperature',
          'Gains, calibration and temperatures',
          temperatureTable(temperature, summary.configuration.experiment),
        ),
      ],
    });
  }
  if (contrast) {
    sections.push({
      title: 'Right and wrong answers',
      blocks: [
        note(contrastNote(contrast)),
        table('contrast', 'How much better the right answer is told', contrastOutcomeTable(contrast, summary)),
        table('contrast-classes', 'The same by where wrong answers come from', contrastClassTable(contrast), true),
        table('contrast-conditions', 'Each condition', contrastConditionTable(contrast), true),
      ],
    });
  }
  if (recall) {
    sections.push({
      title: 'What the model says',
      blocks: [
        note(RECALL_NOTE),
        table('recall', 'How much more often it says the answer', recallTable(recall, summary)),
        table('recall-conditions', 'Each condition', recallConditionTable(recall), true),
      ],
    });
  }
  return sections;
}

const AXES: readonly { readonly axis: HardnessAxis; readonly title: string }[] = [
  { axis: 'split', title: 'split tokens' },
  { axis: 'oldham', title: 'Oldham’s axis' },
  { axis: 'coupled', title: 'coupled (the authors’ axis)' },
];

function authorsBlocks(summary: Summary): Block[] {
  return [
    ...authorsNotes(summary).map(note),
    ...authorsTables(summary).map(({ slug, title, table: beside, folded = false }) =>
      table(`authors-${slug}`, `Authors’ log: ${title}`, beside, folded),
    ),
  ];
}
