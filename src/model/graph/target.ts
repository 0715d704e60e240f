/**
 * What a graph is built for. Compiled folders hold the graphs for the CPU; those for other devices are made when they are loaded, over the same
 * weights file.
 */
import type { Precision } from './layout.js';

/** Execution providers by their names in onnxruntime-node; each runs what it has, the CPU the rest. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

/** What products, and what feeds them, are computed in. */
export const ARITHMETICS = ['float32', 'float16', 'bfloat16'] as const;
export type Arithmetic = (typeof ARITHMETICS)[number];

export interface Target {
  readonly device: Device;
  readonly arithmetic: Arithmetic;
}

/** The CPU computes in float32, 8-bit products of int8 apart, which its layout brings. */
export const CPU: Target = { device: 'cpu', arithmetic: 'float32' };

export function targetOf(_precision: Precision, device: Device): Target {
  return { device, arithmetic: 'float32' };
}
