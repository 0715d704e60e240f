/** What summaries of older versions look like when they are read. */

/** A trimmed mean alone is one without an interval. */
export function withEstimates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withEstimates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'trimmed_mean' && (typeof member === 'number' || member === null)
        ? { value: member, low: null, high: null }
        : withEstimates(member),
    ]),
  );
}
