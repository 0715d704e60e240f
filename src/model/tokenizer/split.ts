/** The Split pre-tokenizer in all its behaviours, as NormalizedString::split of Python's tokenizers does it. */

export const SPLIT_BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;

export type SplitBehavior = (typeof SPLIT_BEHAVIORS)[number];

interface Piece {
  start: number;
  end: number;
  readonly isDelimiter: boolean;
}

/**
 * @param pattern global; its matches are the delimiters
 * @param invert makes delimiters of what stands between the matches
 * @returns the parts of the text in their order, none of them empty
 */
export function split(text: string, pattern: RegExp, behavior: SplitBehavior, invert: boolean): string[] {
  const pieces = piecesOf(text, pattern, invert);
  const kept = merged(pieces, behavior);
  return kept.filter(({ start, end }) => end > start).map(({ start, end }) => text.slice(start, end));
}

function piecesOf(text: string, pattern: RegExp, invert: boolean): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) pieces.push({ start: at, end: match.index, isDelimiter: invert });
    at = match.index + match[0].length;
    pieces.push({ start: match.index, end: at, isDelimiter: !invert });
  }
  if (at < text.length) pieces.push({ start: at, end: text.length, isDelimiter: invert });
  return pieces;
}

function merged(pieces: readonly Piece[], behavior: SplitBehavior): readonly Piece[] {
  switch (behavior) {
    case 'Removed':
      return pieces.filter(({ isDelimiter }) => !isDelimiter);
    case 'Isolated':
      return pieces;
    case 'Contiguous':
      return joined(pieces, (piece, before) => piece.isDelimiter === before);
    // A delimiter joins its neighbour unless that is a delimiter too.
    case 'MergedWithPrevious':
      return joined(pieces, (piece, before) => piece.isDelimiter && !before);
    case 'MergedWithNext':
      return joined([...pieces].reverse(), (piece, before) => piece.isDelimiter && !before).reverse();
  }
}

/** @param joins does the piece belong to what came before, knowing whether that ended with a delimiter? */
function joined(pieces: readonly Piece[], joins: (piece: Piece, beforeIsDelimiter: boolean) => boolean): Piece[] {
  const made: Piece[] = [];
  let before = false;
  for (const piece of pieces) {
    const last = made.at(-1);
    if (last && joins(piece, before)) {
      last.start = Math.min(last.start, piece.start);
      last.end = Math.max(last.end, piece.end);
    } else made.push({ ...piece });
    before = piece.isDelimiter;
  }
  return made;
}
