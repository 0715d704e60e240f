/**
 * What a graph is built for. Compiled folders hold the graphs for the CPU; those for other devices are made when they are loaded, over the same
 * weights file.
 */
import type { Dialect } from './builder.js';
import type { Precision } from './layout.js';

/** The execution providers, by their names in onnxruntime-node. Each runs the operators that it has; the CPU runs the rest. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

/** The types that products, and the factors that feed them, are computed in. */
export const ARITHMETICS = ['float32', 'float16', 'bfloat16'] as const;
export type Arithmetic = (typeof ARITHMETICS)[number];
export type HalfType = Exclude<Arithmetic, 'float32'>;

export interface Target {
  readonly device: Device;
  readonly arithmetic: Arithmetic;
  /**
   * True where the rows of the encoder's tokens come as an input, `token_rows`. Its graph then does not hold their table, which the decoder's does.
   */
  readonly givenRows?: boolean;
}

/** The CPU, which computes in float32 except for int8's 8-bit products, which the layout brings. */
export const CPU: Target = { device: 'cpu', arithmetic: 'float32' };

/**
 * Tells whether a graph is for the CPU. All other devices have one form: nothing in the graph depends on what the host knows, sizes are the only
 * integers that are computed, and every operator has kernels of the CUDA and of the WebGPU provider.
 */
export function isForCpu({ device }: Target): boolean {
  return device === 'cpu';
}

/**
 * Tells whether the provider runs a loop where its nodes compute. The CPU runs the loops of any other provider, so that what one turn hands to the
 * next, keys and values above all, would be copied there and back.
 */
export function runsLoops({ device }: Target): boolean {
  return device === 'cpu' || device === 'cuda';
}

export function dialectOf(target: Target): Dialect {
  return isForCpu(target) ? 'cpu' : 'device';
}

/** The type of token ids and positions, and its number in ONNX. The WebGPU provider computes with no int64. */
export function indexType(target: Target): { readonly type: 'int64' | 'int32'; readonly to: { readonly int: number } } {
  return isForCpu(target) ? { type: 'int64', to: { int: 7 } } : { type: 'int32', to: { int: 6 } };
}

/** A precision as records and messages name it: with the device where products are computed in 16 bits, whose way to sum decides numbers too. */
export function computedAs(precision: Precision, { device, arithmetic }: Target): string {
  return arithmetic === 'float32' ? precision : `${precision} on ${device}`;
}

/** The target for a precision on a device. 16-bit weights are widened on the CPU; other devices compute in what they are given. */
export function targetOf(precision: Precision, device: Device): Target {
  const isHalf = device !== 'cpu' && (precision === 'float16' || precision === 'bfloat16');
  return { device, arithmetic: isHalf ? precision : 'float32' };
}
