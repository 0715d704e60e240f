/** `dkv evaluate --log`: which arm of an experiment did better, by a server's decision log and what its caller says became of decisions. No model is loaded. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { REPEATED, type Repeated } from '../server/joined-decisions.js';
import { type LogEvaluation, logEvaluationSchema } from '../wire/http/decisions.js';
import { printJson } from './json.js';
import { interruptSignal } from './terminal.js';

export interface LogOptions {
  readonly log?: readonly string[];
  readonly outcomes?: string;
  readonly control?: string;
  readonly detect?: number;
  readonly repeated: Repeated;
  readonly json: boolean;
}

/** The options of this form alone, by the names of their values. */
const OWN = ['outcomes', 'control', 'detect', 'repeated'];

/** What the other form cannot do without. */
const MANDATORY = ['--qrels', '--store', '--queries'];

/** Adds the options to a command whose other options are of another form. */
export function addLogOptions(command: Command): Command {
  for (const option of command.options) if (MANDATORY.includes(option.long!)) option.makeOptionMandatory(false);
  return command
    .option('--log <files...>', 'files or folders of a decision log: compare the arms of its experiment instead')
    .option('--outcomes <file>', 'JSON lines: {"decision_id", "document_id", "reward"}')
    .option('--control <arm>', 'what the other arms are compared with (default: the experiment’s first)')
    .option('--detect <reward>', 'say how many units would show this difference of mean rewards', positiveNumber)
    .addOption(
      new Option('--repeated <what>', 'what to do about a second outcome of a document of one decision')
        .choices(REPEATED)
        .default('error'),
    )
    .addHelpText('after', HELP);
}

const HELP = `
With --log no store and no model is read: arms are compared by the mean reward of a decision, 0 where no outcome came, with intervals over units of
randomisation, whose decisions are not independent; p is corrected by Holm over the arms. What stands first is a warning where arms did not get their shares
of units. Without --outcomes it says how shadows would have ordered the documents.`;

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/**
 * Tells which form of the command was given. Ends as commander does where an option that this form needs is missing.
 * @throws DkvError INPUT_INVALID for options of both forms
 */
export function isOfLog({ log }: LogOptions, command: Command): boolean {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (log === undefined) {
    const missing = command.options.find(
      (option) => MANDATORY.includes(option.long!) && command.getOptionValue(option.attributeName()) === undefined,
    );
    const own = given.find((option) => OWN.includes(option.attributeName()));
    if (own) {
      throw new DkvError('INPUT_INVALID', `${own.long} is for decision logs, and no --log is given.`);
    }
    if (missing) command.error(`error: required option '${missing.flags}' not specified`);
    return false;
  }
  const other = given.find((option) => !['log', 'json', 'umask', ...OWN].includes(option.attributeName()));
  if (!other) return true;
  throw new DkvError(
    'INPUT_INVALID',
    `--log compares arms of a decision log, and ${other.long} is for ranking a store: give one or the other.`,
  );
}

export async function evaluateDecisionLog(options: LogOptions): Promise<void> {
  const { readDecisionLogs, readOutcomes } = await import('../server/decision-reader.js');
  const { joinDecisions } = await import('../server/joined-decisions.js');
  const { evaluateLog } = await import('../server/evaluate-log.js');
  const { log = [], outcomes, repeated, control, detect, json } = options;
  const signal = interruptSignal();
  const known = outcomes === undefined ? new Map() : await readOutcomes(outcomes, signal);
  const joined = await joinDecisions(readDecisionLogs(log, signal), known, repeated);
  signal.throwIfAborted();
  const evaluation = evaluateLog(joined, { control, detect, hasOutcomes: outcomes !== undefined });
  if (json) printJson(logEvaluationSchema, evaluation);
  else process.stdout.write(`${(await lines(evaluation, detect)).join('\n')}\n`);
}

/** The most positions that the table shows. */
const POSITIONS = 10;

