/**
 * The form of AdWorld's text files: Markdown with headings and entries, one entry a line, so that a person edits sentences and nothing else.
 *
 *     # Money                    a title and what the file is for: read by people only
 *
 *     ## price                   headings of the second level and below name sections, which nest
 *     ### train
 *     - The {thing} costs {value}.       an entry, from the dash to the line's end, as it is
 *
 * A section holds sections or entries. Any other line below the first section is refused, so that no sentence without its dash is lost. Knows no bank.
 */

/** Sections by heading, down to lists of entries, in the file's order. */
export type Outline = { readonly [heading: string]: Outline } | readonly string[];

interface Section {
  /** The number of the line, counted from 1 as editors do. */
  readonly line: number;
  readonly entries: { readonly line: number; readonly text: string }[];
  readonly sections: Map<string, Section>;
}

const HEADING = /^(##+) +(.+)$/;

export interface ParsedOutline {
  readonly outline: Outline;
  /** The line of what stands at a path of headings and places in a list, or of the section that it is missing from. */
  readonly lineAt: (path: readonly PropertyKey[]) => number;
}

/** @throws Error naming the line */
export function parseOutline(text: string): ParsedOutline {
  const root = section(1);
  /** The sections from the root to the one that is open. */
  const open = [root];
  for (const [at, whole] of text.split('\n').entries()) {
    const line = at + 1;
    const content = whole.trim();
    if (content.startsWith('- ')) {
      const { sections, entries } = open.at(-1)!;
      if (open.length === 1) throw new Error(`line ${line}: an entry stands before the first heading (##)`);
      if (sections.size > 0) throw new Error(`line ${line}: an entry stands beside headings`);
      entries.push({ line, text: content.slice(2).trim() });
      continue;
    }
    const [, marks = '', heading = ''] = HEADING.exec(content) ?? [];
    if (heading !== '') {
      // The second level is the highest.
      const depth = marks.length - 2;
      const parent = open[depth];
      if (!parent) throw new Error(`line ${line}: the heading is more than one level below the one before it`);
      open.splice(depth + 1, Number.POSITIVE_INFINITY, opened(parent, heading, line));
    } else if (open.length > 1 && content !== '') {
      throw new Error(`line ${line}: expected a heading (##) or an entry, with a space behind its marks`);
    }
  }
  if (root.sections.size === 0)
    throw new Error('line 1: expected headings (##) with entries, found none in the whole file');
  return { outline: outlineOf(root), lineAt: (path) => lineIn(root, path) };
}

const section = (line: number): Section => ({ line, entries: [], sections: new Map() });

function opened(parent: Section, heading: string, line: number): Section {
  const before = parent.sections.get(heading);
  if (before) throw new Error(`line ${line}: the heading "${heading}" stands in line ${before.line} already`);
  if (parent.entries.length > 0) throw new Error(`line ${line}: a heading stands beside entries`);
  const made = section(line);
  parent.sections.set(heading, made);
  return made;
}

function outlineOf({ entries, sections }: Section): Outline {
  if (sections.size === 0) return entries.map(({ text }) => text);
  return Object.fromEntries([...sections].map(([heading, inner]) => [heading, outlineOf(inner)]));
}

function lineIn({ line, entries, sections }: Section, [step, ...rest]: readonly PropertyKey[]): number {
  const inner = sections.get(String(step));
  if (inner) return lineIn(inner, rest);
  return (typeof step === 'number' ? entries[step]?.line : undefined) ?? line;
}
