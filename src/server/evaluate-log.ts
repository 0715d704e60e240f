/** What a decision log and its outcomes say of the arms of an experiment, and of shadows. A pure function of what was joined. */
import { DkvError } from '../base/errors.js';
import { kendallTau, overlap } from '../stats/agreement.js';
import { type ArmMean, armDifference, armInterval, armMean, sampleRatio } from '../stats/arms.js';
import { mean } from '../stats/describe.js';
import { estimate, finite } from '../stats/gains.js';
import { holm } from '../stats/significance.js';
import type { LogEvaluation } from '../wire/http/decisions.js';
import type { Joined, JoinedDecision, ShadowRanking } from './joined-decisions.js';

/** Shares of arms are called missed below this p: a check that is made each time has to be wrong seldom (Fabijan et al. 2019). */
const MISMATCH = 0.001;

export interface LogEvaluationOptions {
  /** The arm that others are compared with; the first of the experiment. */
  readonly control?: string | undefined;
  /** The difference that needed units are reckoned for. */
  readonly detect?: number | undefined;
  /** Without outcomes shadows are all there is to look at. */
  readonly hasOutcomes: boolean;
}

/** @throws DkvError INPUT_INVALID where there is nothing to compare, or no such arm */
export function evaluateLog(joined: Joined, options: LogEvaluationOptions): LogEvaluation {
  const { experiment, outside, torn } = joined;
  const whole = {
    experiment: experiment?.name ?? null,
    outside,
    torn,
    outcomes: {
      joined: joined.joined,
      unknownDecisions: named(joined.unknownDecisions),
      unknownDocuments: named(joined.unknownDocuments),
      repeated: named(joined.repeated),
    },
    shadows: shadowsOf(joined.shadows),
  };
  if (!options.hasOutcomes) {
    if (whole.shadows.length > 0) return { ...whole, ...NO_ARMS, decisions: joined.decisions.length };
    throw new DkvError(
      'INPUT_INVALID',
      'The log has no shadow rankings, and no outcomes are given. Give --outcomes to compare arms.',
    );
  }
  if (joined.joined === 0) throw nothingJoined(joined);
  const shares = new Map(experiment?.arms.map(({ name, share }) => [name, share]));
  const { units, crossed } = unitsOf(joined.decisions);
  const decisions = joined.decisions.filter(({ unit }) => units.has(unit));
  const arms = armsOf(decisions, [...shares.keys()], options.control).map((name) =>
    summaryOf(
      name,
      decisions.filter(({ arm }) => arm === name),
    ),
  );
  const [control, ...others] = arms as [ArmSummary, ...ArmSummary[]];
  if (control.moments.units < 2 || others.every(({ moments }) => moments.units < 2)) throw tooFewUnits(arms);
  const differences = others.map(({ moments }) => armDifference(moments, control.moments));
  const told = differences.flatMap(({ p }, at) => (Number.isNaN(p) ? [] : [at]));
  const corrected = holm(told.map((at) => differences[at]!.p));
  const counts = arms.map(({ moments }) => moments.units);
  // An arm that got no unit at all is a mismatch, too.
  const isShared = experiment !== undefined && arms.every(({ name }) => shares.has(name));
  const unseen = [...shares].filter(([name]) => !arms.some((arm) => arm.name === name));
  const ratio = isShared
    ? sampleRatio(
        [...counts, ...unseen.map(() => 0)],
        [...arms.map(({ name }) => shares.get(name)!), ...unseen.map(([, share]) => share)],
      )
    : undefined;
  return {
    ...whole,
    control: control.name,
    decisions: decisions.length,
    units: units.size,
    crossed: named(crossed),
    sampleRatio: ratio ? { ...ratio, isMismatch: ratio.p < MISMATCH } : null,
    arms: arms.map(({ name, moments, ...rest }) => {
      const { value, ...ends } = armInterval(moments);
      return { name, share: shares.get(name) ?? null, units: moments.units, reward: estimate(value, ends), ...rest };
    }),
    comparisons: others.map(({ name }, at) => {
      const { value, low, high, degrees, p, detectable, unitsNeeded } = differences[at]!;
      return {
        arm: name,
        difference: estimate(value, { low, high }),
        degrees: finite(degrees),
        p: finite(p),
        holm: finite(corrected[told.indexOf(at)]),
        detectable: finite(detectable),
        unitsNeeded: options.detect === undefined ? null : finite(unitsNeeded(options.detect)),
      };
    }),
  };
}

const NO_ARMS = {
  control: null,
  units: 0,
  crossed: { count: 0, first: [] },
  sampleRatio: null,
  arms: [],
  comparisons: [],
} as const;

const SHOWN = 5;

function named(names: readonly string[]): { readonly count: number; readonly first: readonly string[] } {
  return { count: names.length, first: names.slice(0, SHOWN) };
}

