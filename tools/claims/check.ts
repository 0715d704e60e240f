/**
 * Holds every number and every comparison in words of the listed texts against the record that it comes from: `npm run claims`, with `-- --write` to print the
 * present values and `-- --exempt` to list what is not looked at, and why. How a text names its sources: CONTRIBUTING.md, "Numbers in texts".
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { counted } from '../../src/base/counted.js';
import { alteredRecords } from './altered.js';
import { ClaimError, holds, type Item, isInterval, type Records, readItems, type Value } from './language.js';
import { QUANTITY, shows } from './quantities.js';
import { recordsIn } from './records.js';
import { type Exempt, exemptionFault, type Printed, printedLike, readMarked, type Segment } from './text.js';

/** The texts, each with the comments behind which a program writes up to `<!-- end -->`. */
export const TEXTS: Record<string, readonly string[]> = {
  'README.md': [],
  'docs/models.md': [],
  'docs/experiment-plan.md': [],
  'docs/surrogates.md': [],
  'docs/protocol.md': ['planted'],
  'docs/ranking.md': [],
  'docs/statistics.md': ['units'],
  'docs/authors-records.md': [],
  'docs/benchmarks.md': ['coverage'],
  'docs/capacity.md': ['measured', 'plan'],
  'docs/research-framing.md': [],
  'models/tiny/README.md': ['run', 'recipe', 'curves', 'gate', 'nats', 'kinds', 'sanity'],
  'results/README.md': [],
};

/** Comparisons in words: a claim has to show them where they stand beside a result. */
const COMPARISON =
  /\b(?:no|none|nothing|never|not|nobody|neither|every|all|both|any|most|mostly|almost|nearly|wholly|only|mainly|shrinks?|stays?|vanish(?:es)?)\b/giu;

export interface Finding {
  readonly line: number;
  readonly message: string;
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** The text with the present values. */
  readonly text: string;
  readonly numbers: number;
  readonly claims: number;
  readonly exempt: readonly Exempt[];
}

type Part =
  | Item
  | { readonly text: string; readonly error: string }
  | { readonly noResult: string; readonly reason: string }
  | { readonly noClaim: readonly string[] };

/** How many altered records an item is read in. The first that changes it is enough. */
const ALTERED = 64;

/** The items of a comment; one that says the same in all altered records is an error. */
function itemsOf(comment: string, records: Records): (Item | { text: string; error: string })[] {
  const items = readItems(comment, records);
  const said = (item: Item | { error: string } | undefined) =>
    item === undefined || 'error' in item ? undefined : JSON.stringify(item.value);
  const says = items.map(said);
  const constant = new Set(items.keys());
  for (let number = 0; number < ALTERED && constant.size > 0; number++) {
    const altered = readItems(comment, alteredRecords(records, number));
    for (const i of constant) if (says[i] === undefined || said(altered[i]) !== says[i]) constant.delete(i);
  }
  return items.map((item, i) =>
    constant.has(i)
      ? { text: item.text, error: 'it says the same whatever the record holds, so it shows nothing' }
      : item,
  );
}

/** The items of a comment, and between them numbers that are no results (`no result 2048: REASON`) and words that need no claim (`no claim (twice, all): REASON`). */
function partsOf(comment: string, records: Records): Part[] {
  const OTHER = /^(?:no result (?<noResult>\S+): (?<reason>.+)|no claim(?: \((?<noClaim>[^)]+)\))?: .+)$/su;
  const texts = comment.split(';').flatMap((text) => (text.trim() === '' ? [] : [text.trim()]));
  const items = itemsOf(texts.filter((text) => !OTHER.test(text)).join(';'), records);
  return texts.map((text) => {
    const other = OTHER.exec(text);
    if (!other) return items.shift()!;
    const { noResult, reason, noClaim } = other.groups!;
    if (noResult !== undefined) return { noResult, reason: reason! };
    if (noClaim !== undefined) return { noClaim: noClaim.split(',').map((word) => word.trim()) };
    return { text, error: 'it does not name its words: "no claim (twice, all): REASON"' };
  });
}

