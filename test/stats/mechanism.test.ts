/** The verdict on a prefix, from the states of its steps: readings that are known, and all that there can be. */
import { describe, expect, it } from 'vitest';
import {
  errorForNil,
  marginOf,
  mechanismOf,
  STATES,
  STEPS,
  type State,
  type Step,
  stateOf,
  VERDICTS,
} from '../../src/stats/mechanism.js';

type States = Record<Step, State>;

const LETTERS: Readonly<Record<string, State>> = { '+': 'positive', '-': 'negative', 0: 'nil', '?': 'open' };

/** In the order H W P0 V P* I L S. */
const states = (letters: string): States => {
  const own = letters.replaceAll(' ', '');
  return Object.fromEntries(STEPS.map((step, at) => [step, LETTERS[own[at]!]!])) as States;
};

describe('a verdict', () => {
  it.each([
    //  H W P0 V P* I L S
    ['0 0 + 0 + 0 0 +', 'primed'],
    ['0 0 + 0 + 0 0 0', 'structural'],
    ['0 0 + 0 + 0 0 -', 'structural'],
    ['+ 0 0 0 0 0 0 0', 'hidden BOS'],
    ['0 0 + 0 0 + 0 +', 'unmasked'],
    ['+ 0 + 0 0 + 0 +', 'unmasked'],
    ['- 0 + 0 0 + 0 +', 'unmasked'],
    ['0 0 0 0 0 - + 0', 'leak'],
    ['0 + 0 0 0 0 0 0', 'line break'],
    ['0 0 0 + 0 0 0 0', 'line break'],
    ['0 + 0 0 + 0 0 0', 'line break'],
    ['0 + 0 + + 0 0 0', 'line break'],
    ['0 + 0 + 0 0 0 0', 'line break'],
    ['0 0 0 0 0 0 0 0', 'no effect'],
    ['0 0 - 0 - 0 0 -', 'harmed'],
    ['- 0 0 0 0 0 0 0', 'harmed'],
    ['+ 0 + 0 + 0 0 +', 'mixed'],
    ['0 0 + 0 + 0 + +', 'mixed'],
    ['0 0 + 0 + + 0 +', 'mixed'],
    ['0 0 0 0 + - 0 0', 'mixed'],
    ['0 + + 0 + 0 0 +', 'mixed'],
    ['0 0 - 0 + - 0 0', 'mixed'],
    ['+ 0 - 0 - 0 0 -', 'mixed'],
    ['+ + ? ? ? ? ? ?', 'mixed'],
  ] as const)('of %s is %s', (letters, verdict) => {
    expect(mechanismOf(states(letters))).toEqual({ verdict, open: [] });
  });

  it.each([
    ['? 0 + 0 + 0 0 +', ['H']],
    ['+ 0 + 0 ? ? 0 +', ['P*']],
    ['0 0 + 0 + ? 0 ?', ['I', 'S']],
    ['0 0 - ? - 0 0 -', ['V']],
    ['? ? ? ? ? ? ? ?', ['H', 'W', 'P0', 'V', 'P*', 'I', 'L', 'S']],
  ] as const)('of %s is open by %s', (letters, open) => {
    expect(mechanismOf(states(letters))).toEqual({ verdict: 'undecided', open });
  });

  it('stands whatever the steps turn out to be that are open, and every verdict can be reached', () => {
    const open = (own: string) => [...own].filter((letter) => letter === '?').length;
    const all = [...combinations(STEPS.length)].filter((own) => open(own) <= 1);
    const verdicts = new Map(all.map((own) => [own, mechanismOf(states(own))]));
    const wrong = all.filter((own) => {
      const at = own.indexOf('?');
      if (at < 0) return verdicts.get(own)!.verdict === 'undecided';
      const closed = ['+', '-', '0'].map((letter) => verdicts.get(own.slice(0, at) + letter + own.slice(at + 1))!);
      const { verdict, open } = verdicts.get(own)!;
      const found = new Set(closed.map((one) => one.verdict));
      return verdict === 'undecided'
        ? open.length === 0 || (found.size === 1 && !found.has('undecided'))
        : found.size > 1 || !found.has(verdict);
    });
    expect(wrong).toEqual([]);
    expect(new Set([...verdicts.values()].map(({ verdict }) => verdict))).toEqual(new Set(VERDICTS));
  });

  it('of a model without BOS and line break says what remains: whether the document is primed', () => {
    const verdictOf = (P0: State, S: State) => mechanismOf({ P0, S });
    expect(verdictOf('positive', 'positive').verdict).toBe('primed');
    expect(verdictOf('positive', 'nil').verdict).toBe('structural');
    expect(verdictOf('nil', 'nil').verdict).toBe('no effect');
    expect(verdictOf('negative', 'nil').verdict).toBe('harmed');
    expect(verdictOf('open', 'nil')).toEqual({ verdict: 'undecided', open: ['P0'] });
    expect(verdictOf('positive', 'open')).toEqual({ verdict: 'undecided', open: ['S'] });
    // Random words are compared with none.
    expect(mechanismOf({ P0: 'positive' }).verdict).toBe('structural');
  });
});

