/**
 * Texts to score as they come from outside, a line each: checked, scored, and answered in their order. A line that cannot be scored is answered with the
 * reason; the others go on. Knows neither where lines come from nor where answers go.
 */
import { isLosslessNumber } from 'lossless-json';
import { DkvError } from '../base/errors.js';
import { tryParse } from '../base/parse.js';
import type { JsonLine } from '../datasets/text-rows.js';
import type { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import { scored, scoreTexts } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import { type ScoreAnswer, type ScoreLine, type ScoreRefusal, scoreLineSchema } from '../wire/score.js';

export interface ScoreLinesOptions {
  /** Rows that the encoder reads; longer documents are cut at their end. */
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** Counts control tokens in every text that is scored. */
  readonly literals?: LiteralTokens;
}

/**
 * @returns an answer or a refusal for each line
 * @throws DkvError what befalls all lines: CANCELLED, and the engine's
 */
export async function scoreLines(
  model: Model,
  lines: readonly JsonLine[],
  { literals, ...options }: ScoreLinesOptions,
): Promise<(ScoreAnswer | ScoreRefusal)[]> {
  const items = lines.map(parseLine);
  const good = items.filter((item): item is ScoreLine => !isRefusal(item));
  for (const { document, prefix, query, target } of good) literals?.see(document, prefix, query, target);
  const scores = (await scoreTexts(model, good, options)).values();
  return items.map((item, i) => {
    if (isRefusal(item)) return item;
    const score = scores.next().value!;
    if (score instanceof DkvError) return refusal(lines[i]!.number, score, item.id);
    return { ...(item.id !== undefined && { id: item.id }), ...scored(score) };
  });
}

export function isRefusal(answer: ScoreLine | ScoreAnswer | ScoreRefusal): answer is ScoreRefusal {
  return 'error' in answer;
}

function parseLine({ number, content }: JsonLine): ScoreLine | ScoreRefusal {
  if (content instanceof DkvError) return refusal(number, content);
  const line = tryParse(scoreLineSchema, content);
  if (line.success) return line.data;
  const { id } = content;
  const isId = typeof id === 'string' || typeof id === 'number' || isLosslessNumber(id);
  return refusal(number, new DkvError('INPUT_INVALID', `${line.problem}.`), isId ? id : undefined);
}

function refusal(line: number, { code, message }: DkvError, id?: ScoreLine['id']): ScoreRefusal {
  return { ...(id !== undefined && { id }), line, error: { code, message } };
}

/** The number of lines at the beginning that may lack what is needed before all lines are taken to lack it. */
const SHAPELESS_LINES = 100;

/**
 * Passes lines on, after a look at the first ones.
 * @throws DkvError INPUT_INVALID where none of the first lines has a document, or none a target: the file is of something else
 */
export async function* shapedLines(lines: AsyncIterable<JsonLine>, name: string): AsyncGenerator<JsonLine> {
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