/** The numbers that a value prints: an estimate with its interval where one is printed, a list one after the other. */
function valuesOf(value: Value, printed: readonly Printed[]): (number | undefined)[] {
  const values: (number | undefined)[] = [];
  const add = (each: Value): void => {
    if (Array.isArray(each)) for (const one of each as readonly Value[]) add(one);
    else if (isInterval(each) && printed[values.length]?.bracketed) values.push(each.value, each.low, each.high);
    else if (typeof each === 'object' && each !== null && 'value' in each) add(each.value!);
    else values.push(typeof each === 'number' && Number.isFinite(each) ? each : undefined);
  };
  add(value);
  return values;
}

const numberIn = (text: string) => Number(text.replaceAll(',', '').replaceAll('−', '-'));

const plain = (word: string) => word.toLowerCase().replace(/\s+/gu, ' ');

const quoted = (words: readonly string[]) => [...new Set(words)].map((word) => `"${word}"`).join(', ');

/** One text against the records. */
class Check {
  readonly findings: { at: number; message: string }[] = [];
  readonly edits: { at: number; from: string; to: string }[] = [];
  readonly exempt: Exempt[] = [];
  numbers = 0;
  claims = 0;
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  #find(at: number, message: string): void {
    this.findings.push({ at, message });
  }

  segment(segment: Segment): void {
    const { words, numbers, comment = '' } = segment;
    const start = segment.at + /^\s*/u.exec(words)![0].length;
    const quantities = words.match(QUANTITY) ?? [];
    const [, stated, reason] = /^not a result(?: \((\d+)\))?: (.+)$/su.exec(comment) ?? [];
    if (reason !== undefined) {
      const fault = exemptionFault(comment, stated, numbers.length + quantities.length);
      if (fault !== undefined) this.#find(start, fault);
      this.exempt.push({ reason, numbers: numbers.length });
      return;
    }
    const parts = partsOf(comment, this.#records);
    if (segment.comment !== undefined && parts.length === 0) this.#find(start, 'an empty comment says nothing');
    const items = parts.filter((part) => 'value' in part);
    for (const item of items) this.#smoke(item, segment, start);
    for (const item of items.filter(({ claim }) => claim)) this.#claim(item, start);
    this.#words(parts, quantities, items.length > 0 ? (words.match(COMPARISON) ?? []) : [], start);
    this.#sources(parts, numbers, start);
  }

  /** A claim shows each quantity and any claim the comparisons, but for the words that need none. */
  #words(parts: readonly Part[], quantities: readonly string[], comparisons: readonly string[], start: number): void {
    const claims = parts.filter((part) => 'value' in part).filter(({ claim }) => claim);
    const literals = claims.flatMap((claim) => claim.literals);
    const noClaim = parts.flatMap((part) => ('noClaim' in part ? part.noClaim : []));
    const asserted = [
      ...quantities.map((word) => ({ word, shown: shows(literals, word) })),
      ...comparisons.map((word) => ({ word, shown: claims.length > 0 })),
    ];
    for (const word of noClaim) {
      const at = asserted.findIndex((each) => plain(each.word) === plain(word));
      if (at < 0) this.#find(start, `"no claim (${word})" waives nothing`);
      else asserted.splice(at, 1);
    }
    const missing = asserted.filter(({ shown }) => !shown).map(({ word }) => word);
    if (missing.length === 0) return;
    this.#find(
      start,
      `${quoted(missing)}: no claim shows it, and no "no claim (WORDS): REASON" says why none is needed`,
    );
  }

  /** Numbers and their sources, in order. */
  #sources(parts: readonly Part[], numbers: readonly Printed[], start: number): void {
    const left = [...numbers];
    for (const part of parts) {
      if ('error' in part) {
        this.#find(start, `${part.text}: ${part.error}`);
        // How many numbers it stands for is not known, so neither is what the others stand for.
        if (!/^claim:/u.test(part.text)) return;
      } else if ('noResult' in part) {
        const printed = left.shift();
        const { noResult, reason } = part;
        if (printed?.text === noResult) this.exempt.push({ reason: `${noResult}: ${reason}`, numbers: 1 });
        else this.#find(printed?.at ?? start, `"no result ${noResult}" stands for ${printed?.text ?? 'no number'}`);
      } else if ('value' in part && !part.claim) {
        for (const value of valuesOf(part.value, left)) this.#number(left.shift(), part.text, value, start);
      }
    }
    if (left.length > 0) {
      this.#find(left[0]!.at, `no source is named for ${left.map(({ text }) => text).join(', ')}`);
    }
  }

  #number(printed: Printed | undefined, source: string, value: number | undefined, start: number): void {
    if (!printed) {
      this.#find(start, `${source}: is the source of no number`);
      return;
    }
    this.numbers++;
    const { at, text, limit } = printed;
    if (value === undefined) this.#find(at, `${text} is printed, ${source} is no number`);
    else if (limit) {
      if (value >= numberIn(text)) this.#find(at, `< ${text} is printed, ${source} is ${value}`);
    } else {
      const present = printedLike(value, text);
      if (present === text) return;
      this.#find(at, `${text} is printed, ${source} is ${present} (${value})`);
      this.edits.push({ at, from: text, to: present });
    }
  }

  #claim(item: Item, start: number): void {
    this.claims++;
    try {
      if (!holds(item.value)) this.#find(start, `${item.text}: does not hold`);
    } catch (error) {
      if (!(error instanceof ClaimError)) throw error;
      this.#find(start, `${item.text}: ${error.message}`);
    }
  }

  /** What a smoke run gave is called so in its block. */
  #smoke(item: Item, segment: Segment, start: number): void {
    for (const name of item.read) {
      const record = this.#records(name);
      const smoke = typeof record === 'object' && record !== null && 'smoke_run' in record && record.smoke_run === true;
      if (smoke && !/\bsmoke run/iu.test(segment.before + segment.words)) {
        this.#find(start, `${item.text}: ${name} is a smoke run, and the text does not say so`);
      }
    }
  }
}

