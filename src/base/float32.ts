/** Float32 numbers in JSON. */

/** A float32 with the nine digits that identify it, instead of a double's seventeen. */
export function shortestFloat32(value: number): number {
  return Number(value.toPrecision(9));
}
