/** `dkv score`: JSON lines in, JSON lines out, in order, as a stream. */

import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { z } from 'zod';
import { DkvError, messageOf } from '../errors.js';
import type { Model } from '../load-model.js';
import { visibilitySchema } from '../priming/input.js';
import { scoreTexts, shortestFloat32, type TextScore } from '../scoring.js';
import { upTo, windows } from '../windows.js';
import { openInput } from './input.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { expectApart, openOutput } from './output.js';
import { interruptSignal } from './terminal.js';

const lineSchema = z.strictObject({
  id: z.union([z.string(), z.number()]).optional(),
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
              "full", or a list of "bos", "prefix", "separator", "document"
  query       put before the target in the decoder
  nll         mean over the target's tokens, in nats
A line that cannot be scored gets {"id", "line", "error": {"code", "message"}}; the others go on, and the exit status is 2.

Examples:
  echo '{"document":"The lamp costs 24 euros.","prefix":"lamp price","target":"24 euros"}' | dkv score
  dkv score --input pairs.jsonl --output scores.jsonl --model ./t5gemma-2-270m-270m`,
    )
    .action(score);
}

async function score(options: ScoreCommandOptions): Promise<void> {
  const signal = interruptSignal();
  await expectApart([['--output', options.output]], [['--input', options.input]]);
  const input = await openInput(options.input, `--input ${options.input}`);
  const output = await openOutput(options.output);
  const model = await openModel(options, signal).catch(async (error: unknown) => {
    await output.discard();
    throw error;
  });
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // Waiting for a line that never comes must not outlast Ctrl-C.
  signal.addEventListener('abort', () => reader.close());
  let lineNumber = 0;
  try {
    for await (const lines of windows(reader, upTo(WINDOW_LINES))) {
      const answers = await scoreLines(model, lines, lineNumber, options.maxLength, signal);
      lineNumber += lines.length;
      if (answers.some((answer) => 'error' in answer)) process.exitCode = 2;
      await output.write(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''));
    }
    if (signal.aborted) throw new DkvError('CANCELLED', `Stopped after line ${lineNumber}.`);
    await output.close();
  } finally {
    input.destroy();
    // What has been scored is kept, whatever ended the rest.
    if (lineNumber > 0) await output.close();
    await output.discard();
    await model.close();
  }
}

type Answer = Record<string, unknown>;

async function scoreLines(
  model: Model,
  lines: readonly string[],
  linesBefore: number,
  maxTokens: number,
  signal: AbortSignal,
): Promise<Answer[]> {
  const parsed = lines.map((text, i) => ({ line: linesBefore + i + 1, text })).filter(({ text }) => text.trim() !== '');
  const items = parsed.map(({ line, text }) => ({ line, content: parseLine(text) }));
  const good = items.filter((item): item is { line: number; content: Line } => !('error' in item.content));
  const scores = await scoreTexts(
    model,
    good.map(({ content }) => content),
    { maxTokens, signal },
  );
  const scoreOf = new Map(good.map((item, i) => [item, scores[i]!]));
  return items.map((item) => {
    const { line, content } = item;
    const id = content.id === undefined ? {} : { id: content.id };
    if ('error' in content) return { ...id, line, error: content.error };
    const result = scoreOf.get(item as (typeof good)[number])!;
    if (result instanceof DkvError) return { ...id, line, error: { code: result.code, message: result.message } };
    return { ...id, ...answerOf(result) };
  });
}

function parseLine(text: string): Line | { id?: unknown; error: { code: string; message: string } } {
  const failure = (message: string, id?: unknown) => ({ id, error: { code: 'INPUT_INVALID', message } });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return failure(`not JSON: ${messageOf(error)}`);
  }
  const line = lineSchema.safeParse(json);
  if (line.success) return line.data;
  const id = (json as { id?: unknown } | null)?.id;
  return failure(z.prettifyError(line.error).replaceAll('\n', ' '), typeof id === 'object' ? undefined : id);
}

function answerOf({ nll, nllSum, tokenNlls, prefixTokens, documentTokens, cutTokens }: TextScore): Answer {
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