async function lines(evaluation: LogEvaluation, detect: number | undefined): Promise<string[]> {
  const { fixed, percent, pValue, signed, withInterval } = await import('../report/words/format.js');
  const { number, renderText, text } = await import('../report/tables/table.js');
  const { arms, comparisons, shadows, control } = evaluation;
  const made = [...warnings(evaluation, pValue), ...leftOut(evaluation)];
  if (arms.length > 0) {
    made.push(
      `${evaluation.experiment ?? 'Experiment'}: ${counted(evaluation.decisions, 'decision')} of ${counted(evaluation.units, 'unit')}, ${counted(evaluation.outcomes.joined, 'outcome')}.`,
      '',
      renderText({
        columns: [
          text('arm'),
          ...['share, %', 'units', 'decisions', 'degraded, %', 'reward of a decision [95%]'].map(number),
        ],
        rows: arms.map(({ name, share, units, decisions, degraded, reward }) => [
          name,
          percent(share, 1),
          String(units),
          String(decisions),
          percent(degraded, 1),
          withInterval(reward, (x) => fixed(x, 4)),
        ]),
      }),
      '',
      renderText({
        columns: [
          text(`less ${control}`),
          ...['difference [95%]', 'p', 'p, Holm', 'shown with power 80%'].map(number),
          ...(detect === undefined ? [] : [number(`units that show ${detect}`)]),
        ],
        rows: comparisons.map(({ arm, difference, p, holm, detectable, unitsNeeded }) => [
          arm,
          withInterval(difference, (x) => signed(x, 4)),
          pValue(p),
          pValue(holm),
          fixed(detectable, 4),
          ...(detect === undefined ? [] : [unitsNeeded === null ? '–' : String(unitsNeeded)]),
        ]),
      }),
      '',
      renderText({
        columns: [text('reward at position'), ...arms.map(({ name }) => number(name))],
        rows: Array.from({
          length: Math.min(POSITIONS, Math.max(...arms.map(({ positions }) => positions.length))),
        }).map((_, at) => [String(at + 1), ...arms.map(({ positions }) => fixed(positions[at] ?? null, 4))]),
      }),
    );
  }
  if (shadows.length > 0) {
    const cuts = [...new Set(shadows.flatMap(({ overlap }) => overlap.map(({ k }) => k)))].sort((a, b) => a - b);
    made.push(
      ...(arms.length > 0 ? [''] : []),
      renderText({
        columns: [
          text('shadow'),
          text('objective'),
          ...['rankings', 'dropped', 'Kendall’s tau', 'same first, %', ...cuts.map((k) => `best ${k}, %`)].map(number),
        ],
        rows: shadows.map(({ variant, objective, rankings, dropped, kendall, first, overlap }) => [
          variant,
          objective,
          String(rankings),
          String(dropped),
          fixed(kendall, 3),
          percent(first, 1),
          ...cuts.map((k) => percent(overlap.find((one) => one.k === k)?.share ?? null, 1)),
        ]),
      }),
    );
  }
  return made;
}

/** What makes the comparison doubtful; it stands before all else. */
function warnings({ sampleRatio, crossed }: LogEvaluation, pValue: (p: number) => string): string[] {
  const made: string[] = [];
  if (sampleRatio?.isMismatch) {
    made.push(
      `WARNING: the arms did not get their shares of units (chi-square ${sampleRatio.chiSquare.toFixed(1)}, ${sampleRatio.degrees} degrees, p ${pValue(sampleRatio.p)}). Do not trust what follows before the reason is known: lost lines or outcomes, arms that fail, bots.`,
    );
  }
  if (crossed.count > 0) {
    made.push(
      `WARNING: ${counted(crossed.count, 'unit')} had decisions in more than one arm and count in none (${few(crossed)}). A unit keeps its arm unless arms, shares or the salt were changed.`,
    );
  }
  return made.length > 0 ? [...made, ''] : [];
}

function leftOut({
  outside,
  torn,
  outcomes: { unknownDecisions, unknownDocuments, repeated },
}: LogEvaluation): string[] {
  const made = [
    ...(torn > 0 ? [`Left out: ${counted(torn, 'last line')} that a crash cut off.`] : []),
    ...(outside > 0 ? [`Left out: ${counted(outside, 'decision')} without an arm.`] : []),
    ...(unknownDecisions.count > 0
      ? [
          `Left out: ${counted(unknownDecisions.count, 'outcome')} of decisions that are not in the log (${few(unknownDecisions)}).`,
        ]
      : []),
    ...(unknownDocuments.count > 0
      ? [
          `Left out: ${counted(unknownDocuments.count, 'outcome')} of documents that were not shown (${few(unknownDocuments)}).`,
        ]
      : []),
    ...(repeated.count > 0
      ? [`${counted(repeated.count, 'outcome')} of documents that had one already (${few(repeated)}).`]
      : []),
  ];
  return made.length > 0 ? [...made, ''] : [];
}

function few({ count, first }: { readonly count: number; readonly first: readonly string[] }): string {
  return `${first.join(', ')}${count > first.length ? ', ...' : ''}`;
}
