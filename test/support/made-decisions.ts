/** Lines of a decision log that nobody decided. */
import type { DecisionLine, ShadowLine } from '../../src/wire/http/decisions.js';

const scoring = { variant: 'doc_kw', objective: 'query-likelihood', prior: false, interpolate: null } as const;

export function madeDecision(own: Partial<DecisionLine> = {}): DecisionLine {
  return {
    kind: 'decision',
    decision: 'one',
    time: '2026-11-28T12:00:00.000Z',
    arm: null,
    unit: '0'.repeat(32),
    ...scoring,
    model: 'f'.repeat(64),
    store: 'ads',
    generation: null,
    calibrated: false,
    degraded: null,
    query: '1'.repeat(32),
    key: null,
    tenant: '',
    candidates: ['a', 'b', 'c'].map((id, at) => ({
      index: 2 - at,
      id,
      position: at + 1,
      score: -1 - at,
      nll: 1 + at,
      firstStage: null,
    })),
    answered: 3,
    leftOut: 0,
    ...own,
  };
}

/** @param shown the places in the order that was shown, in the shadow's order */
export function madeShadow(decision: string, shown: readonly number[], own: Partial<ShadowLine> = {}): ShadowLine {
  return {
    kind: 'shadow',
    decision,
    time: '2026-11-28T12:00:01.000Z',
    ...scoring,
    variant: 'bare',
    model: 'f'.repeat(64),
    generation: null,
    dropped: null,
    candidates: shown.map((place, at) => ({
      index: at,
      id: `d${place}`,
      position: at + 1,
      score: -at,
      nll: at,
      firstStage: null,
      shown: place,
    })),
    ...own,
  };
}
