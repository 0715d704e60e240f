/** Neural Bridge's questions on web pages, made for retrieval-augmented generation: the research's second dataset. */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { wordCount } from '../base/words.js';
import { type Dataset, datasetOf, type SampleRequest, type Source } from '../samples/dataset.js';
import type { Sample } from '../samples/sample.js';
import { candidateLimit, drawRows } from './draw.js';
import { LeftOutRows } from './left-out.js';
import type { OpenOptions } from './options.js';
import { checkedRow, openHubSplit } from './table.js';

const REPOSITORY = 'neural-bridge/rag-dataset-12000';
const QUESTION_WORDS = 15;
const ANSWER_WORDS = 5;

// A few rows of the real data have no answer.
const rowSchema = z.object({
  context: z.string().nullable(),
  question: z.string().nullable(),
  answer: z.string().nullable(),
});

export function neuralBridgeSource(options: OpenOptions): Source {
  return {
    about: 'questions on web pages, with answers',
    samples: (request) => neuralBridgeSamples(request, options),
  };
}

async function neuralBridgeSamples(request: SampleRequest, options: OpenOptions): Promise<Dataset> {
  if (request.rule === 'factoid') {
    throw new DkvError(
      'INPUT_INVALID',
      `neural-bridge has no short answers: it is read with ${ANSWER_WORDS} words or more. Use ms-marco.`,
    );
  }
  const table = await openHubSplit({ repository: REPOSITORY, splits: ['train'] }, options);
  const leftOut = new LeftOutRows();
  async function* rows(): AsyncGenerator<Sample> {
    for await (const [number, row] of table.rows(['context', 'question', 'answer'])) {
      const { context, question, answer } = checkedRow(rowSchema, table, number, row);
      if (leftOut.lacks({ context, question, answer }) || !context || !question || !answer) continue;
      if (wordCount(question) < QUESTION_WORDS || wordCount(answer) < ANSWER_WORDS) continue;
      yield { id: `row-${number}`, document: context, query: question, answer };
    }
  }
  const { samples, padding } = await drawRows(rows(), request);
  const origin = {
    ...leftOut.recorded,
    name: 'neural-bridge',
    revision: table.revision,
    licence: 'Apache-2.0, and the terms of Falcon RefinedWeb, from which the pages come',
    selection: `training rows with ${QUESTION_WORDS} words or more in the question and ${ANSWER_WORDS} or more in the answer; the first ${candidateLimit(request)}, shuffled, ${request.count} taken`,
  };
  return datasetOf(origin, samples, padding);
}
