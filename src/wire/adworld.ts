/** The built-in data as it is written: `dkv data adworld`. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema } from './numbers.js';

const asked = {
  kind: z.string().describe('What is asked for: `price`, `color`, `hours`, ...'),
  template: z.string().describe('The phrasing’s name.'),
  style: z.string().describe('A question, keywords, a phrase or an order.'),
  query: z.string().describe('The question.'),
};

export const adSchema = wireObject({
  id: z.string().describe('An id that is unique in the data.'),
  version: z.string().describe('Version of the generator.'),
  seed: z.int().describe('The seed that it was made with.'),
  category: z.string().describe('What kind of offer it is.'),
  item: z.string().describe('The noun for what is offered.'),
  title: z.string().describe('A short name.'),
  text: z.string().describe('The advertisement.'),
  facts: z
    .array(
      wireObject({
        kind: z.string().describe('What the fact is about, such as `price`.'),
        value: z.string().describe('A span of the text.'),
        distractor: z.string().optional().describe('A value of the same sort that the text gives for something else.'),
      }),
    )
    .readonly()
    .describe('What the text says.'),
  questions: z
    .array(wireObject({ ...asked, answer: z.string().describe('A span of the text.') }))
    .readonly()
    .describe('One for each fact.'),
  unanswerable: z.array(wireObject(asked)).readonly().describe('Questions whose answer the text does not give.'),
});

export const poolSchema = wireObject({
  id: z.string().describe('An id that is unique in the data.'),
  query: z.string().describe('The search.'),
  answer: z.string().optional().describe('The query’s answer, where it has one.'),
  relevant: countSchema.optional().describe('The lowest grade that counts as relevant; 1 when left out.'),
  candidates: z
    .array(
      wireObject({
        id: z.string().describe('Unique within the pool.'),
        document: z.string().describe('The document’s text.'),
        title: z.string().optional().describe('The document’s title, where it has one.'),
        grade: countSchema.describe('3 exact, 2 substitute, 1 complement, 0 irrelevant.'),
      }),
    )
    .readonly()
    .describe('Documents of known relevance.'),
});

export const corpusLineSchema = wireObject({
  _id: z.string().describe('An id that is unique in the data.'),
  title: z.string().describe('Always empty.'),
  text: z.string().describe('The document’s text.'),
});

export const queryLineSchema = wireObject({
  _id: z.string().describe('An id that is unique in the data.'),
  text: z.string().describe('The query’s text.'),
  answer: z.string().optional().describe('The query’s answer, where it has one.'),
});

const spreadSchema = wireObject({
  mean: z.number().describe('The average.'),
  lowest: z.number().describe('The lowest value.'),
  highest: z.number().describe('The highest value.'),
});

export const adworldStatisticsSchema = wireObject({
  ads: countSchema.describe('Number of advertisements.'),
  questions: countSchema.describe('Number of questions.'),
  kinds: countSchema.describe('Kinds of questions.'),
  categories: countSchema.describe('Categories of advertisements.'),
  documentWords: spreadSchema.describe('Words of a document.'),
  queryWords: spreadSchema.describe('Words of a query.'),
  answerWords: spreadSchema.describe('Words of an answer.'),
  factsPerAd: spreadSchema.describe('Facts in a document.'),
  queryOverlap: spreadSchema.describe('Share of a query’s words that the document has too.'),
  answerPosition: spreadSchema.describe('Where the answer stands, from 0 (start) to 1 (end).'),
  distractedFacts: z.number().describe('Share of facts beside which the text tells a distractor.'),
});
