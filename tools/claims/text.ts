/**
 * What of a Markdown text has to name its source: numbers and words of comparison, in segments. A segment is what stands in a block (a paragraph, a list, a table)
 * since its start or the last comment; the comment behind it speaks for it. It knows nothing of records.
 */

import { QUANTITY } from './quantities.js';

/** A number as it is printed. */
export interface Printed {
  /** Place of its first character in the text. */
  readonly at: number;
  readonly text: string;
  /** Printed as an upper limit: "p < .01", "less than 2". */
  readonly limit: boolean;
  /** An interval in brackets follows: the next two numbers are its ends. */
  readonly bracketed: boolean;
}

export interface Segment {
  readonly at: number;
  /** Without what no rule looks at: code, targets of links, names. */
  readonly words: string;
  /** What stands before it in its block. */
  readonly before: string;
  readonly numbers: readonly Printed[];
  /** The text of the comment behind it, if one is. */
  readonly comment: string | undefined;
}

export interface Exempt {
  /** Why the numbers of a region are not looked at. */
  readonly reason: string;
  readonly numbers: number;
}

export interface Marked {
  readonly segments: readonly Segment[];
  readonly regions: readonly Exempt[];
  /** Regions that have no end or exempt nothing. */
  readonly faults: readonly { readonly at: number; readonly message: string }[];
}

/** Code in fences and spans, comments, targets of links, addresses: what is found first wins. */
const PARTS =
  /^(?<fence>```+)[\s\S]*?^\k<fence>`*$|<!--(?<comment>[\s\S]*?)-->|(?<span>`+)(?!`)[\s\S]*?(?<!`)\k<span>(?!`)|(?<=\])\([^)\s]*\)|https?:\/\/[^\s)]+/gmu;

/** Lines of code: four blanks and more behind an empty line. */
const INDENTED = /(?<=\n\n)(?: {4,}.*(?:\n|$)|\n(?= {4}))+/gu;

/** Names with a number that says nothing about a result, and the levels of intervals. Digits that touch letters ("T5", "exp02", "8-bit") are names by themselves. */
const NAMES = [
  /\bT5Gemma 2\b/gu,
  /\bT5 1\.\d\b/gu,
  /\b[Ee]xp(?:eriments?)? \d+(?:,? (?:and|to) \d+|, \d+)*/gu,
  /\b[Ss]eed \d+/gu,
  /\bAdWorld version \d+/gu,
  /\b(?:Node|npm|pnpm) \d[\d.]*(?:(?:,| and| or) \d+(?:\.\d+)*)*/gu,
  /\b(?:Llama|Qwen|Mesa|Unicode|Python|Debian|transformers|torch|ir_measures|CTranslate2|opset) \(?\d+(?:\.\d+)*\)?/gu,
  /95%(?= (?:confidence )?intervals?\b)|(?<=\[)95%(?=\])|(?<=\b(?:nominal|middle|usual) )95%/gu,
  /(?<=^|\n\n|[.?!:]\n)\d+\. /gu,
  /\bapache-2\.0\b/giu,
  /\d+(?:\.\d+){2,}(?:\+\w+)?/gu,
];

const UNIT = 'nats?|tokens?|ms|s|min|h|x|fold|times|kB|MB|GB';

/** Digits that touch no letter but those of a unit, and decimals whatever they touch. */
const NUMBER = new RegExp(
  String.raw`(?<![\p{L}\p{N}_]|[\p{L}_][-−+./^@]|\p{N}[.,:])(?:(?<![\p{N}%)])[+−-])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+)?(?<=\d)(?:e[-−+]?\d+)?(?:(?=[-−]?(?:${UNIT})\b)|(?![\p{N}\p{L}_]|\.\d|[-−/.]\p{L}))|(?<!\d[.,]?)\d+\.\d+`,
  'gu',
);

/** Whether nothing but numbers and their units stands in a span of code. */
function isNumbers(span: string): boolean {
  const rest = span.replace(new RegExp(String.raw`(?<=\d ?)(?:${UNIT})\b|(?<=\d)e(?=[-−+]?\d)`, 'gu'), '');
  return /\d/u.test(rest) && /^[`\d\s.,;:()[\]<>≤≥±×+−%/-]+$/u.test(rest);
}

const blank = (text: string) => text.replace(/[^\n]/gu, ' ');

function numbersOf(words: string, at: number): Printed[] {
  return [...words.matchAll(NUMBER)].map(({ index, 0: text }) => ({
    at: at + index,
    text,
    limit: /(?:<|\bless than)\s*$/u.test(words.slice(0, index)),
    bracketed: /^[%x]?\s*\[[^\]]*\d[^\]]*\d[^\]]*\]/u.test(words.slice(index + text.length)),
  }));
}

interface Comment {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

function masked(markdown: string): { words: string; comments: Comment[] } {
  const comments: Comment[] = [];
  let words = markdown.replace(PARTS, (part, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const at = rest.at(-3) as number;
    if (groups.comment !== undefined) comments.push({ at, end: at + part.length, text: groups.comment.trim() });
    if (groups.span !== undefined && isNumbers(part)) return part.replaceAll('`', ' ');
    return blank(part);
  });
  // Looked for in the text as it is: a span of code at the start of a paragraph is blank by now, and no indentation.
  for (const { index, 0: code } of markdown.matchAll(INDENTED)) {
    words = words.slice(0, index) + blank(code) + words.slice(index + code.length);
  }
  for (const name of NAMES) words = words.replace(name, blank);
  return { words, comments };
}

