import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DkvError } from '../../src/base/errors.js';
import { parseJson } from '../../src/base/json.js';
import type { JsonLine } from '../../src/datasets/text-rows.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { isRefusal, scoreLines, shapedLines } from '../../src/serving/score-lines.js';
import { scoreAnswerSchema, scoreRefusalSchema } from '../../src/wire/score.js';
import { jsonText } from '../../src/wire/text.js';

const line = (number: number, text: string): JsonLine => ({ number, content: parseJson(text) as JsonLine['content'] });
const PAIR = '"document":"The lamp costs 24 euros.","target":"24 euros"';

describe('lines to score', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(BUILT_IN_MODEL);
  });
  afterAll(() => model.close());

  it('are answered in their order, by the numbers of scoreTexts, with ids as they were written', async () => {
    const answers = await scoreLines(
      model,
      [
        line(1, `{"id":1.0,${PAIR}}`),
        line(3, `{"id":"b","document":"The lamp.","target":""}`),
        { number: 4, content: new DkvError('INPUT_INVALID', 'not JSON') },
        line(5, `{"id":9007199254740993,${PAIR},"targets":1}`),
        line(6, `{${PAIR},"prefix":"lamp"}`),
      ],
      { maxTokens: 64 },
    );
    const [first, , , , last] = answers;
    const texts = { document: 'The lamp costs 24 euros.', target: '24 euros' };
    const wanted = await scoreTexts(model, [texts, { ...texts, prefix: 'lamp' }], { maxTokens: 64 });
    for (const [answer, own] of [
      [first, wanted[0]],
      [last, wanted[1]],
    ]) {
      const { nll, nllSum, tokenNlls } = own as Exclude<(typeof wanted)[number], DkvError>;
      expect(answer).toMatchObject({ nll, nllSum, tokenNlls, numTokens: tokenNlls.length, cut: false });
    }
    const printed = answers.map((answer) =>
      isRefusal(answer) ? jsonText(scoreRefusalSchema, answer) : jsonText(scoreAnswerSchema, answer),
    );
    expect(printed[0]).toMatch(/^\{"id":1\.0,"nll":[\d.]+,"nll_sum":[\d.]+,"num_tokens":\d+,"token_nlls":\[/);
    expect(printed.slice(1, 4)).toEqual([
      '{"id":"b","line":3,"error":{"code":"INPUT_INVALID","message":"target is empty: there is nothing to score."}}',
      '{"line":4,"error":{"code":"INPUT_INVALID","message":"not JSON"}}',
      '{"id":9007199254740993,"line":5,"error":{"code":"INPUT_INVALID","message":"unknown field \\"targets\\"."}}',
    ]);
    expect(z.decode(scoreAnswerSchema, JSON.parse(printed[4]!))).toEqual(last);
  });

  it('are refused as a whole where none has what is needed', async () => {
    async function* lines() {
      yield line(1, '{"text":"a"}');
      yield line(2, '{"text":"b"}');
    }
    await expect(shapedLines(lines(), 'docs.jsonl').next()).rejects.toThrow(
      'docs.jsonl has no "document" and no "target" in the first 2 lines; it has text.',
    );
  });
});
