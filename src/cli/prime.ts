/** `dkv prime`: documents in, directed caches in a store; what cannot be primed goes to a file of its own. */

import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import { describeLiterals } from '../model/tokenizer/literal-tokens.js';
import { BUILT_IN_MODEL } from '../scoring/load-model.js';
import type { PrimeProgress, PrimeSummary, RejectedDocument, Shard } from '../serving/prime-options.js';
import type { StatesPrecision, Store } from '../store/store.js';
import { primeRejectSchema, primeSummarySchema } from '../wire/primed.js';
import { jsonLine, printJson } from './json.js';
import { addModelOptions, type ModelOptions, openModel, positiveInteger } from './model-options.js';
import { expectApart, type Output, openOutput } from './output.js';
import { byteSize, duration, roughTime, shownBytes } from './quantities.js';
import { sayLiterals } from './ranking-options.js';
import { addTableOptions, type TableOptions, textForm } from './table-options.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';
import { addVariantOptions, type VariantOptions } from './variant-options.js';

interface PrimeCommandOptions extends ModelOptions, TableOptions, VariantOptions {
  readonly input: string;
  readonly store: string;
  readonly shard?: Shard;
  readonly rejects?: string;
  readonly text: boolean;
  readonly prior?: string;
  readonly ttl?: number;
  readonly maxBytes?: number;
  readonly replace: boolean;
  readonly check: boolean;
  readonly limit?: number;
  readonly json: boolean;
}

export function primeCommand(): Command {
  const command = new Command('prime')
    .description('Encode documents once and keep what the decoder needs of them in a store.')
    .requiredOption(
      '--input <file>',
      '.jsonl, .csv, .tsv (also with .gz behind it), .parquet, a BEIR corpus.jsonl; - for JSON lines on standard input',
    )
    .requiredOption(
      '--store <location>',
      'memory:, a folder, redis://host:port/database?prefix=name, s3://bucket/prefix',
    );
  addVariantOptions(command)
    .option('--shard <i/n>', 'the i-th of n parts of the documents, by their ids: for several machines', shard)
    .option('--rejects <file>', 'JSON lines of what was not primed (default: the input with .rejects.jsonl behind it)')
    .option('--no-text', "keep the documents' texts out of the store")
    .option('--prior <file>', "reference queries, one a line: keeps each document's mean NLL of them")
    .option('--ttl <time>', 'documents expire after so long, such as 7d', lifetime)
    .option(
      '--max-bytes <size>',
      'what was used longest ago leaves the store when it would grow beyond, such as 20GB',
      byteSize,
    )
    .option('--replace', 'prime a store anew that was primed otherwise; variants that are not named go', false)
    .option('--no-check', 'do not check for damage what the store already has')
    .option('--limit <n>', 'read the first n rows only', positiveInteger)
    .option('--json', 'print the summary as JSON', false);
  return addModelOptions(addTableOptions(command))
    .addHelpText(
      'after',
      `
A JSON line: {"id" or "_id", "text" or "document", "title"?, ...}; whatever else it says is kept with the document.
Started again it goes on where it was: what the store has already is not encoded again, and variants that are not named stay while the
document is the same. Of two documents with the same id the later one counts. A generation of a catalogue, packed:folder or packed:s3://bucket/prefix, may only be read: prime the store that is packed into it. Rows that cannot be primed go to the file of rejects with their number and the reason, and the exit status is 2.

Examples:
  dkv data adworld --count 1000 | dkv prime --input - --store ads
  dkv data adworld --count 1000 | dkv prime --input - --store ads --surrogate doc_kw    # adds a variant to what is there
  dkv prime --input ads.parquet --columns id=sku document=body --store ads --surrogate doc_kw,template --states float16
  dkv prime --input corpus.jsonl --store redis://cache:6379 --shard 2/4 --model ./t5gemma-2-270m-270m
  dkv prime --input docs.jsonl --store docs --surrogate 'static:What does it cost, and when is it open?'
  dkv prime --input docs.jsonl --store docs --surrogate 'join(title, column:brand), kw5'`,
    )
    .action(primeDocuments);
}

/** Parses what the decoder sees. */
function lifetime(text: string): number {
  const milliseconds = duration(text);
  if (milliseconds > 0) return milliseconds;
  throw new InvalidArgumentError('Expected some time, such as 7d; without the option documents stay for ever.');
}

