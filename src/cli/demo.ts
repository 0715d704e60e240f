/** `dkv demo`: one document, one question, every visibility: what the model answers and how surprising it finds the right answer. */

import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { adworldDataset } from '../datasets/adworld.js';
import { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import { present } from '../priming/condition.js';
import { segmentsOf, type Visibility } from '../priming/input.js';
import { surrogate } from '../priming/surrogate.js';
import { renderText } from '../report/tables/table.js';
import { fixed } from '../report/words/format.js';
import { scoreInputs } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import { mean } from '../stats/describe.js';
import { demoSchema } from '../wire/models.js';
import { printJson } from './json.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { interruptSignal, paint } from './terminal.js';

interface Texts {
  readonly document: string;
  readonly query: string;
  readonly prefix: string;
  readonly answer: string;
}

interface DemoOptions extends ModelOptions, Partial<Texts> {
  readonly json: boolean;
}

/** The largest number of tokens of a greedy answer. */
const MAX_ANSWER_TOKENS = 24;

export function demoCommand(): Command {
  const command = new Command('demo')
    .description('Try it: a document, a question, a prefix; answers and NLLs under every visibility.')
    .option('--document <text>', 'what is encoded')
    .option('--query <text>', 'the real question, the upper bound')
    .option('--prefix <text>', 'the surrogate that stands in front of the document (default: its keywords)')
    .option('--answer <text>', 'what is scored')
    .option('--json', 'for machines', false);
  return addModelOptions(command)
    .addHelpText(
      'after',
      `
On a terminal it asks for what is not given; elsewhere it takes an advertisement of the built-in data.

Examples:
  dkv demo
  dkv demo --model google/flan-t5-base
  dkv demo --document "The lamp costs 24 euros." --query "price of the lamp" --answer "24 euros"`,
    )
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const signal = interruptSignal();
  const texts = await completeTexts(options);
  const model = await openModel(options, signal);
  const literals = new LiteralTokens(model.tokenizer);
  for (const text of Object.values(texts)) literals.see(text);
  const found = literals.described('texts');
  if (found) process.stderr.write(`${found}\n`);
  try {
    const rows = await answerAll(model, texts, options.maxLength, signal);
    if (options.json) printJson(demoSchema, { ...texts, conditions: rows });
    else print(texts, rows);
  } finally {
    await model.close();
  }
}

/** Asks on a terminal for the texts that were not given, with an advertisement as the suggestion. */
async function completeTexts(given: Partial<Texts>): Promise<Texts> {
  const [sample] = adworldDataset({ seed: 7, count: 1 }).samples;
  const ask = process.stdin.isTTY
    ? createInterface({ input: process.stdin, output: process.stderr, terminal: false })
    : undefined;
  const complete = async (what: string, value: string | undefined, suggestion: string) => {
    if (value !== undefined) return value;
    return (await ask?.question(`${paint('bold', what, process.stderr)} [${suggestion}]\n> `)) || suggestion;
  };
  // A document of the user's has other questions than the advertisement's.
  const own = given.document !== undefined;
  const document = await complete('Document', given.document, sample!.document);
  const changed = own || document !== sample!.document;
  const query = await complete('Question', given.query, changed ? 'What is it about?' : sample!.query);
  const answer = await complete(
    'Right answer',
    given.answer,
    changed ? document.split(/\s+/).slice(0, 5).join(' ') : sample!.answer,
  );
  const asked = { id: '', document, query, answer };
  const keywords = surrogate('doc_kw').make(asked, { index: 0, samples: [asked], seed: 0 });
  const prefix = await complete('Prefix', given.prefix, keywords);
  ask?.close();
  return { document, query, prefix, answer };
}

interface Row {
  readonly condition: string;
  readonly rows: number;
  readonly visibleRows: number;
  readonly nll: number;
  readonly tokens: readonly { readonly text: string; readonly nll: number }[];
  readonly greedy: string;
}

async function answerAll(model: Model, texts: Texts, maxTokens: number, signal: AbortSignal): Promise<Row[]> {
  const { document, query, prefix, answer } = texts;
  const segments = segmentsOf(model.tokenizer);
  const framed = [...(segments.has('bos') ? ['BOS'] : []), ...(segments.has('eos') ? ['EOS'] : [])].join(' and ');
  const conditions: { condition: string; prefix?: string; visibility: Visibility }[] = [
    { condition: 'document alone (bare)', visibility: 'full' },
    { condition: `document alone, ${framed ? `${framed} hidden ` : ''}(bare_d)`, visibility: 'exact' },
    { condition: 'prefix, everything visible', prefix, visibility: 'full' },
    { condition: 'prefix, published mask', prefix, visibility: 'published' },
    { condition: 'prefix, hidden exactly', prefix, visibility: 'exact' },
    { condition: 'question in its place, everything visible', prefix: query, visibility: 'full' },
    { condition: 'question in its place, hidden exactly', prefix: query, visibility: 'exact' },
  ];
  const { tokenizer, engine } = model;
  const prompt = new Int32Array(0);
  const target = tokenizer.encode(answer);
  const items = conditions.map(({ visibility, prefix }) => ({
    parts: [present(tokenizer, { visibility }, document, prefix, { maxTokens })],
    prompt,
    target,
  }));
  const nlls = await scoreInputs(engine, items, { signal });
  const shown = items.map(({ parts }) => parts[0]!);
  const states = await engine.encode(
    shown.map(({ item }) => item),
    { signal },
  );
  const generated = await engine.generate(
    shown.map(({ visible }, i) => ({
      memory: visible.map((range) => ({ states: states[i]!, ...range })),
      prompt,
      maxTokens: MAX_ANSWER_TOKENS,
    })),
    { signal },
  );
  return conditions.map(({ condition }, i) => ({
    condition,
    rows: shown[i]!.item.tokenIds.length,
    visibleRows: shown[i]!.visible.reduce((sum, { start, end }) => sum + end - start, 0),
    nll: mean(nlls[i]!),
    tokens: Array.from(target, (id, t) => ({ text: tokenizer.decode(Int32Array.of(id)), nll: nlls[i]![t]! })),
    greedy: tokenizer.decode(generated[i]!.tokenIds).trim(),
  }));
}

const DECODER_SEES = `The encoder reads the prefix and the document and makes one row of numbers for each token. The decoder sees some of these
rows ("rows seen") and no text. It knows the question only where the question stands in the prefix's place. The answer is
scored: a lower NLL means that the decoder finds it less surprising.`;

function print({ document, query, prefix, answer }: Texts, rows: readonly Row[]): void {
  const show = (what: string, text: string) => process.stdout.write(`${paint('bold', what.padEnd(9))} ${text}\n`);
  show('document', document);
  show('question', query);
  show('prefix', prefix);
  show('answer', answer);
  const table = {
    columns: [
      { title: 'condition', numeric: false },
      { title: 'rows seen', numeric: true },
      { title: 'NLL/token', numeric: true },
      { title: 'it would say', numeric: false },
    ],
    rows: rows.map(({ condition, rows: all, visibleRows, nll, greedy }) => [
      condition,
      `${visibleRows} of ${all}`,
      fixed(nll, 3),
      greedy,
    ]),
  };
  process.stdout.write(`\n${DECODER_SEES}\n\n${renderText(table)}\n\nNLL of each token of the answer, in nats\n`);
  const tokens = {
    columns: [
      { title: 'condition', numeric: false },
      ...rows[0]!.tokens.map(({ text }) => ({ title: JSON.stringify(text).slice(1, -1) || '·', numeric: true })),
    ],
    rows: rows.map(({ condition, tokens }) => [condition, ...tokens.map(({ nll }) => fixed(nll, 2))]),
  };
  process.stdout.write(`${renderText(tokens)}\n`);
}
