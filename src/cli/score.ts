/** `dkv score`: JSON lines in, JSON lines out, in order, as a stream. */

import { Command } from 'commander';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { upTo, windows } from '../base/windows.js';
import { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import { isRefusal, scoreLines, shapedLines } from '../serving/score-lines.js';
import { type ScoreAnswer, type ScoreRefusal, scoreAnswerSchema, scoreRefusalSchema } from '../wire/score.js';
import { openInput } from './input.js';
import { jsonLine } from './json.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { expectApart, openOutput } from './output.js';
import { interruptSignal } from './terminal.js';

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
  visibility  what the decoder sees: "exact" (default, the document alone), "published" (the research's mask: BOS and prefix are hidden),
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
      const answers = await scoreLines(model, lines, { maxTokens: options.maxLength, signal, literals });
      for (const answer of answers) totals.add(answer);
      await output.write(answers.map(lineOf).join(''));
    }
    if (signal.aborted) throw new DkvError('CANCELLED', `Stopped after ${counted(totals.lines, 'line')}.`);
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

function lineOf(answer: ScoreAnswer | ScoreRefusal): string {
  return isRefusal(answer) ? jsonLine(scoreRefusalSchema, answer) : jsonLine(scoreAnswerSchema, answer);
}

class Totals {
  lines = 0;
  rejected = 0;
  #cut = 0;
  #first: ScoreRefusal | undefined;

  add(answer: ScoreAnswer | ScoreRefusal): void {
    this.lines++;
    if (isRefusal(answer)) {
      this.rejected++;
      this.#first ??= answer;
    } else if (answer.cut) this.#cut++;
  }

  /** Describes what happened; empty where there is nothing to say. */
  described(maxTokens: number): string {
    const cut =
      this.#cut > 0 ? [`${counted(this.#cut, 'document')} cut at the end to keep to ${maxTokens} tokens`] : [];
    const first = this.#first;
    const rejected = first
      ? [`${this.rejected} rejected, the first in line ${first.line}: ${first.error.message}`]
      : [];
    if (cut.length + rejected.length === 0) return '';
    return `${[`${this.lines - this.rejected} of ${counted(this.lines, 'line')} scored`, ...cut, ...rejected].join('; ')}\n`;
  }
}