function shard(text: string): Shard {
  const [, number, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (Number(number) >= 1 && Number(number) <= Number(of)) return { number: Number(number), of: Number(of) };
  throw new InvalidArgumentError('Expected i/n, from 1/n to n/n.');
}

async function primeDocuments(options: PrimeCommandOptions): Promise<void> {
  const { openDocuments } = await import('../datasets/documents.js');
  const { parseColumns } = await import('../datasets/mapped.js');
  const { prime } = await import('../serving/prime.js');
  const { expectWriter } = await import('../priming/prepare.js');
  const { specificationsIn, variantsOf } = await import('../serving/variants.js');
  const { readReferenceTexts } = await import('../datasets/queries.js');
  const { openStore } = await import('../store/open.js');
  const { endpointWriter, describeWriting, textSources } = await import('../llm/text-sources.js');
  const surrogates = specificationsIn(options.surrogate ?? []);
  // Told before a model is loaded.
  variantsOf(surrogates, options.bare);
  const writing = endpointWriter();
  expectWriter(surrogates, writing && { llm: writing.asked });
  const signal = interruptSignal();
  const isPiped = options.input === '-';
  const documents = await openDocuments(isPiped ? process.stdin : options.input, {
    columns: parseColumns(options.columns),
    ...textForm(options),
    signal,
    onNotice: sayNotice,
  });
  const priorQueries =
    options.prior === undefined ? undefined : await readReferenceTexts(options.prior, `--prior ${options.prior}`);
  const rejectsTo = options.rejects ?? rejectsFile(options);
  await expectApart(
    [['--rejects', rejectsTo]],
    [
      ['--input', options.input],
      ['--prior', options.prior],
    ],
  );
  const progress = new Progress('priming', 'documents');
  const { maxBytes, ttl, limit } = options;
  const rejects = await Rejects.open(rejectsTo);
  let store: Store | undefined;
  try {
    const total = await documents.countRows(limit ?? Number.POSITIVE_INFINITY);
    if (total === 0) throw noDocuments(options);
    store = await openStore(options.store, maxBytes === undefined ? {} : { maxBytes });
    const model = await openModel(options, signal);
    try {
      if (priorQueries) {
        const queries = priorQueries.map((text) => ({ text }));
        sayLiterals(model, queries, 'reference queries');
      }
      if (total !== undefined) progress.update(0, total);
      let announced = false;
      const summary = await prime(model, store, firstOf(documents.rows, limit), {
        surrogates,
        bare: options.bare,
        statesPrecision: options.states,
        visibility: options.visibility,
        maxTokens: options.maxLength,
        keepText: options.text,
        replace: options.replace,
        check: options.check,
        sources: textSources(model, options.maxLength, writing),
        signal,
        ...(ttl !== undefined && { ttlMs: ttl }),
        ...(priorQueries && { priorQueries }),
        ...(options.shard && { shard: options.shard }),
        onProgress: (done) => {
          const finished = done.primed + done.unchanged + done.rejected + done.replaced;
          if (total === undefined) {
            progress.count(finished, speedOf(done));
            return;
          }
          if (!announced && done.primed > 0) {
            announced = true;
            const work = announcement(done, total, options.states);
            if (work !== undefined) {
              progress.end();
              sayNotice(work);
            }
          }
          // Rows that were read ahead are not done; those of other shards are.
          progress.update(done.rows - done.documents + finished, total, 0, speedOf(done));
        },
        onRejected: (rejection) => rejects.add(rejection),
      });
      progress.end();
      await rejects.end();
      if (writing && writing.summary.requests > 0) process.stderr.write(`${describeWriting(writing)}\n`);
      if (summary.rows === 0) throw noDocuments(options);
      if (summary.rejected > 0) process.exitCode = 2;
      const pieces = summary.literalTokens.filter((token) => model.tokenizer.isPiece(token));
      if (options.json) {
        const file = rejects.count > 0 ? { rejects: rejects.file } : {};
        printJson(primeSummarySchema, { store: store.location, ...summary, ...file });
      } else process.stdout.write(described(summary, store.location, rejects, options, pieces));
    } finally {
      progress.end();
      await model.close();
    }
  } finally {
    if (isPiped) process.stdin.destroy();
    await rejects.close();
    await store?.close();
  }
}

function noDocuments({ input }: PrimeCommandOptions): DkvError {
  return new DkvError('INPUT_INVALID', `--input ${input}: there are no documents in it.`);
}

async function* firstOf<T>(items: AsyncIterable<T>, count = Number.POSITIVE_INFINITY): AsyncGenerator<T> {
  let given = 0;
  for await (const item of items) {
    yield item;
    if (++given >= count) return;
  }
}

/** The file of rejected documents: beside the input file, or in the working folder for any other input. */
function rejectsFile({ input, shard }: PrimeCommandOptions): string {
  const base = input === '-' ? 'stdin' : input.includes('://') ? path.basename(new URL(input).pathname) : input;
  return `${base}${shard ? `.${shard.number}-of-${shard.of}` : ''}.rejects.jsonl`;
}

/** A file of rejected documents. It exists only if something was rejected. */
class Rejects {
  readonly file: string;
  readonly #output: Output;
  count = 0;
  first: RejectedDocument | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(file: string, output: Output) {
    this.file = file;
    this.#output = output;
  }

  /**
   * Opens the file. An earlier file stays until the new one is complete.
   * @throws DkvError INPUT_INVALID, FILES_UNUSABLE when it could not be written
   */
  static async open(file: string): Promise<Rejects> {
    return new Rejects(file, await openOutput(file, '--rejects'));
  }

  add(rejection: RejectedDocument): void {
    this.count++;
    this.first ??= rejection;
    this.#writing = this.#writing.then(() => this.#output.write(jsonLine(primeRejectSchema, rejection)));
    // Told by `close`.
    this.#writing.catch(() => undefined);
  }

  /**
   * Ends a complete run: a file that an earlier run left says nothing about this one, so it is replaced or removed.
   * @throws what writing threw
   */
  async end(): Promise<void> {
    await this.close();
    if (this.count === 0 && (await lstat(this.file).catch(() => undefined))?.isFile()) await rm(this.file);
  }

  /**
   * Closes the file and keeps what was rejected before something else failed. It may be called twice.
   * @throws what writing threw
   */
  async close(): Promise<void> {
    try {
      await this.#writing;
      if (this.count > 0) await this.#output.close();
    } finally {
      await this.#output.discard();
    }
  }
}

/**
 * What the whole input will take, going by the documents that are in the store by now, before the rest is begun.
 * @returns undefined where nothing is left
 */
function announcement(done: PrimeProgress, total: number, states: StatesPrecision): string | undefined {
  const { primed, unchanged, rejected, replaced, documents, rows, seconds, bytesPerDocument } = done;
  const ofShard = Math.round((total * documents) / rows);
  const left = ofShard - primed - unchanged - rejected - replaced;
  if (left <= 0 || bytesPerDocument === null) return undefined;
  const less = states === 'float32' ? '; --states float16 halves the bytes' : '';
  return `${counted(ofShard, 'document', ofShard.toLocaleString('en'))}: about ${roughTime((left * seconds) / primed)} more and ${shownBytes(ofShard * bytesPerDocument)} in the store, going by the first ${primed.toLocaleString('en')}${less}.`;
}

function speedOf({ primed, unchanged, tokens, seconds }: PrimeProgress): string {
  const rate = (count: number) => Math.round(count / Math.max(seconds, 0.001)).toLocaleString('en');
  return `${rate(primed + unchanged)} documents/s, ${rate(tokens)} tokens/s`;
}

/** What comes next where documents were kept alone. */
function goingOn({ store, model, surrogate }: PrimeCommandOptions): string[] {
  if (surrogate !== undefined) return [];
  const named = `--store ${shellWord(store)}${model === BUILT_IN_MODEL ? '' : ` --model ${shellWord(model)}`}`;
  return [
    `Next: dkv rank ${named} --queries queries.jsonl; the same dkv prime with --surrogate doc_kw keeps each document behind its keywords too.`,
  ];
}

function described(
  summary: PrimeSummary,
  location: string,
  rejects: Rejects,
  options: PrimeCommandOptions,
  pieces: readonly string[],
): string {
  const { maxLength: maxTokens, controlTokens } = options;
  const literals = describeLiterals(summary.literal, 'documents', summary.literalTokens, controlTokens, pieces);
  const { documents, primed, unchanged, rejected, replaced, cut, encoded, variants, dropped, bytesPerDocument } =
    summary;
  const number = (value: number) => value.toLocaleString('en');
  const counting = documents - replaced;
  const share = counting > 0 ? ` (${Math.round((100 * unchanged) / counting)}%)` : '';
  const size = bytesPerDocument === null ? '' : `, ${shownBytes(bytesPerDocument)} each`;
  const lines = [
    `${counted(primed, 'document', number(primed))} primed as ${variants.join(', ')}: ${counted(encoded, 'pass', number(encoded))} through the encoder${size}`,
    `${number(unchanged)} unchanged${share}, ${number(rejected)} rejected`,
    ...Object.entries(dropped).map(
      ([name, count]) =>
        `${number(count)} have changed and lost ${name}, which was not named: prime them with it as well`,
    ),
    ...(replaced > 0
      ? [
          `${counted(replaced, 'document', number(replaced))} left out: a later row has the same id, and of rows with the same id the last one counts`,
        ]
      : []),
    ...(cut > 0 ? [`${number(cut)} cut at their end to keep to ${number(maxTokens)} tokens`] : []),
    ...(literals ? [literals] : []),
    ...(primed + unchanged > 0 ? [`${summary.seconds.toFixed(1)} s, ${speedOf(summary)}`] : []),
    `Store: ${location}`,
    ...(primed + unchanged > 0 ? goingOn(options) : []),
  ];
  const { first } = rejects;
  if (first) {
    const id = first.id === undefined ? '' : ` (${first.id})`;
    lines.push(`Rejected: see ${rejects.file}. The first, row ${first.row}${id}: ${first.reason}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
