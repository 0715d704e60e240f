/**
 * What the gain of a prefix under the published mask is made of, as one verdict from the steps that it is taken apart into. A pure function of the steps' intervals, which
 * hold together, and of the margin below which an effect is called none.
 *
 * H: hiding BOS. W: a line break in front of the document in the encoder. P0: priming with BOS hidden. V: showing the line break. P*: priming beside the BOS of the
 * bare encode. I: P0 less priming beside the primed BOS. L: what the primed BOS row leaks. S: priming less priming by random words. Positive is better, in nats a
 * token.
 */
import { normalQuantile } from './distributions.js';
import type { SimultaneousMean } from './simultaneous.js';

export const STEPS = ['H', 'W', 'P0', 'V', 'P*', 'I', 'L', 'S'] as const;

export type Step = (typeof STEPS)[number];

/**
 * - `primed`: the document, by the prefix's meaning. `structural`: the document, and random words do as much.
 * - `unmasked`: the document, but only where BOS is hidden.
 * - `hidden BOS`, `line break`, `leak` (the primed BOS row): that alone.
 * - `no effect`: all steps are shown to be smaller than the margin. `harmed`: some do harm, and none helps.
 * - `mixed`: more than one of these, or steps that fit none.
 * - `undecided`: a step is open that decides between them.
 */
export const VERDICTS = [
  'primed',
  'hidden BOS',
  'unmasked',
  'leak',
  'line break',
  'structural',
  'no effect',
  'harmed',
  'mixed',
  'undecided',
] as const;

export type VerdictName = (typeof VERDICTS)[number];

/** `nil`: shown to be smaller than the margin, whatever its sign. `open`: not shown to be anything, or mean and trimmed mean do not agree. */
export const STATES = ['positive', 'negative', 'nil', 'open'] as const;

export type State = (typeof STATES)[number];

/** The level at which all intervals hold together. */
export const LEVEL = 0.99;

const LEAST_MARGIN = 0.05;

/** @param total the gain that is taken apart, in nats a token, from other samples than those of the intervals */
export function marginOf(total: number): number {
  return Math.max(LEAST_MARGIN, 0.2 * Math.abs(total));
}

/** The standard error with which an effect of 0 is shown to be nil in 80% of cases. @param critical of the intervals */
export function errorForNil(margin: number, critical: number): number {
  return margin / (critical + normalQuantile(0.9));
}

/** Where an interval lies both within the margin and on one side of 0, it agrees with the other interval whichever of the two that one is. */
export function stateOf({ mean, trimmedMean }: Pick<SimultaneousMean, 'mean' | 'trimmedMean'>, margin: number): State {
  const both = (lies: (low: number, high: number) => boolean) =>
    [mean, trimmedMean].every(({ low, high }) => low !== null && high !== null && lies(low, high));
  if (both((low, high) => low > -margin && high < margin)) return 'nil';
  if (both((low) => low > 0)) return 'positive';
  return both((_, high) => high < 0) ? 'negative' : 'open';
}

export interface MechanismVerdict {
  readonly verdict: VerdictName;
  /** The open steps that an undecided verdict depends on. */
  readonly open: readonly Step[];
}

/**
 * An open step may turn out to be positive, negative or nil: a verdict stands where all ways to close the open steps come to it.
 * @param states of the steps that there are: P0, and of the others those that a model has the segments for. What it lacks (BOS, a line break) does nothing; without
 * P* the document is primed where P0 is positive. Without S, as for random words themselves, priming is structural.
 */
export function mechanismOf(states: Readonly<Partial<Record<Step, State>> & Record<'P0', State>>): MechanismVerdict {
  const open = STEPS.filter((step) => states[step] === 'open');
  const ways = closings(open).map((closed) => {
    const now = { ...states, ...closed } as Closed;
    return { closed, verdict: readingOf({ ...NOTHING, 'P*': now.P0, ...now }) };
  });
  const [first] = ways;
  if (ways.every(({ verdict }) => verdict === first!.verdict)) return { verdict: first!.verdict, open: [] };
  // A step decides where the others can be so that the verdict goes with it.
  const decides = (step: Step) => {
    const seen = new Map<string, VerdictName>();
    return ways.some(({ closed, verdict }) => {
      const others = JSON.stringify({ ...closed, [step]: '' });
      const known = seen.get(others);
      seen.set(others, verdict);
      return known !== undefined && known !== verdict;
    });
  };
  return { verdict: 'undecided', open: open.filter(decides) };
}

type ClosedState = Exclude<State, 'open'>;

type Closed = Record<'P0', ClosedState> & Partial<Record<Step, ClosedState>>;

const NOTHING = { H: 'nil', W: 'nil', V: 'nil', I: 'nil', L: 'nil', S: 'nil' } as const;

function closings(open: readonly Step[]): Partial<Record<Step, ClosedState>>[] {
  const [step, ...rest] = open;
  if (step === undefined) return [{}];
  return closings(rest).flatMap((closed) =>
    (['positive', 'negative', 'nil'] as const).map((state) => ({ ...closed, [step]: state })),
  );
}

/** The reading of steps of which none is open. */
function readingOf({ H, W, P0, V, 'P*': beside, I, L, S }: Record<Step, ClosedState>): VerdictName {
  // Where hiding BOS is what shows the priming, what hiding it does to the bare document is not asked.
  const isUnmasked = P0 === 'positive' && beside === 'nil';
  const breaks = W === 'positive' || V === 'positive';
  const sinks = H === 'positive' && !isUnmasked;
  const kinds = [breaks, L === 'positive', P0 === 'positive', sinks].filter(Boolean).length;
  const harms = [isUnmasked ? 'nil' : H, W, P0, V, beside, L].includes('negative');
  // Beside BOS the document is better: by the line break in its encode, or by priming that is not there without BOS, which has no reading.
  const fitsNone = beside === 'positive' && P0 !== 'positive' && W !== 'positive';
  if (kinds > 1 || (kinds === 1 && harms) || fitsNone) return 'mixed';
  if (harms) return 'harmed';
  if (breaks) return 'line break';
  if (L === 'positive') return 'leak';
  if (sinks) return 'hidden BOS';
  if (P0 === 'nil') return 'no effect';
  if (isUnmasked) return 'unmasked';
  if (I !== 'nil') return 'mixed';
  return S === 'positive' ? 'primed' : 'structural';
}
