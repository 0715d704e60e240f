/**
 * The order of texts by their bytes in UTF-8, which is that of their code points. JavaScript compares units of UTF-16, among which those of characters beyond
 * U+FFFF (0xD800 to 0xDFFF) come before U+E000.
 */

/** @returns below 0 where a comes first, above 0 where b does, 0 for the same text */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [unitOfA, unitOfB] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unitOfA !== unitOfB) return place(unitOfA) - place(unitOfB);
  }
  return a.length - b.length;
}

function place(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