/** @param records gives the records that comments name */
export function checkText(text: string, generated: readonly string[], records: Records): Checked {
  const { segments, regions, faults } = readMarked(text, generated);
  const check = new Check(records);
  for (const segment of segments) check.segment(segment);
  let written = text;
  for (const { at, from, to } of check.edits.toReversed()) {
    written = written.slice(0, at) + to + written.slice(at + from.length);
  }
  return {
    findings: [...faults, ...check.findings]
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, message }) => ({ line: text.slice(0, at).split('\n').length, message })),
    text: written,
    numbers: check.numbers,
    claims: check.claims,
    exempt: [...regions, ...check.exempt],
  };
}

/** Of one of the listed texts. */
export function checkFile(root: string, file: string, records: Records): Checked {
  return checkText(readFileSync(path.join(root, file), 'utf8'), TEXTS[file]!, records);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = path.resolve(import.meta.dirname, '../..');
  const records = recordsIn(root);
  const options = process.argv.slice(2);
  const unknown = options.find((option) => option !== '--write' && option !== '--exempt');
  if (unknown !== undefined)
    throw new Error(`Unknown option ${unknown}. Usage: npm run claims -- [--write] [--exempt]`);
  let failed = 0;
  for (const file of Object.keys(TEXTS)) {
    if (options.includes('--write')) writeFileSync(path.join(root, file), checkFile(root, file, records).text);
    const { findings, numbers, claims, exempt } = checkFile(root, file, records);
    const left = exempt.reduce((sum, each) => sum + each.numbers, 0);
    const held = `${counted(numbers, 'number')} and ${counted(claims, 'claim')} hold or are named below`;
    console.log(`${file}: ${held}; exempt: ${counted(left, 'number')}`);
    if (options.includes('--exempt')) {
      for (const each of exempt) console.log(`  ${each.numbers} ${each.reason}`);
    }
    for (const { line, message } of findings) console.error(`${file}:${line}: ${message}`);
    failed += findings.length;
  }
  if (failed > 0) {
    console.error(
      `${counted(failed, 'finding')}. \`npm run claims -- --write\` prints the present values; sentences are yours.`,
    );
    process.exitCode = 1;
  }
}
