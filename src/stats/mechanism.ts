/**
 * What the gain of a prefix under the published mask is made of, as one verdict from the steps that it is taken apart into. A pure function of the steps' intervals, which
 * hold together, and of the margin below which an effect is called none.
 *
 * H: hiding BOS. W: a line break in front of the document in the encoder. P0: priming with BOS hidden. V: showing the line break. P*: priming beside the BOS of the
 * bare encode. I: P0 less priming beside the primed BOS. L: what the primed BOS row leaks. S: priming less priming by random words. Positive is better, in nats a
 * token.
 */
import { normalQuantile } from './distributions.js';
import type { Estimate } from './gains.js';
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

export function stateOf({ mean, trimmedMean }: Pick<SimultaneousMean, 'mean' | 'trimmedMean'>, margin: number): State {
  const state = stateOfInterval(mean, margin);
  return state === stateOfInterval(trimmedMean, margin) ? state : 'open';
}

function stateOfInterval({ low, high }: Estimate, margin: number): State {
  if (low === null || high === null) return 'open';
  if (low > -margin && high < margin) return 'nil';
  return low > 0 ? 'positive' : high < 0 ? 'negative' : 'open';
}

export interface MechanismVerdict {
  readonly verdict: VerdictName;
  /** Of an undecided one the steps that are open and asked for. */
  readonly open: readonly Step[];
}

/**
 * @param states of the steps that there are: P0, and of the others those that a model has the segments for. What it lacks (BOS, a line break) does nothing; without
 * P* the document is primed where P0 is positive. Without S, as for random words themselves, priming is structural.
 */
export function mechanismOf(states: Readonly<Partial<Record<Step, State>> & Record<'P0', State>>): MechanismVerdict {
  const { H = 'nil', W = 'nil', P0, V = 'nil', I = 'nil', L = 'nil', S = 'nil' } = states;
  const besideBos = states['P*'] ?? P0;
  const decided = (verdict: VerdictName): MechanismVerdict => ({ verdict, open: [] });
  // Where hiding BOS may be what shows the priming, what hiding it does to the bare document is not asked.
  const mayBeUnmasked = P0 === 'positive' && (besideBos === 'nil' || besideBos === 'open');
  const isUnmasked = P0 === 'positive' && besideBos === 'nil';
  const breaks = W === 'positive' || V === 'positive';
  const leaks = L === 'positive';
  const primes = P0 === 'positive' || besideBos === 'positive';
  const sinks = H === 'positive' && !mayBeUnmasked;
  const kinds = [breaks, leaks, primes, sinks].filter(Boolean).length;
  const harms = [mayBeUnmasked ? 'nil' : H, W, P0, V, besideBos, L].includes('negative');
  // Priming that is there only beside BOS, or that BOS changes, has no reading of its own.
  const fitsNone = besideBos === 'positive' && (P0 === 'nil' || I === 'positive' || I === 'negative');
  if (kinds > 1 || (kinds === 1 && harms) || fitsNone) return decided('mixed');
  const needed = { ...(!isUnmasked && { H }), W, P0, V, 'P*': besideBos, L };
  const open = (all: Readonly<Partial<Record<Step, State>>>) =>
    STEPS.filter((step) => all[step] === 'open' && (step !== 'P*' || 'P*' in states));
  const undecided = open(needed);
  if (undecided.length > 0) return { verdict: 'undecided', open: undecided };
  if (harms) return decided('harmed');
  if (breaks) return decided('line break');
  if (leaks) return decided('leak');
  if (sinks) return decided('hidden BOS');
  if (!primes) return decided('no effect');
  if (isUnmasked) return decided('unmasked');
  const last = open({ I, S });
  if (last.length > 0) return { verdict: 'undecided', open: last };
  return decided(S === 'positive' ? 'primed' : 'structural');
}
