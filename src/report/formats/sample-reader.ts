/**
 * The part of `report.html` in which single samples are read: sorted by what a condition gains on them, the target's tokens coloured by it. All data is
 * in the page.
 */
import { printable } from '../../base/printable.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import { escapeHtml } from '../tables/table.js';
import { primaryOf } from '../words/labels.js';
import { READER_SCRIPT, READER_STYLE } from './sample-reader-script.js';

/** The bytes of the page that samples may take: a browser opens it without delay, and mail accepts it. */
const BYTES = 3_500_000;

/** The characters shown of a document; the rest stands in samples.jsonl. */
const DOCUMENT_CHARACTERS = 3000;

/** One sample as the script knows it; short names, because there are many. */
interface ShownSample {
  readonly id: string;
  /** The grade of a candidate. */
  readonly grade?: number;
  /** The number of the target's tokens. */
  readonly n: number;
  readonly query?: string;
  readonly answer?: string;
  readonly document?: string;
  readonly cut?: true;
  readonly target?: readonly string[];
}

export interface ReaderData {
  readonly conditions: readonly string[];
  /** The places of the treatment and baseline that are shown first. */
  readonly first: readonly [number, number];
  readonly all: number;
  readonly samples: readonly ShownSample[];
  /**
   * NLLs in thousandths of a nat, 16 bits each, little-endian, base64: sample by sample, within one condition by condition, within one
   * token by token.
   */
  readonly nlls: string;
}

export function readerPart(run: FinishedRun, { noText }: { noText: boolean }): string {
  const data = readerData(run, noText);
  const shown =
    data.samples.length < data.all
      ? `${data.samples.length} of ${data.all} samples, an even choice along the gain of the comparison shown first, so that the file stays small. `
      : '';
  const texts = data.samples.some(({ query }) => query !== undefined)
    ? ''
    : 'The samples’ texts are not in this report. ';
  // A "<" would let a text end the element.
  const json = printable(JSON.stringify(data)).replaceAll('<', '\\u003c');
  return `<style>${READER_STYLE}</style>
<section class="reader" id="reader">
<p class="note">${escapeHtml(`${shown}${texts}Gain is NLL under the second condition minus NLL under the first, nats per token, rounded to a thousandth. Hover over a token for its two NLLs.`)}</p>
<noscript><p class="note">The samples are shown by a script, which is switched off here.</p></noscript>
</section>
<script type="application/json" id="reader-data">${json}</script>
<script>${READER_SCRIPT}</script>`;
}

export function readerData({ summary, trials, samples }: FinishedRun, noText: boolean): ReaderData {
  const { experiment } = summary.configuration;
  // A blank before the target is part of its first token, or one more: such a text has tokens of its own.
  const shown = experiment.conditions.filter(({ before_target }) => before_target !== 'space');
  const conditions = shown.map(({ name }) => name);
  const place = new Map(conditions.map((name, index) => [name, index]));
  const bySample = new Map<string, Trial[]>();
  for (const trial of trials) {
    const row = bySample.get(trial.sample) ?? [];
    const at = place.get(trial.condition);
    if (at !== undefined) row[at] = trial;
    bySample.set(trial.sample, row);
  }
  const primary = primaryOf(experiment);
  const first = [
    place.get(primary?.treatment ?? '') ?? Math.min(1, conditions.length - 1),
    place.get(primary?.baseline ?? '') ?? 0,
  ] as const;
  const complete = samples.filter(({ id }) => bySample.get(id)?.filter(Boolean).length === conditions.length);
  const gain = ({ id }: SampleRecord) => bySample.get(id)![first[1]]!.nll - bySample.get(id)![first[0]]!.nll;
  const all = complete.map((sample) => ({ sample, gain: gain(sample) })).sort((a, b) => b.gain - a.gain);
  const entries = all.map(({ sample }) => {
    const row = bySample.get(sample.id)!;
    return { shown: shownSample(sample, row[0]!.num_tokens, noText), row };
  });
  const kept = thinned(entries, ({ shown, row }) => JSON.stringify(shown).length + (row.length * shown.n * 2 * 4) / 3);
  return {
    conditions,
    first,
    all: all.length,
    samples: kept.map(({ shown }) => shown),
    nlls: packed(kept.flatMap(({ row }) => row.flatMap(({ token_nlls }) => token_nlls))),
  };
}

function shownSample({ id, grade, texts }: SampleRecord, n: number, noText: boolean): ShownSample {
  const known = { id, n, ...(grade !== undefined && { grade }) };
  if (!texts || noText) return known;
  const { query, answer, document, target } = texts;
  const short = [...document].slice(0, DOCUMENT_CHARACTERS).join('');
  return { ...known, query, answer, document: short, ...(short.length < document.length && { cut: true }), target };
}

/** All entries if they fit, or as many as do, evenly along the list. */
function thinned<T>(entries: readonly T[], sizeOf: (entry: T) => number): T[] {
  const sizes = entries.map(sizeOf);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const step = Math.max(1, total / BYTES);
  return entries.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

const LARGEST = 0xffff;

function packed(nlls: readonly number[]): string {
  const bytes = Buffer.alloc(nlls.length * 2);
  for (const [i, nll] of nlls.entries())
    bytes.writeUInt16LE(Math.min(LARGEST, Math.round(Math.max(0, nll) * 1000)), i * 2);
  return bytes.toString('base64');
}
