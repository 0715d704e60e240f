/** Joins decisions with what became of them: what is left of each decision is what statistics need. */
import { DkvError } from '../base/errors.js';
import type { DecisionLine, DecisionLogHead, ShadowLine } from '../wire/http/decisions.js';
import type { LogLine, Outcome } from './decision-reader.js';

/** What to do with several outcomes of one document of a decision. */
export const REPEATED = ['error', 'first', 'sum'] as const;
export type Repeated = (typeof REPEATED)[number];

export interface JoinedDecision {
  readonly arm: string;
  readonly unit: string;
  readonly isDegraded: boolean;
  /** The number of documents in the answer. */
  readonly answered: number;
  /** By position, from 1, the rewards of documents that have an outcome. */
  readonly rewards: readonly (readonly [position: number, reward: number])[];
}

/** A shadow's ranking: of its documents the places in the order that was shown, in the shadow's order. */
export interface ShadowRanking {
  readonly variant: string;
  readonly objective: ShadowLine['objective'];
  readonly isDropped: boolean;
  readonly shown: readonly number[];
}

export interface Joined {
  readonly experiment: NonNullable<DecisionLogHead['experiment']> | undefined;
  readonly decisions: readonly JoinedDecision[];
  readonly shadows: readonly ShadowRanking[];
  /** The number of decisions without an arm. */
  readonly outside: number;
  readonly torn: number;
  /** The number of outcomes of documents that were shown. */
  readonly joined: number;
  /** Names of what has no place, one an outcome. */
  readonly unknownDecisions: readonly string[];
  readonly unknownDocuments: readonly string[];
  readonly repeated: readonly string[];
}

/**
 * @param outcomes by decision; none to read shadows alone
 * @throws DkvError INPUT_INVALID for logs of several experiments, a decision that is there twice, and repeated outcomes unless they are to be taken
 */
export async function joinDecisions(
  lines: AsyncIterable<LogLine>,
  outcomes: ReadonlyMap<string, readonly Outcome[]>,
  repeatedAs: Repeated,
): Promise<Joined> {
  const decisions: JoinedDecision[] = [];
  const shadows: ShadowRanking[] = [];
  const seen = new Set<string>();
  const [unknownDocuments, repeated]: [string[], string[]] = [[], []];
  let first: { readonly file: string; readonly experiment: NonNullable<DecisionLogHead['experiment']> } | undefined;
  let [outside, torn, joined] = [0, 0, 0];
  const take = (line: DecisionLine): void => {
    if (line.arm === null) outside++;
    const rewards = new Map<number, number>();
    for (const outcome of outcomes.get(line.decision) ?? []) {
      const name = `${line.decision}: ${outcome.documentId ?? `index ${outcome.index}`}`;
      const position = positionOf(line, outcome);
      if (position === undefined) {
        unknownDocuments.push(name);
        continue;
      }
      joined++;
      const before = rewards.get(position);
      if (before !== undefined) repeated.push(name);
      if (before !== undefined && repeatedAs === 'error') throw twice(name);
      if (before === undefined || repeatedAs === 'sum') rewards.set(position, (before ?? 0) + outcome.reward);
    }
    if (line.arm === null) return;
    const { arm, unit, degraded, answered } = line;
    decisions.push({ arm, unit, isDegraded: degraded !== null, answered, rewards: [...rewards] });
  };
  for await (const { file, line } of lines) {
    if (line === undefined) torn++;
    else if (line.kind === 'shadow') {
      const shown = line.candidates.map((candidate) => candidate.shown);
      shadows.push({ variant: line.variant, objective: line.objective, isDropped: line.dropped !== null, shown });
    } else if (line.kind === 'log') {
      if (line.experiment === null) continue;
      first ??= { file, experiment: line.experiment };
      expectSame(first, { file, experiment: line.experiment });
    } else {
      if (seen.has(line.decision)) {
        throw new DkvError(
          'INPUT_INVALID',
          `${file}: the decision ${line.decision} is in the log twice. Is a file given twice, under two names?`,
        );
      }
      seen.add(line.decision);
      take(line);
    }
  }
  const unknownDecisions = [...outcomes].flatMap(([id, own]) => (seen.has(id) ? [] : own.map(() => id)));
  const experiment = first?.experiment;
  return { experiment, decisions, shadows, outside, torn, joined, unknownDecisions, unknownDocuments, repeated };
}

function positionOf({ candidates, answered }: DecisionLine, { documentId, index }: Outcome): number | undefined {
  const found = candidates.find(
    (one) =>
      one.position <= answered &&
      (documentId === undefined || one.id === documentId) &&
      (index === undefined || one.index === index),
  );
  return found?.position;
}

function twice(name: string): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `Two outcomes of one document of a decision (${name}). Say whether they are one that was sent twice (--repeated first) or several whose rewards add up (--repeated sum).`,
  );
}

interface FileOfExperiment {
  readonly file: string;
  readonly experiment: NonNullable<DecisionLogHead['experiment']>;
}

function expectSame(one: FileOfExperiment, other: FileOfExperiment): void {
  if (JSON.stringify(one.experiment) === JSON.stringify(other.experiment)) return;
  const worded = ({ name, arms }: FileOfExperiment['experiment']) =>
    `"${name}" with ${arms.map((arm) => `${arm.name} ${arm.share}`).join(', ')}`;
  throw new DkvError(
    'INPUT_INVALID',
    `${one.file} is of the experiment ${worded(one.experiment)}, ${other.file} of ${worded(other.experiment)}: arms that were changed are other ones. Name the files of one experiment.`,
  );
}
