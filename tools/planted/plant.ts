/**
 * A planted mechanism: what it makes of the rows of an encode. It sees token ids, spans and who may see whom, and no condition's name.
 *
 * First the model's own effects are taken out: BOS and document get the rows that they have in the encode of [BOS, document], the line break that of [BOS, line break,
 * document], whatever stands beside them. The plant is added to that, in every encode, so that what is the same by construction stays the same.
 */
import type { Segment } from '../../src/priming/input.js';

/** How strong each part of a mechanism is. */
export interface Plant {
  /** BOS's row is multiplied by this. */
  readonly bos: number;
  /** The line break's row is multiplied by this. */
  readonly line: number;
  /** Document rows that may see the query in front of them go so far in the direction in which it moves them. */
  readonly primed: number;
  /** Document rows that may see any prefix do. */
  readonly structural: number;
  /** So much of the row that BOS has in front of the query is added to a BOS that may see it. */
  readonly leak: number;
  /** Document rows that may see a line break go so far in that direction. */
  readonly lineEncoded: number;
  /** So much of that row is added to the line break. */
  readonly lineShown: number;
  /** Document rows that may see any prefix go in that direction by a random number with this mean and spread, and at most `REACH`; a larger tail makes large ones larger. */
  readonly noise: Noise;
}

export interface Noise {
  readonly mean: number;
  readonly spread: number;
  readonly tail: number;
}

/** So far random numbers move document rows at most, in either direction: rows that are farther out are like nothing that the model makes. */
export const REACH = 2;

/** Nothing is planted. Rows of zeros show the decoder nothing: with them hiding BOS and showing the line break do as good as nothing, too. */
export const BASE: Plant = {
  bos: 0,
  line: 0,
  primed: 0,
  structural: 0,
  leak: 0,
  lineEncoded: 0,
  lineShown: 0,
  noise: { mean: 0, spread: 0, tail: 1 },
};

/** What a plant takes from a document. Rows stand one after the other. */
export interface DocumentRows {
  readonly width: number;
  readonly bos: Float32Array;
  readonly line: Float32Array;
  readonly document: Float32Array;
  /** How the real query in front of it moves the document's rows. */
  readonly direction: Float32Array;
  /** BOS's row in front of the real query, which knows it. */
  readonly carrier: Float32Array;
}

/** What a plant sees of an encode. */
export interface Seen {
  /** Does a segment stand there and may the other see it? */
  readonly sees: (row: Segment, column: Segment) => boolean;
  /** Is the prefix the document's own query? */
  readonly isQuery: boolean;
  /** A normal number, the same whenever these ids are encoded. */
  readonly chance: () => number;
}

/** How far document rows go, and what is added to BOS and line break: all that tells an encode's rows from another's of the same document. */
export interface Amounts {
  readonly bos: { readonly scale: number; readonly carried: number };
  readonly line: { readonly scale: number; readonly carried: number };
  readonly document: number;
}

export function amountsOf(plant: Plant, { sees, isQuery, chance }: Seen): Amounts {
  const isPrefixed = sees('document', 'prefix');
  return {
    bos: { scale: plant.bos, carried: isQuery && sees('bos', 'prefix') ? plant.leak : 0 },
    line: { scale: plant.line, carried: plant.lineShown },
    document:
      (isPrefixed && isQuery ? plant.primed : 0) +
      (isPrefixed ? plant.structural : 0) +
      (sees('document', 'separator') ? plant.lineEncoded : 0) +
      (isPrefixed && plant.noise.spread > 0 ? disturbance(plant.noise, chance()) : 0),
  };
}

/** @param drawn a normal number */
export function disturbance({ mean, spread, tail }: Noise, drawn: number): number {
  const amount = mean + spread * Math.sign(drawn) * Math.abs(drawn) ** tail;
  return Math.max(-REACH, Math.min(REACH, amount));
}

export function bosRow({ bos, carrier }: DocumentRows, { scale, carried }: Amounts['bos']): Float32Array {
  return bos.map((value, i) => scale * value + carried * carrier[i]!);
}

export function lineRow({ line, carrier }: DocumentRows, { scale, carried }: Amounts['line']): Float32Array {
  return line.map((value, i) => scale * value + carried * carrier[i]!);
}

export function documentRows({ document, direction }: DocumentRows, amount: number): Float32Array {
  return amount === 0 ? document : document.map((value, i) => value + amount * direction[i]!);
}