/** Units of one arm, and those that have decisions in several. */
function unitsOf(decisions: readonly JoinedDecision[]): { units: ReadonlySet<string>; crossed: string[] } {
  const arms = new Map<string, string>();
  const crossed = new Set<string>();
  for (const { unit, arm } of decisions) {
    const before = arms.get(unit) ?? arm;
    if (before !== arm) crossed.add(unit);
    arms.set(unit, before);
  }
  for (const unit of crossed) arms.delete(unit);
  return { units: new Set(arms.keys()), crossed: [...crossed] };
}

/** The names of the arms that have decisions, the control first and then in the experiment's order. */
function armsOf(decisions: readonly JoinedDecision[], known: readonly string[], control: string | undefined): string[] {
  const found = new Set(decisions.map(({ arm }) => arm));
  const names = [
    ...known.filter((name) => found.has(name)),
    ...[...found].filter((name) => !known.includes(name)).sort(),
  ];
  if (names.length < 2) {
    const what = names.length === 0 ? 'no decisions of an arm' : `decisions of one arm, ${names[0]}`;
    throw new DkvError(
      'INPUT_INVALID',
      `The log has ${what}: there is nothing to compare. An experiment has two arms or more, and both need decisions.`,
    );
  }
  const first = control ?? known.find((name) => found.has(name)) ?? names[0]!;
  if (!found.has(first)) {
    throw new DkvError('INPUT_INVALID', `--control ${first}: the log has no such arm. It has ${names.join(', ')}.`);
  }
  return [first, ...names.filter((name) => name !== first)];
}

interface ArmSummary {
  readonly name: string;
  readonly moments: ArmMean;
  readonly decisions: number;
  readonly degraded: number;
  readonly positions: readonly (number | null)[];
}

function summaryOf(name: string, decisions: readonly JoinedDecision[]): ArmSummary {
  const units = new Map<string, { reward: number; decisions: number }>();
  const shown: number[] = [];
  const rewards: number[] = [];
  for (const decision of decisions) {
    const unit = units.get(decision.unit) ?? { reward: 0, decisions: 0 };
    units.set(decision.unit, unit);
    unit.decisions++;
    shown[decision.answered] = (shown[decision.answered] ?? 0) + 1;
    for (const [position, reward] of decision.rewards) {
      unit.reward += reward;
      rewards[position] = (rewards[position] ?? 0) + reward;
    }
  }
  const all = [...units.values()];
  const moments = armMean({ rewards: all.map(({ reward }) => reward), decisions: all.map((unit) => unit.decisions) });
  const degraded = decisions.filter(({ isDegraded }) => isDegraded).length / decisions.length;
  // From the last position, which the longest answers alone have, to the first, which all have that are not empty.
  const positions: (number | null)[] = [];
  for (let position = shown.length - 1, having = 0; position >= 1; position--) {
    having += shown[position] ?? 0;
    positions[position - 1] = having > 0 ? (rewards[position] ?? 0) / having : null;
  }
  return { name, moments, decisions: decisions.length, degraded, positions };
}

/** How many of the best documents two orders are compared in. */
const CUTS = [3, 5, 10, 20, 50];

function shadowsOf(rankings: readonly ShadowRanking[]): LogEvaluation['shadows'] {
  const groups = new Map<string, ShadowRanking[]>();
  for (const ranking of rankings) {
    const key = JSON.stringify([ranking.variant, ranking.objective]);
    const group = groups.get(key);
    if (group) group.push(ranking);
    else groups.set(key, [ranking]);
  }
  return [...groups.values()].map((group) => {
    const made = group.filter(({ isDropped }) => !isDropped).map(({ shown }) => shown);
    const taus = made.flatMap((shown) => kendallTau(shown) ?? []);
    const meanOf = (values: readonly number[]) => (values.length > 0 ? mean(values) : null);
    const { variant, objective } = group[0]!;
    return {
      variant,
      objective,
      rankings: made.length,
      dropped: group.length - made.length,
      kendall: meanOf(taus),
      first: meanOf(made.flatMap(([first]) => (first === undefined ? [] : [first === 1 ? 1 : 0]))),
      overlap: CUTS.flatMap((k) => {
        // Of k documents all are among the first k.
        const long = made.filter(({ length }) => length > k);
        return long.length > 0 ? [{ k, share: mean(long.map((shown) => overlap(shown, k))) }] : [];
      }),
    };
  });
}

function nothingJoined({ unknownDecisions, unknownDocuments }: Joined): DkvError {
  const [id, document] = [unknownDecisions[0], unknownDocuments[0]];
  return new DkvError(
    'INPUT_INVALID',
    `No outcome belongs to a document of a decision in the log: ${unknownDecisions.length} name other decisions${id === undefined ? '' : ` (${id})`}, ${unknownDocuments.length} documents that were not shown${document === undefined ? '' : ` (${document})`}. decision_id is what an answer gave, document_id a document of it.`,
  );
}

function tooFewUnits(arms: readonly ArmSummary[]): DkvError {
  const counts = arms.map(({ name, moments }) => `${name} ${moments.units}`).join(', ');
  return new DkvError(
    'INPUT_INVALID',
    `Too few units to compare arms: ${counts}. Two in the control and in another arm are the least: a unit's decisions are one observation.`,
  );
}