describe('a step', () => {
  const interval = (low: number | null, high: number | null) => ({ value: 0, low, high });
  const of = (mean: [number | null, number | null], trimmed = mean) =>
    stateOf({ mean: interval(...mean), trimmedMean: interval(...trimmed) }, 0.1);

  it('is what its interval shows, and nil where it is shown to be small', () => {
    expect(of([0.05, 0.2])).toBe('positive');
    expect(of([-0.2, -0.05])).toBe('negative');
    expect(of([-0.05, 0.05])).toBe('nil');
    expect(of([0.01, 0.09])).toBe('nil');
    expect(of([-0.05, 0.2])).toBe('open');
    expect(of([0, 0.2])).toBe('open');
    expect(of([-0.1, 0.05])).toBe('open');
    expect(of([null, null])).toBe('open');
  });

  it('is open where mean and trimmed mean do not agree', () => {
    expect(of([0.05, 0.2], [-0.05, 0.05])).toBe('open');
    expect(of([-0.05, 0.05], [0.05, 0.2])).toBe('open');
    expect(of([0.05, 0.2], [-0.2, -0.05])).toBe('open');
    expect(of([0.05, 0.2], [0.02, 0.3])).toBe('positive');
    expect(of([-0.3, -0.02], [-0.2, -0.05])).toBe('negative');
  });

  it('is no less positive where one of the two is smaller than the margin and above 0', () => {
    expect(of([0.05, 0.2], [0.02, 0.08])).toBe('positive');
    expect(of([0.02, 0.08], [0.05, 0.2])).toBe('positive');
    expect(of([-0.2, -0.05], [-0.08, -0.02])).toBe('negative');
    expect(of([0.02, 0.08], [0.01, 0.09])).toBe('nil');
  });

  it('has a margin of a fifth of the whole, and of .05 nats at least', () => {
    expect(marginOf(0)).toBe(0.05);
    expect(marginOf(-1)).toBeCloseTo(0.2, 12);
    expect(marginOf(0.2)).toBe(0.05);
  });

  it('is shown to be nil in 80% of cases with the standard error that is asked for', () => {
    const [margin, critical] = [0.1, 3.4];
    const error = errorForNil(margin, critical);
    // P(|Z| < margin / error - critical), Z the estimate in standard errors.
    expect(margin / error - critical).toBeCloseTo(1.2815515655446004, 12);
  });
});

/** Every string of so many letters. */
function* combinations(length: number): Generator<string> {
  if (length === 0) yield '';
  else for (const rest of combinations(length - 1)) for (const letter of Object.keys(LETTERS)) yield rest + letter;
}

it('has states for all letters', () => {
  expect(new Set(Object.values(LETTERS))).toEqual(new Set(STATES));
});
