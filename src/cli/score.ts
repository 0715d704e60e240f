/** `dkv score`: JSON lines in, JSON lines out, in order, as a stream. */

import { Command } from 'commander';
import { isLosslessNumber, LosslessNumber, stringify } from 'lossless-json';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { shortestFloat32 } from '../base/float32.js';
import { tryParse } from '../base/parse.js';
import { upTo, windows } from '../base/windows.js';
import type { JsonLine } from '../datasets/text-rows.js';
import { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import { visibilitySchema } from '../priming/input.js';
import { scoreTexts, type TextScore } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import { openInput } from './input.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { expectApart, openOutput } from './output.js';
import { interruptSignal } from './terminal.js';

const lineSchema = z.strictObject({
  id: z.union([z.string(), z.number(), z.instanceof(LosslessNumber)]).optional(),
  document: z.string(),
  prefix: z.string().optional(),
  visibility: visibilitySchema.optional(),
  query: z.string().optional(),
  target: z.string(),
});

type Line = z.infer<typeof lineSchema>;

/** Lines read before they are scored together; fewer when the input pauses. */
const WINDOW_LINES = 256;

interface ScoreCommandOptions extends ModelOptions {
  readonly input: string;
  readonly output: string;
}

export function scoreCommand(): Command {
  const command = new Command('score')
    .description('Negative log-likelihood of targets given documents: JSON lines in, JSON lines out.')
    .option('--input <file>', 'JSON lines; - for standard input', '-')
    .option('--output <file>', '- for standard output', '-');
  return addModelOptions(command)
    .addHelpText(
      'after',
      `
A line:   {"id", "document", "prefix"?, "visibility"?, "query"?, "target"}
Its answer: {"id", "nll", "nll_sum", "num_tokens", "token_nlls", "prefix_tokens", "document_tokens", "cut"}
  visibility  what the decoder sees: "exact" (default, the document alone), "published" (all but the first c tokens),
              "full", or a list of "bos", "prefix", "separator", "document", "eos"
  query       put before the target in the decoder
  nll         mean over the target's tokens, in nats
A line that cannot be scored gets {"id", "line", "error": {"code", "message"}}; the others go on, and the exit status is 2.
How many lines were rejected, and how many documents were cut to --max-length, is said on standard error.

Examples:
  echo '{"document":"The lamp costs 24 euros.","prefix":"lamp price","target":"24 euros"}' | dkv score
  dkv score --input pairs.jsonl --output scores.jsonl --model ./t5gemma-2-270m-270m`,
    )
    .action(score);
}

async function score(options: ScoreCommandOptions): Promise<void> {
  const { jsonLines } = await import('../datasets/text-rows.js');
  const signal = interruptSignal();
  await expectApart([['--output', options.output]], [['--input', options.input]]);
  const name = options.input === '-' ? 'standard input' : options.input;
  const input = await openInput(options.input, `--input ${options.input}`);
  const output = await openOutput(options.output);
  const model = await openModel(options, signal).catch(async (error: unknown) => {
    await output.discard();
    throw error;
  });
  const totals = new Totals();
  const literals = new LiteralTokens(model.tokenizer);
  try {
    const read = jsonLines(input, name, { signal });
    // Whoever writes line by line waits for each answer; a file can be looked at first.
    const shaped = options.input === '-' ? read : shapedLines(read, name);
    for await (const lines of windows(shaped, upTo(WINDOW_LINES))) {
      const answers = await scoreLines(model, lines, options.maxLength, signal, literals);
      for (const answer of answers) totals.add(answer);
      await output.write(answers.map((answer) => `${stringify(answer)}\n`).join(''));
    }
    if (signal.aborted) throw new DkvError('CANCELLED', `Stopped after ${totals.lines} lines.`);
    if (totals.lines === 0) throw new DkvError('INPUT_INVALID', `${name}: there are no lines in it.`);
    await output.close();
  } finally {
    input.destroy();
    // What has been scored is kept, whatever ended the rest.
    if (totals.lines > 0) await output.close();
    await output.discard();
    await model.close();
    process.stderr.write(totals.described(options.maxLength));
    const found = literals.described('lines');
    if (found) process.stderr.write(`${found}\n`);
  }
  if (totals.rejected > 0) process.exitCode = 2;
}

/** Lines at the beginning that may lack what is needed until all are taken to lack it. */
const SHAPELESS_LINES = 100;

/** @throws DkvError INPUT_INVALID where none of the first lines has a document, or none a target: the file is of something else */
async function* shapedLines(lines: AsyncIterable<JsonLine>, name: string): AsyncGenerator<JsonLine> {
  const lacking = new Set(['document', 'target']);
  const found = new Set<string>();
  const held: JsonLine[] = [];
  const conclude = () => {
    if (found.size === 0 || lacking.size === 0) return;
    const missing = [...lacking].map((member) => JSON.stringify(member)).join(' and no ');
    throw new DkvError(
      'INPUT_INVALID',
      `${name} has no ${missing} in the first ${held.length} lines; it has ${[...found].join(', ')}. A line is {"document", "target", ...}: see dkv score --help.`,
    );
  };
  let isShaped = false;
  for await (const line of lines) {
    held.push(line);
    if (!isShaped && !(line.content instanceof DkvError)) {
      for (const member of Object.keys(line.content)) {
        found.add(member);
        lacking.delete(member);
      }
    }
    if (!isShaped && lacking.size > 0 && held.length < SHAPELESS_LINES) continue;
    if (!isShaped) conclude();
    isShaped = true;
    yield* held.splice(0);
  }
  if (!isShaped) conclude();
  yield* held;
}

/** Why a line has no score. */
interface Refusal {
  readonly id?: unknown;
  /** Its number. */
  readonly line: number;
  readonly error: { readonly code: string; readonly message: string };
}

type Answer = Refusal | (Record<string, unknown> & { readonly cut: boolean });

class Totals {
  lines = 0;
  rejected = 0;
  #cut = 0;
  #first: Refusal | undefined;

  add(answer: Answer): void {
    this.lines++;
    if (isRefusal(answer)) {
      this.rejected++;
      this.#first ??= answer;
    } else if (answer.cut) this.#cut++;
  }

  /** Nothing where nothing is to be said. */
  described(maxTokens: number): string {
    const cut = this.#cut > 0 ? [`${this.#cut} documents were cut at their end to keep to ${maxTokens} tokens`] : [];
    const first = this.#first;
    const rejected = first
      ? [`${this.rejected} rejected, the first in line ${first.line}: ${first.error.message}`]
      : [];
    if (cut.length + rejected.length === 0) return '';
    return `${[`${this.lines - this.rejected} of ${this.lines} lines scored`, ...cut, ...rejected].join('; ')}\n`;
  }
}

function isRefusal(answer: Answer): answer is Refusal {
  return 'error' in answer;
}

async function scoreLines(
  model: Model,
  lines: readonly JsonLine[],
  maxTokens: number,
  signal: AbortSignal,
  literals: LiteralTokens,
): Promise<Answer[]> {
  const items = lines.map(parseLine);
  const good = items.filter((item): item is Line => !('error' in item));
  for (const { document, prefix, query, target } of good) literals.see(document, prefix, query, target);
  const scores = await scoreTexts(model, good, { maxTokens, signal });
  const scoreOf = new Map(good.map((item, i) => [item, scores[i]!]));
  return items.map((item, i) => {
    if ('error' in item) return item;
    const result = scoreOf.get(item)!;
    if (result instanceof DkvError) return refusal(lines[i]!.number, result, item.id);
    return { ...(item.id !== undefined && { id: item.id }), ...answerOf(result) };
  });
}

function parseLine({ number, content }: JsonLine): Line | Refusal {
  if (content instanceof DkvError) return refusal(number, content);
  const line = tryParse(lineSchema, content);
  if (line.success) return line.data;
  const { id } = content;
  const isId = typeof id !== 'object' || isLosslessNumber(id);
  return refusal(number, new DkvError('INPUT_INVALID', `${line.problem}.`), isId ? id : undefined);
}

function refusal(line: number, { code, message }: DkvError, id?: unknown): Refusal {
  return { ...(id !== undefined && { id }), line, error: { code, message } };
}

function answerOf({
  nll,
  nllSum,
  tokenNlls,
  prefixTokens,
  documentTokens,
  cutTokens,
}: TextScore): Answer & { readonly cut: boolean } {
  return {
    nll,
    nll_sum: nllSum,
    num_tokens: tokenNlls.length,
    token_nlls: Array.from(tokenNlls, shortestFloat32),
    prefix_tokens: prefixTokens,
    document_tokens: documentTokens,
    cut: cutTokens > 0,
  };
}
