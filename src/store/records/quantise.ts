/**
 * States in fewer bytes. Plain loops over typed arrays; infinities and NaN are refused everywhere, since a state that is one comes
 * from a broken computation.
 *
 * Error bounds (tested): float16 rounds to nearest, ties to even: relative error at most 2^-11, below 2^-14 absolute error at most
 * 2^-25. int8 keeps 127 steps to each side of a row's largest magnitude: error at most half a step, step = largest / 127.
 */

import { DkvError } from '../../base/errors.js';
import { fromFloat16, LARGEST_FLOAT16, toFloat16 } from '../../base/float16.js';
import type { States } from '../../engine/engine.js';
import type { StatesPrecision } from '../store.js';

/** Scales stay normal numbers, so that dividing by them is exact enough. */
const SMALLEST_SCALE = 2 ** -126;
const INT8_STEPS = 127;

/** @param first place of the first value among all, for the message. @throws DkvError NUMBERS_NOT_FINITE */
export function expectFinite(values: Float32Array, first = 0): void {
  largestMagnitude(values, 0, values.length, first);
}

/** The bits of infinity. As bits, magnitudes are in the order of integers, with infinities and NaN above all numbers. */
const INFINITE_BITS = 0x7f800000;

/**
 * The largest magnitude of some of the values.
 * @throws DkvError NUMBERS_NOT_FINITE for what is not finite
 */
function largestMagnitude(values: Float32Array, start: number, end: number, first: number): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let largest = 0;
  let place = start;
  for (let at = start; at < end; at++) {
    const magnitude = bits[at]! & 0x7fffffff;
    if (magnitude <= largest) continue;
    largest = magnitude;
    place = at;
  }
  if (largest >= INFINITE_BITS) refuse(values[place]!, first + place, 'States must be finite numbers');
  return largest === 0 ? 0 : Math.abs(values[place]!);
}

/**
 * Rounds [n] numbers to [n] bit patterns of float16.
 * @param first place of the first value among all, for the message
 * @throws DkvError NUMBERS_NOT_FINITE for what is not finite or beyond 65504
 */
export function statesToFloat16(values: Float32Array, first = 0): Uint16Array {
  return toFloat16(values, (value, at) =>
    refuse(value, first + at, `float16 holds finite numbers up to ${LARGEST_FLOAT16}; store them as float32 or int8`),
  );
}

export interface Int8Rows {
  /** The numbers in steps of their row's scale, [rows * width]. */
  readonly steps: Int8Array;
  /** The scale of each row, [rows]. */
  readonly scales: Float32Array;
}

/**
 * @param values [rows * width], row after row
 * @param first place of the first value among all, for the message
 * @throws DkvError NUMBERS_NOT_FINITE for what is not finite
 */
export function toInt8Rows(values: Float32Array, rows: number, width: number, first = 0): Int8Rows {
  const steps = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    const end = start + width;
    const largest = largestMagnitude(values, start, end, first);
    if (largest === 0) continue;
    const scale = Math.fround(Math.max(largest / INT8_STEPS, SMALLEST_SCALE));
    scales[row] = scale;
    // What Math.round means, at a fifth of its cost.
    for (let at = start; at < end; at++) steps[at] = Math.floor(values[at]! / scale + 0.5);
  }
  return { steps, scales };
}

/**
 * Widens rows of int8 to [rows * width] numbers.
 * @param values where they go; new memory by default
 */
export function fromInt8Rows(
  { steps, scales }: Int8Rows,
  width: number,
  values: Float32Array = new Float32Array(steps.length),
): Float32Array {
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    const end = (row + 1) * width;
    for (let at = row * width; at < end; at++) values[at] = steps[at]! * scale;
  }
  return values;
}

/**
 * Checks that finite states can be kept at a precision.
 * @throws DkvError NUMBERS_NOT_FINITE for what float16 would round to infinity
 */
export function expectStorable({ data }: States, precision: StatesPrecision): void {
  if (precision === 'float16') statesToFloat16(data);
}

/**
 * The states as they come back from a store.
 * @throws DkvError NUMBERS_NOT_FINITE
 */
export function asStored(states: States, precision: StatesPrecision): States {
  const { rows, width, data } = states;
  if (precision === 'float32') return states;
  return {
    rows,
    width,
    data:
      precision === 'float16' ? fromFloat16(statesToFloat16(data)) : fromInt8Rows(toInt8Rows(data, rows, width), width),
  };
}

function refuse(value: number, at: number, expected: string): never {
  throw new DkvError('NUMBERS_NOT_FINITE', `State number ${at} is ${value}. ${expected}.`);
}