const REGION = /^not checked(?: \((\d+)\))?: (.+)$/su;

/** What is wrong with an exemption, which states how many numbers and quantities in words it is for. */
export function exemptionFault(comment: string, stated: string | undefined, found: number): string | undefined {
  if (found === 0) return `"${comment}" exempts nothing`;
  if (stated === undefined)
    return `"${comment}" does not state how many numbers it is for: (${found}) before the colon`;
  return Number(stated) === found
    ? undefined
    : `"${comment}" is for ${stated} and not for the ${found} that stand there`;
}

/** What opens a section of a text that a program writes, or whose tables other texts name. */
const SECTION = /^[\w ]+$/u;

/** @param generated comments that open what a program writes, up to `<!-- end -->` */
export function readMarked(markdown: string, generated: readonly string[] = []): Marked {
  const { comments, words } = masked(markdown);
  const regions: Exempt[] = [];
  const faults: { at: number; message: string }[] = [];
  let kept = words;
  const speaking: Comment[] = [];
  let open: (Comment & { reason: string; stated?: string | undefined }) | undefined;
  // Of what programs write inside of the open region.
  let inner = 0;
  for (const comment of comments) {
    const [, stated, reason] = REGION.exec(comment.text) ?? [];
    if (open) {
      if (comment.text !== 'end') inner += SECTION.test(comment.text) ? 1 : 0;
      else if (inner > 0) inner--;
      else {
        const inside = kept.slice(open.end, comment.at);
        const numbers = numbersOf(inside, 0).length;
        if (!generated.includes(open.text)) {
          const message = exemptionFault(open.text, open.stated, numbers + (inside.match(QUANTITY)?.length ?? 0));
          if (message !== undefined) faults.push({ at: open.at, message });
        }
        regions.push({ reason: open.reason, numbers });
        kept = kept.slice(0, open.end) + blank(inside) + kept.slice(comment.at);
        open = undefined;
      }
    } else if (reason !== undefined) open = { ...comment, reason, stated };
    else if (generated.includes(comment.text)) open = { ...comment, reason: `written by a program: ${comment.text}` };
    else if (comment.text === 'end') faults.push({ at: comment.at, message: 'ends a region that nothing has opened' });
    else speaking.push(comment);
  }
  if (open) faults.push({ at: open.at, message: 'opens a region that has no end' });
  for (const name of generated) {
    if (!comments.some(({ text }) => text === name))
      faults.push({ at: 0, message: `no program writes behind <!-- ${name} -->` });
  }
  return { segments: segmentsOf(kept, markdown, speaking), regions, faults };
}

/** Blocks lie between empty lines; comments, which are blank by now, are no empty lines. */
function segmentsOf(words: string, markdown: string, comments: readonly Comment[]): Segment[] {
  const inComment = (at: number) => comments.some((comment) => comment.at < at && at < comment.end);
  const empty = [...markdown.matchAll(/\n[ \t]*(?=\n)/gu)].map(({ index }) => index).filter((at) => !inComment(at));
  const cuts = [
    ...[...empty, words.length].map((at) => ({ from: at, to: at, comment: undefined })),
    ...comments.map(({ at, end, text }) => ({ from: at, to: end, comment: text })),
  ].sort((a, b) => a.from - b.from);
  const segments: Segment[] = [];
  let block = 0;
  let at = 0;
  for (const { from, to, comment } of cuts) {
    const text = words.slice(at, from);
    if (comment !== undefined || text.trim() !== '') {
      segments.push({ at, words: text, before: words.slice(block, at), numbers: numbersOf(text, at), comment });
    }
    at = to;
    if (comment === undefined) block = to;
  }
  return segments;
}

/** How many digits and which signs a printed number has, so that another value can be printed likewise. */
export function printedLike(value: number, like: string): string {
  const minus = like.includes('−') ? '−' : '-';
  const [, mantissa, exponent] = /^([^e]*)(e.*)?$/u.exec(like)!;
  const decimals = mantissa!.split('.')[1]?.length ?? 0;
  let digits = exponent === undefined ? Math.abs(value).toFixed(decimals) : Math.abs(value).toExponential(decimals);
  if (exponent?.includes('−')) digits = digits.replace('e-', 'e−');
  const integer = digits.split('.')[0]!;
  if (mantissa!.includes(',') || (integer.length > 4 && !/\d{5}/u.test(mantissa!))) {
    digits = integer.replace(/\B(?=(\d{3})+$)/gu, ',') + digits.slice(integer.length);
  }
  if (/^[+−-]?\./u.test(like)) digits = digits.replace(/^0\./u, '.');
  const zero = !/[1-9]/u.test(digits.split('e')[0]!);
  const sign = value < 0 && !(zero && !/^[−-]/u.test(like)) ? minus : like.startsWith('+') ? '+' : '';
  return sign + digits;
}
